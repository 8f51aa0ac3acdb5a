//! A real sshd that lets keys in for the account that runs the tests, and the `ssh` line that
//! logs in to it with nothing but the agent.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sshd::Sshd;

/// What a session that really logged in ends with.
pub(crate) const LOGGED_IN: i32 = 52;
/// What ssh itself ends with when it was not let in.
pub(crate) const NOT_LET_IN: i32 = 255;

/// Its host keys; an RSA key would take longer to make than most logins.
const KINDS: [&str; 2] = ["ed25519", "ecdsa"];

pub(crate) struct Server(pub(crate) Sshd);

impl Server {
    /// One with these further lines of configuration.
    pub(crate) fn with(more: &str) -> Self {
        Self(Sshd::with(&KINDS, |_| more.to_owned()))
    }

    /// One whose only host key is RSA.
    pub(crate) fn with_rsa_alone(more: &str) -> Self {
        Self(Sshd::with(&["rsa"], |_| more.to_owned()))
    }

    /// One that this key may log in to.
    pub(crate) fn letting_in(key: &Path) -> Self {
        let server = Self::with("");
        server.let_in(key);
        server
    }

    pub(crate) fn let_in(&self, key: &Path) {
        let mut file = fs::OpenOptions::new().append(true).open(self.0.authorized_keys()).unwrap();
        file.write_all(&fs::read(key.with_extension("pub")).unwrap()).unwrap();
    }

    /// As known_hosts and the summary name it.
    pub(crate) fn name(&self) -> String {
        self.0.name()
    }

    /// As `--host` takes it.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.0.port())
    }

    /// Lines of known_hosts, one for each of these host keys, with this marker in front.
    pub(crate) fn known_hosts(&self, marker: &str, kinds: &[&str]) -> String {
        let line = |kind: &&str| {
            let key = fs::read_to_string(self.0.host_key(kind).with_extension("pub")).unwrap();
            format!("{marker}{} {key}", self.name())
        };
        kinds.iter().map(line).collect()
    }

    /// A known_hosts file that pins all its keys.
    pub(crate) fn pinned(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("known_hosts.{}", self.0.port()));
        fs::write(&path, self.known_hosts("", &KINDS)).unwrap();
        path
    }

    /// How many logins it let in.
    pub(crate) fn accepted(&self) -> usize {
        self.0.log().matches("Accepted publickey for ").count()
    }
}

/// The account that runs the tests, the only one that any sshd of ours can let in.
pub(crate) fn me() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// `ssh` with these options to a server: no key file, no other agent, no question. Whoever
/// attacks from inside a build trusts any host, so this does too.
pub(crate) fn ssh(server: &Server, options: &str) -> String {
    format!(
        "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
         -o GlobalKnownHostsFile=none -o IdentityFile=none -o LogLevel=ERROR {options} -p {} {}@127.0.0.1 \
         'exit {LOGGED_IN}'",
        server.0.port(),
        me()
    )
}
