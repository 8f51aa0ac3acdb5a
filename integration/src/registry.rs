//! Debian's `docker-registry` on loopback, with storage of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Run;

/// How long it may take to listen.
const START_TIME: Duration = Duration::from_secs(30);

/// A running registry; it ends with this value.
pub struct Registry {
    child: Child,
    port: u16,
    state: TempDir,
}

impl Registry {
    /// Starts one that is empty.
    ///
    /// # Panics
    /// When it does not listen in time.
    #[must_use]
    pub fn up() -> Self {
        Self::start(|_| String::new())
    }

    /// One that wants this user's password, kept by bcrypt as its `htpasswd` has it.
    ///
    /// # Panics
    /// As [`Registry::up`].
    #[must_use]
    pub fn with_login(user: &str, password: &str) -> Self {
        // perl is a part of every Debian, and its crypt is that of libxcrypt.
        let hash = "print crypt($ARGV[0], '$2b$04$' . 'valetkeyvaletkeyvalete')";
        let hash = Run::new("perl").args(["-e", hash, password]).succeed().stdout;
        assert!(hash.starts_with("$2b$04$"), "this machine's crypt has no bcrypt");
        Self::start(|state| {
            let users = state.join("users");
            fs::write(&users, format!("{user}:{hash}\n")).expect("written");
            format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", users.display())
        })
    }

    /// `more` gives further lines of the configuration.
    fn start(more: impl FnOnce(&Path) -> String) -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let config = state.path().join("config.yml");
        let storage = state.path().join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n{}",
            storage.display(),
            more(state.path())
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
        Self { child, port, state }
    }

    /// `127.0.0.1:PORT/NAME`.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }
}

impl Registry {
    /// Loses the blob with that digest.
    ///
    /// # Panics
    /// When it has none.
    pub fn lose(&self, digest: &str) {
        let hex = digest.strip_prefix("sha256:").expect("a digest");
        let blobs = self.state.path().join("storage/docker/registry/v2/blobs/sha256");
        fs::remove_file(blobs.join(&hex[..2]).join(hex).join("data")).expect("the registry has it");
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
