//! Keys that `ssh-keygen` makes at run time.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Run;

/// A key pair in a folder of its own.
pub struct Key {
    folder: TempDir,
}

impl Key {
    /// An Ed25519 key.
    #[must_use]
    pub fn ed25519(comment: &str) -> Self {
        Self::made(&["-t", "ed25519"], comment)
    }

    /// A key of the kind that these flags of `ssh-keygen` ask for.
    #[must_use]
    pub fn made(flags: &[&str], comment: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("valetkey-key.").tempdir().expect("a temp folder");
        let path = folder.path().join("key");
        Run::new("ssh-keygen").args(["-q", "-N", "", "-C", comment]).args(flags).arg("-f").arg(path).succeed();
        Self { folder }
    }

    /// The private key's file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// `file:PATH`, as `--key` takes it.
    #[must_use]
    pub fn source(&self) -> String {
        format!("file:{}", self.path().display())
    }

    /// The private key's text.
    #[must_use]
    pub fn private(&self) -> String {
        fs::read_to_string(self.path()).expect("the private key")
    }

    /// Text and bytes that are in no place but the private key: what a search for it looks for.
    /// For an Ed25519 key.
    #[must_use]
    pub fn secrets(&self) -> Vec<Vec<u8>> {
        let text = self.private();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
        // The first line and a half hold what is public, the last one the comment; each of those
        // in between is enough to find the key by.
        let between = &lines[2..lines.len() - 1];
        let mut secrets: Vec<Vec<u8>> = between.iter().map(|line| line.as_bytes().to_vec()).collect();
        let decoded = Command::new("base64").args(["-d"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut decoded = decoded.expect("base64 of coreutils");
        decoded.stdin.take().expect("a pipe").write_all(lines.concat().as_bytes()).expect("written");
        let blob = decoded.wait_with_output().expect("decoded").stdout;
        // PROTOCOL.key: the seed stands in front of the second copy of the public key, which
        // stands in front of the comment.
        let public = &blob[blob.windows(11).position(|window| window == b"ssh-ed25519").expect("a name") + 15..][..32];
        let last = blob.windows(32).rposition(|window| window == public).expect("the public key");
        let seed = &blob[last - 32..last];
        secrets.push(seed.to_vec());
        secrets.push(seed.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
        secrets
    }

    /// Whether any of [`Key::secrets`] is in there.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.secrets().iter().any(|secret| contains(bytes, secret))
    }

    /// A line of the private key's text that stands nowhere else: of its second half, behind the
    /// public key.
    #[must_use]
    pub fn body(&self) -> String {
        let text = self.private();
        let lines: Vec<_> = text.lines().collect();
        // -----END…, the short last line, and the one before it.
        lines[lines.len() - 3].to_owned()
    }

    /// The public key's line.
    #[must_use]
    pub fn public(&self) -> String {
        fs::read_to_string(self.folder.path().join("key.pub")).expect("the public key")
    }

    /// `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let shown = Run::new("ssh-keygen").arg("-lf").arg(self.path()).succeed().stdout;
        shown.split(' ').nth(1).expect("a fingerprint").to_owned()
    }
}

/// Looks for the first byte first: a memory image is large, and a test is not optimised.
fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    let mut left = bytes;
    while let Some(at) = left.iter().position(|byte| byte == first) {
        left = &left[at + 1..];
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}
