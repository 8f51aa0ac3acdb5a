//! Keys that `ssh-keygen` makes at run time.

use std::fs;
use std::path::PathBuf;

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
