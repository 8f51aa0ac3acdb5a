//! A real OpenSSH Git server on loopback (`integration/git-server`), down when dropped.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Key, Run, folder, script};

/// A Git server of one test's own.
pub struct GitServer {
    state: TempDir,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl GitServer {
    /// A server of the machine's OpenSSH, which binds logins to its host key.
    #[must_use]
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// A server of OpenSSH 8.4, which cannot bind logins.
    #[must_use]
    pub fn up_unbinding() -> Self {
        Self::up_with(&["--sshd-8.4"])
    }

    /// A server whose only host key is RSA.
    #[must_use]
    pub fn up_with_rsa_alone() -> Self {
        Self::up_with(&["--rsa-alone"])
    }

    fn up_with(flags: &[&str]) -> Self {
        let state = tempfile::Builder::new().prefix("valetkey-git.").tempdir().expect("a temp folder");
        Run::new(script("git-server")).arg("up").arg(state.path()).args(flags).succeed();
        let port = fs::read_to_string(state.path().join("port")).expect("the port").trim().parse().expect("a port");
        Self { state, port }
    }

    /// A server with the private package `platform/omnibus.git` that this key may read.
    #[must_use]
    pub fn with_package(key: &Key) -> Self {
        Self::up().having_package(key)
    }

    /// With the private package `platform/omnibus.git`, that this key may read.
    #[must_use]
    pub fn having_package(self, key: &Key) -> Self {
        self.add_package("platform/omnibus.git");
        self.authorize(key);
        self
    }

    /// Adds the private package as a repository.
    pub fn add_package(&self, name: &str) {
        self.add_repository(name, &folder().join("examples/omnibus"));
    }

    /// Adds a repository with the files of `source` as its one commit, and the tag v1.0.0.
    pub fn add_repository(&self, name: &str, source: &Path) {
        Run::new(script("git-server")).arg("repo").arg(self.state.path()).arg(name).arg(source).succeed();
    }

    /// Lets a key in.
    pub fn authorize(&self, key: &Key) {
        self.authorize_line(&key.public());
    }

    /// Lets a key in to one repository.
    pub fn authorize_only(&self, key: &Key, repository: &str) {
        self.authorize_line(&format!("command=\"only {repository}\" {}", key.public()));
    }

    fn authorize_line(&self, line: &str) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(self.state.path().join("authorized_keys"))
            .expect("authorized_keys");
        file.write_all(line.as_bytes()).expect("authorized_keys");
    }

    /// `ssh://git@127.0.0.1:PORT/NAME`.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("ssh://{}@127.0.0.1:{}/{name}", self.user(), self.port)
    }

    /// The account that it knows.
    #[must_use]
    pub fn user(&self) -> String {
        fs::read_to_string(self.state.path().join("user")).expect("the user").trim().to_owned()
    }

    /// `127.0.0.1:PORT`, as `--host` takes it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A known_hosts file with its host keys.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.state.path().join("known_hosts")
    }

    /// A line of its host keys that stands in no other place: the body of its Ed25519 key.
    #[must_use]
    pub fn host_key_body(&self) -> String {
        let line = fs::read_to_string(self.state().join("host-keys/ed25519.pub")).expect("a host key");
        line.split(' ').nth(1).expect("a body").to_owned()
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.state.path().join("sshd.log")).unwrap_or_default()
    }

    /// Logins that it accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.log().matches("Accepted publickey for ").count()
    }

    /// Its folder, with `host-keys/`.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let down = Run::new(script("git-server")).arg("down").arg(self.state.path()).finish();
        if !std::thread::panicking() {
            down.expect_code(0);
        }
    }
}
