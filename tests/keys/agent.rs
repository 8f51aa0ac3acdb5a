//! A real ssh-agent of the test's own.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::made::{self, Kind};
use super::world::World;

/// A real ssh-agent on a socket of its own, ended with the test.
pub(crate) struct Agent {
    child: Child,
    pub(crate) socket: PathBuf,
    folder: tempfile::TempDir,
}

impl Agent {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        let folder = made::folder();
        let socket = folder.path().join("agent");
        let mut child = Command::new("ssh-agent")
            .args(["-D", "-a", made::path_str(&socket)])
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent is needed for this test");
        // The file is there a moment before anybody listens.
        while UnixStream::connect(&socket).is_err() {
            assert!(child.try_wait().expect("a status").is_none(), "ssh-agent has ended");
            std::thread::yield_now();
        }
        let agent = Self { child, socket, folder };
        for kind in kinds {
            let path = made::write(agent.folder.path(), "key", &made::key(*kind).text);
            agent.add(&["-q", made::path_str(&path)]);
        }
        agent
    }

    pub(crate) fn add(&self, arguments: &[&str]) {
        let output = Command::new("ssh-add")
            .args(arguments)
            .env("SSH_AUTH_SOCK", &self.socket)
            .stdin(Stdio::null())
            .output()
            .expect("ssh-add is needed for this test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn world(&self) -> World {
        let mut world = World::default();
        world.variables.insert("SSH_AUTH_SOCK", self.socket.clone().into());
        world
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
