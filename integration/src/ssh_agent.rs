//! A stock `ssh-agent` of one test's own, as the user's agent; killed when dropped.

use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Key, Run};

/// The user's agent.
pub struct SshAgent {
    folder: TempDir,
    child: Child,
}

impl SshAgent {
    /// One that holds these keys.
    #[must_use]
    pub fn with(keys: &[&Key]) -> Self {
        let folder = tempfile::Builder::new().prefix("vk-agent.").tempdir().expect("a temp folder");
        let child = Run::new("ssh-agent").arg("-D").arg("-a").arg(folder.path().join("sock")).spawn();
        let agent = Self { folder, child };
        let end = Instant::now() + Duration::from_secs(20);
        // The socket is there a moment before anyone listens on it.
        while std::os::unix::net::UnixStream::connect(agent.socket()).is_err() {
            assert!(Instant::now() < end, "ssh-agent did not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        for key in keys {
            Run::new("ssh-add").arg("-q").arg(key.path()).env("SSH_AUTH_SOCK", agent.socket()).succeed();
        }
        agent
    }

    /// What SSH_AUTH_SOCK names.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
