//! A Docker Engine behind a real sshd (`integration/ssh-engine`), down when dropped.

use std::fs;

use tempfile::TempDir;

use crate::{Engine, Key, Run, script};

/// A way to an engine through SSH.
pub struct SshEngine {
    state: TempDir,
    engine: Engine,
}

impl SshEngine {
    /// The way to `engine`, for who has this key.
    #[must_use]
    pub fn to(engine: &Engine, key: &Key) -> Self {
        let state = tempfile::Builder::new().prefix("valetkey-ssh.").tempdir().expect("a temp folder");
        let socket = engine.var("DOCKER_HOST").trim_start_matches("unix://");
        let docker = engine.find("docker").expect("docker");
        Run::new(script("ssh-engine")).arg("up").arg(state.path()).arg(socket).arg(docker).succeed();
        fs::write(state.path().join("authorized_keys"), key.public()).expect("authorized_keys");
        Self { state, engine: engine.clone() }
    }

    /// The command with DOCKER_HOST, and an ssh that knows the server.
    #[must_use]
    pub fn reached_by(&self, run: Run) -> Run {
        let port = fs::read_to_string(self.state.path().join("port")).expect("the port");
        let path = format!("{}:{}", self.state.path().join("bin").display(), self.engine.var("PATH"));
        run.env("DOCKER_HOST", format!("ssh://root@127.0.0.1:{}", port.trim())).env("PATH", path)
    }

    /// What the server logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.state.path().join("sshd.log")).unwrap_or_default()
    }
}

impl Drop for SshEngine {
    fn drop(&mut self) {
        let down = Run::new(script("ssh-engine")).arg("down").arg(self.state.path()).finish();
        if !std::thread::panicking() {
            down.expect_code(0);
        }
    }
}
