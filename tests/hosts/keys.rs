//! Keys and certificates made by the real ssh-keygen, at run time.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64ct::{Base64, Encoding as _};

/// A folder with keys in it.
pub(crate) struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a key of a type that `ssh-keygen -t` knows, with its bits where they matter.
    pub(crate) fn make(&self, name: &str, kind: &str, bits: Option<u32>) -> Key {
        let path = self.path(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-N", "", "-C", "made for a test", "-t", kind, "-f"]).arg(&path);
        if let Some(bits) = bits {
            command.args(["-b", &bits.to_string()]);
        }
        run(&mut command);
        Key::read(&path.with_extension("pub"))
    }

    pub(crate) fn ed25519(&self, name: &str) -> Key {
        self.make(name, "ed25519", None)
    }

    /// Signs key `key` with CA `ca`; `options` as ssh-keygen takes them. Returns the certificate.
    pub(crate) fn certify(&self, ca: &str, key: &str, options: &[&str]) -> Key {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-I", "test", "-s"]).arg(self.path(ca)).args(options);
        run(command.arg(self.path(key).with_extension("pub")));
        Key::read(&self.path(&format!("{key}-cert.pub")))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// A public key or certificate.
#[derive(Clone)]
pub(crate) struct Key {
    /// `type base64`
    pub(crate) text: String,
    pub(crate) blob: Vec<u8>,
}

impl Key {
    pub(crate) fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap())
    }

    /// Reads `type base64`, whatever is behind it.
    pub(crate) fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let (kind, base64) = (words.next().unwrap(), words.next().unwrap().trim());
        Self { text: format!("{kind} {base64}"), blob: Base64::decode_vec(base64).unwrap() }
    }
}

/// Runs a tool that must succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run ({error}): install the package openssh-client"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
