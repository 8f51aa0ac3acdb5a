//! A real server of Vault's API on loopback: OpenBao in its mode for development, which keeps
//! everything in memory and has a KV engine of version 2 at `secret`.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Finished, Run};

/// How long it may take to listen.
const START_TIME: Duration = Duration::from_secs(60);
/// The token of whoever set it up.
const ROOT: &str = "root-for-tests";

/// A running server; it ends with this value.
pub struct Vault {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Vault {
    /// Starts one that speaks plain HTTP.
    ///
    /// # Panics
    /// When it does not listen in time.
    #[must_use]
    pub fn up() -> Self {
        Self::start("http", &[])
    }

    /// One that speaks TLS, with an authority of its own.
    ///
    /// # Panics
    /// As [`Vault::up`].
    #[must_use]
    pub fn with_tls() -> Self {
        Self::start("https", &["-dev-tls", "-dev-tls-cert-dir=."])
    }

    fn start(scheme: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new(bao());
        command.args(["server", "-dev", "-dev-no-store-token", &format!("-dev-root-token-id={ROOT}")]);
        command.arg(format!("-dev-listen-address=127.0.0.1:{port}")).args(flags);
        command.env("HOME", folder.path()).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let mut child = command.spawn().expect("bao starts: run integration/setup openbao");
        let deadline = Instant::now() + START_TIME;
        let said = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        while !said().contains("Development mode should NOT be used")
            || TcpStream::connect(("127.0.0.1", port)).is_err()
        {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "bao does not listen: {}", said());
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, folder, address: format!("{scheme}://127.0.0.1:{port}") }
    }

    /// As `VAULT_ADDR` has it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The token that may do everything.
    #[must_use]
    pub fn root(&self) -> &'static str {
        ROOT
    }

    /// The certificate of the authority of [`Vault::with_tls`].
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("vault-ca.pem")
    }

    /// A file with this text, for `@FILE`.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// Runs the server's own client as [`Vault::root`], which must succeed.
    pub fn bao<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Finished {
        let run = Run::new(bao()).args(args).env("BAO_ADDR", &self.address).env("BAO_TOKEN", ROOT);
        let run = run.env("HOME", self.folder.path()).within(self.folder.path());
        if self.authority().exists() { run.env("BAO_CACERT", self.authority()) } else { run }.succeed()
    }

    /// Has `secret/PATH` hold a file's text as the field `key`.
    pub fn put(&self, path: &str, file: &Path) {
        self.bao(["kv", "put", "-mount=secret", path, &format!("key=@{}", file.display())]);
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program that `integration/setup openbao` fetched.
fn bao() -> PathBuf {
    let cache = std::env::var_os("VALETKEY_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let folder = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        folder.expect("a home").join("valetkey-integration")
    });
    cache.join("openbao/bao")
}
