//! A job: a shell in a place of its own, in which `valetkey` is found.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::place::{Place, Ran, VALETKEY, ran};

impl Place {
    /// `sh` with this script.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = self.command("sh");
        let folder = Path::new(VALETKEY).parent().unwrap().display().to_string();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
        command.env("PATH", path).args(["-eu", "-c", script]);
        command
    }

    /// The same, to its end.
    pub(crate) fn job(&self, script: &str) -> Ran {
        ran(&mut self.shell(script))
    }
}

/// Whether an agent answers at this socket, and lists something.
pub(crate) fn answers(socket: &str) -> bool {
    let mut asked = Command::new("ssh-add");
    asked.arg("-l").env("SSH_AUTH_SOCK", socket).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().expect("ssh-add is needed for this test").success()
}

/// Whether a process is there and runs. One that has ended and was not waited for is gone.
pub(crate) fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
