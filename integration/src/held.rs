//! A lease that stays open for as long as a test attacks it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::process::{Finished, finish};
use crate::user::run_as;
use crate::{Key, Run, valetkey};

/// A folder that belongs to a user of `integration/as-user`, closed to everyone else.
#[must_use]
pub fn folder_for(user: &str) -> TempDir {
    let mode = fs::Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("valetkey-user.").permissions(mode).tempdir().expect("a temp folder");
    let id = run_as(user, "id").arg("-u").succeed().stdout.trim().parse().expect("a number");
    chown(folder.path(), Some(id), Some(id)).expect("only root can give folders away");
    folder
}

/// A running `valetkey run` of the user `valet`, whose wrapped command waits to be released.
pub struct Held {
    child: Child,
    release: Option<ChildStdin>,
    runtime: TempDir,
    /// The socket of the lease.
    pub socket: PathBuf,
}

impl Held {
    /// Lends `key` from the variable DEPLOY_KEY around `script`, which does its work, then
    /// waits. `script` runs in the lease's run-time folder, which is the user's own.
    #[must_use]
    pub fn around(key: &Key, flags: &[&str], script: &str) -> Self {
        let runtime = folder_for("valet");
        let script = format!("{script}\nprintf '%s\\n' \"$SSH_AUTH_SOCK\"\ncat >/dev/null");
        // Set behind the change of user, which sets its own. Core dumps are allowed, as they may
        // be on the machine of whoever develops.
        let start = "ulimit -S -c \"$(ulimit -H -c)\"; XDG_RUNTIME_DIR=$1; shift; exec \"$@\"";
        let run = run_as("valet", "sh").args(["-c", start, "sh"]).arg(runtime.path()).arg(valetkey());
        let run = run.args(["run", "--no-config", "--key", "env:DEPLOY_KEY"]).args(flags);
        let run = run.args(["--", "sh", "-c", &script]).env("DEPLOY_KEY", key.private()).within(runtime.path());
        Self::started(run, runtime)
    }

    fn started(run: Run, runtime: TempDir) -> Self {
        let mut child = run.stdin(Stdio::piped()).spawn();
        let release = child.stdin.take();
        let line = first_line(child.stdout.as_mut().expect("a pipe"));
        if line.is_empty() {
            panic!("valetkey did not start\n{}", finish(child, "valetkey run").report());
        }
        Self { child, release, runtime, socket: PathBuf::from(line) }
    }

    /// The process of valetkey itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The run-time folder, in which the wrapped command runs.
    #[must_use]
    pub fn runtime(&self) -> &Path {
        self.runtime.path()
    }

    /// Opens the socket and every folder above it to everyone, as only root or its owner can.
    pub fn open_to_everyone(&self) {
        let folders = self.socket.ancestors().take_while(|path| path.starts_with(self.runtime.path()));
        for path in folders {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("a mode");
        }
    }

    /// A command of the same user that is no descendant of the wrapped command.
    #[must_use]
    pub fn beside(&self, program: impl AsRef<std::ffi::OsStr>) -> Run {
        self.at_the_socket("valet", program)
    }

    /// A command of any user that takes the socket for its agent.
    #[must_use]
    pub fn at_the_socket(&self, user: &str, program: impl AsRef<std::ffi::OsStr>) -> Run {
        run_as(user, "env").arg(format!("SSH_AUTH_SOCK={}", self.socket.display())).arg(program).within("/")
    }

    /// Waits for the end of a valetkey that was attacked. Its wrapped command still waits, until
    /// this value goes.
    #[must_use]
    pub fn ended(mut self) -> (Self, ExitStatus) {
        let status = self.child.wait().expect("failed to wait for valetkey");
        (self, status)
    }

    /// Lets the wrapped command end; what valetkey then printed. Its first line on stdout, the
    /// socket, is gone.
    #[must_use]
    pub fn release(mut self) -> Finished {
        if let Some(mut pipe) = self.release.take() {
            let _ = pipe.flush();
        }
        finish(self.child, "valetkey run").expect_code(0)
    }
}

/// A line, and not a byte more: what follows is for whoever reads next.
///
/// Public for tests that hold processes of their own.
pub fn first_line(pipe: &mut impl Read) -> String {
    let mut line = String::new();
    // One byte at a time, so that the reader holds nothing back.
    let _ = BufReader::with_capacity(1, pipe).read_line(&mut line);
    line.trim_end().to_owned()
}
