//! Debian's `docker-registry` on loopback, with storage of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to listen.
const START_TIME: Duration = Duration::from_secs(30);

/// A running registry; it ends with this value.
pub struct Registry {
    child: Child,
    port: u16,
    _state: TempDir,
}

impl Registry {
    /// Starts one that is empty.
    ///
    /// # Panics
    /// When it does not listen in time.
    #[must_use]
    pub fn up() -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let config = state.path().join("config.yml");
        let storage = state.path().join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            storage.display()
        );
        fs::write(&config, text).expect("written");
        let log = fs::File::create(state.path().join("log")).expect("a log");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let mut child = command.spawn().expect("docker-registry starts: run integration/setup registry");
        let deadline = Instant::now() + START_TIME;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = child.try_wait().expect("a child");
            let said = || fs::read_to_string(state.path().join("log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < deadline, "the registry does not listen: {}", said());
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, _state: state }
    }

    /// `127.0.0.1:PORT/NAME`.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
