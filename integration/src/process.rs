//! Commands with a time limit, whose output is kept and shown when an expectation fails.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// After this long a command has hung, and its process group is killed.
pub const TIME_LIMIT: Duration = Duration::from_secs(300);

/// A command that is put together and then run to its end.
pub struct Run(Command);

/// What a command printed and how it ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code, or 128 + n for signal n.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    shown: String,
}

impl Run {
    /// A command in an environment that has nothing of ours: no agent, no config, no home.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        for name in [
            "SSH_AUTH_SOCK",
            "SSH_AGENT_PID",
            "XDG_RUNTIME_DIR",
            "XDG_CONFIG_HOME",
            "DOCKER_HOST",
            "DOCKER_CONFIG",
            "COMPOSE_FILE",
        ] {
            command.env_remove(name);
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("NO_COLOR", "1");
        // What one test's audit found in a layer is no word on another's.
        command.env("XDG_STATE_HOME", "/dev/null");
        command.stdin(Stdio::null());
        Self(command)
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.0.args(args);
        self
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.0.env_remove(name);
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Gives it a file as standard input.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Stdio>) -> Self {
        self.0.stdin(input);
        self
    }

    /// Starts it in a process group of its own with its output piped, for a test that has to
    /// act while it runs.
    #[must_use]
    pub fn spawn(mut self) -> Child {
        self.0.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        self.0.spawn().unwrap_or_else(|error| panic!("failed to start {:?}: {error}", self.0))
    }

    /// Runs it to its end.
    #[must_use]
    pub fn finish(self) -> Finished {
        let shown = format!("{:?}", self.0);
        finish(self.spawn(), &shown)
    }

    /// Runs it to its end, which must be a success.
    pub fn succeed(self) -> Finished {
        self.finish().expect_code(0)
    }
}

/// Waits for a child that [`Run::spawn`] started.
#[must_use]
pub fn finish(mut child: Child, shown: &str) -> Finished {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = (collect(stdout), collect(stderr));
    let pid = child.id();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    let status = match receiver.recv_timeout(TIME_LIMIT) {
        Ok(status) => status.expect("failed to wait for a child"),
        Err(_) => {
            // Its own process group, and so nothing but what it started.
            let _ = Command::new("kill").args(["-KILL", "--", &format!("-{pid}")]).status();
            panic!("{shown} did not end within {TIME_LIMIT:?}\n{}\n{}", stdout.join().unwrap(), stderr.join().unwrap());
        }
    };
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    Finished { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap(), shown: shown.to_owned() }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Finished {
    /// Everything that it printed.
    #[must_use]
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Its exit code must be this.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit code {code}\n{}", self.report());
        self
    }

    /// It must have failed.
    #[track_caller]
    pub fn expect_failure(self) -> Self {
        assert!(self.code != 0, "expected a failure\n{}", self.report());
        self
    }

    /// What it printed must contain this.
    #[track_caller]
    pub fn expect(self, text: &str) -> Self {
        assert!(self.output().contains(text), "expected {text:?}\n{}", self.report());
        self
    }

    /// What it printed must not contain this.
    #[track_caller]
    pub fn expect_not(self, text: &str) -> Self {
        assert!(!self.output().contains(text), "did not expect {text:?}\n{}", self.report());
        self
    }

    /// Command, code and output, for a failed expectation.
    #[must_use]
    pub fn report(&self) -> String {
        let mut report = String::new();
        let _ = writeln!(report, "{}\nexit code {}", self.shown, self.code);
        let _ = writeln!(report, "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        report
    }
}
