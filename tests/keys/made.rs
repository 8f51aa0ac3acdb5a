//! Keys made at run time by the real tools, one of each kind for the whole run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use base64ct::{Base64, Encoding as _};
use tempfile::TempDir;

/// Every kind of key that signs in memory.
pub(crate) const KINDS: [Kind; 5] = [Kind::Ed25519, Kind::P256, Kind::P384, Kind::P521, Kind::Rsa];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ed25519,
    P256,
    P384,
    P521,
    Rsa,
}

impl Kind {
    fn options(self) -> [&'static str; 4] {
        match self {
            Self::Ed25519 => ["-t", "ed25519", "-b", "256"],
            Self::P256 => ["-t", "ecdsa", "-b", "256"],
            Self::P384 => ["-t", "ecdsa", "-b", "384"],
            Self::P521 => ["-t", "ecdsa", "-b", "521"],
            Self::Rsa => ["-t", "rsa", "-b", "2048"],
        }
    }
}

/// A key in OpenSSH's format, and what belongs to it.
pub(crate) struct Made {
    pub(crate) text: String,
    /// The line of the `.pub` file.
    pub(crate) line: String,
    pub(crate) blob: Vec<u8>,
}

/// The comment of every made key.
pub(crate) const COMMENT: &str = "made for a test";

/// The one key of this kind.
pub(crate) fn key(kind: Kind) -> &'static Made {
    static KEYS: [OnceLock<Made>; 5] = [const { OnceLock::new() }; 5];
    KEYS[kind as usize].get_or_init(|| {
        let folder = folder();
        let path = folder.path().join("key");
        let [t, kind, b, bits] = kind.options();
        run("ssh-keygen", &["-q", t, kind, b, bits, "-N", "", "-C", COMMENT, "-f", path_str(&path)]);
        let line = std::fs::read_to_string(path.with_extension("pub")).expect("a public key");
        let text = std::fs::read_to_string(&path).expect("a private key");
        Made { blob: blob(&line), line, text }
    })
}

/// The blob in a line of a `.pub` file.
pub(crate) fn blob(line: &str) -> Vec<u8> {
    let base64 = line.split_whitespace().nth(1).expect("a second word");
    Base64::decode_vec(base64).expect("base64")
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) fn path_str(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Writes a file that only its owner can read.
pub(crate) fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = folder.join(name);
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).expect("a file");
    file.write_all(text.as_ref()).expect("written");
    path
}

/// Runs a tool that must succeed; its standard output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same key in another container of ssh-keygen's: `PEM` or `PKCS8`.
pub(crate) fn as_format(kind: Kind, format: &str) -> String {
    let folder = folder();
    let path = write(folder.path(), "key", &key(kind).text);
    run("ssh-keygen", &["-q", "-p", "-m", format, "-P", "", "-N", "", "-f", path_str(&path)]);
    std::fs::read_to_string(path).expect("a converted key")
}

/// What `openssl` prints about a key that it reads from a file.
pub(crate) fn openssl(key: &str, arguments: &[&str]) -> String {
    let folder = folder();
    let path = write(folder.path(), "key", key);
    let mut all = arguments.to_vec();
    all.extend(["-in", path_str(&path)]);
    String::from_utf8(run("openssl", &all)).expect("PEM")
}
