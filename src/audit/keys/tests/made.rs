//! Keys made at run time by ssh-keygen, openssl and gpg, once for all tests.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A key, and what its own tools say of it.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) rule: &'static str,
    pub(super) kind: String,
    pub(super) fingerprint: Option<String>,
    pub(super) encrypted: bool,
}

/// Whether it can stand anywhere in a binary; the others are texts.
impl Made {
    pub(super) fn is_binary(&self) -> bool {
        self.name.ends_with(".der")
    }
}

const SCRIPT: &str = r#"
set -e
exec 2>log
ssh() { ssh-keygen -q -t "$1" -b "$2" -N "$3" -C "a comment" -f "$4"; }
ssh ed25519 256 '' ed25519.openssh
ssh rsa 2048 '' rsa.openssh
for bits in 256 384 521; do ssh ecdsa $bits '' ecdsa$bits.openssh; done
for cipher in aes256-ctr aes256-gcm@openssh.com chacha20-poly1305@openssh.com aes128-cbc; do
  cp ed25519.openssh locked-$cipher.openssh
  ssh-keygen -q -p -P '' -N secret -a 1 -Z $cipher -f locked-$cipher.openssh
done
for kind in rsa ecdsa256 ecdsa384 ecdsa521; do
  cp $kind.openssh $kind.pem; ssh-keygen -q -p -P '' -N '' -m PEM -f $kind.pem
  cp $kind.openssh $kind-8.pem; ssh-keygen -q -p -P '' -N '' -m PKCS8 -f $kind-8.pem
  cp $kind.openssh $kind-locked.pem; ssh-keygen -q -p -P '' -N secret -m PEM -f $kind-locked.pem
  cp $kind.openssh $kind-8-locked.pem; ssh-keygen -q -p -P '' -N secret -m PKCS8 -f $kind-8-locked.pem
  openssl pkcs8 -topk8 -nocrypt -in $kind.pem -outform DER -out $kind-8.der
  openssl pkcs8 -topk8 -passout pass:secret -iter 1 -in $kind.pem -outform DER -out $kind-8-locked.der
done
openssl rsa -in rsa.pem -traditional -outform DER -out rsa.der
for bits in 256 384 521; do openssl ec -in ecdsa$bits.pem -outform DER -out ecdsa$bits.der; done
openssl ec -in ecdsa256.pem -no_public -outform DER -out ecdsa256-bare.der
openssl pkcs8 -topk8 -scrypt -scrypt_N 2 -passout pass:secret -in rsa.pem -out rsa-scrypt.pem
for kind in ed25519 ed448 x25519 x448; do
  openssl genpkey -algorithm $kind -out $kind-8.pem
  openssl pkey -in $kind-8.pem -outform DER -out $kind-8.der
  openssl pkey -in $kind-8.pem -pubout -outform DER -out $kind.public
done
openssl genrsa -primes 3 -traditional -out rsa3.pem 2048
openssl rsa -in rsa3.pem -traditional -outform DER -out rsa3.der
openssl rsa -in rsa3.pem -pubout -out rsa3.pub.pem
ssh-keygen -i -m PKCS8 -f rsa3.pub.pem >rsa3.pub
openssl ecparam -name secp256k1 -genkey -noout -out k1.pem
openssl ec -in k1.pem -outform DER -out k1.der
openssl ec -in k1.pem -pubout -outform DER -out k1.public
openssl ec -in ecdsa256.pem -param_enc explicit -out ecdsa256-explicit.pem
openssl req -x509 -new -key rsa.pem -subj /CN=a -days 1 -out rsa.certificate
openssl x509 -in rsa.certificate -outform DER -out rsa.certificate.x509
openssl pkcs12 -export -inkey rsa.pem -in rsa.certificate -passout pass:secret -out rsa.p12
openssl pkcs12 -export -nokeys -in rsa.certificate -passout pass:secret -out empty.p12x
"#;

const GPG: &str = r#"
set -e
exec 2>log
export GNUPGHOME=$PWD/home
mkdir -m 700 home
trap 'gpgconf --kill all' EXIT
make() { gpg -q --batch --pinentry-mode loopback --passphrase "$1" --quick-generate-key "$2" "$3" default never; }
make '' a rsa2048; make '' b ed25519/cert; make '' c nistp256; make '' d dsa1024
gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-generate-key e future-default
make secret f ed25519/cert; make secret g rsa1024
for name in a b c d e f g; do
  gpg --batch --pinentry-mode loopback --passphrase secret --export-secret-keys =$name >$name.pgp
  gpg --batch --pinentry-mode loopback --passphrase secret --armor --export-secret-keys =$name >$name.asc
  gpg --batch --export =$name >$name.public
  gpg --list-secret-keys --with-colons --with-subkey-fingerprint =$name | grep ^fpr | cut -d: -f10 >$name.fpr
done
"#;

type Files = Vec<(String, Vec<u8>)>;

fn made_once() -> &'static (Vec<Made>, Files) {
    static MADE: OnceLock<(Vec<Made>, Files)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = run(SCRIPT);
        let mut keys: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .filter_map(|entry| made(&entry.expect("an entry").path()))
            .collect();
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        (keys, public_files(folder.path()))
    })
}

/// Every key of ssh-keygen's and openssl's.
pub(super) fn keys() -> &'static [Made] {
    &made_once().0
}

/// What the tools made that is no private key: public keys, certificates, a store without keys.
pub(super) fn public() -> &'static [(String, Vec<u8>)] {
    &made_once().1
}

fn public_files(folder: &Path) -> Files {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let ends = [".pub", ".public", ".certificate", ".x509", ".p12x", ".pub.pem"];
        if ends.iter().any(|end| name.ends_with(end)) {
            all.push((name, std::fs::read(path).expect("a file")));
        }
    }
    all
}

/// A keyring of gpg's: its name, both forms, whether encrypted, the fingerprints that gpg prints.
pub(super) struct Keyring {
    pub(super) name: char,
    pub(super) binary: Vec<u8>,
    pub(super) armoured: Vec<u8>,
    pub(super) public: Vec<u8>,
    pub(super) encrypted: bool,
    pub(super) fingerprints: Vec<String>,
}

/// A file of GnuPG's store, whether it is protected, and its name.
pub(super) type Stored = (Vec<u8>, bool, String);

pub(super) fn keyrings() -> &'static [Keyring] {
    &made_by_gpg().0
}

pub(super) fn stored() -> &'static [Stored] {
    &made_by_gpg().1
}

fn made_by_gpg() -> &'static (Vec<Keyring>, Vec<Stored>) {
    static KEYRINGS: OnceLock<(Vec<Keyring>, Vec<Stored>)> = OnceLock::new();
    KEYRINGS.get_or_init(|| {
        let folder = run(GPG);
        let store = std::fs::read_dir(folder.path().join("home/private-keys-v1.d")).expect("a store");
        let stored = store.map(|entry| {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a file");
            let protected = memchr::memmem::find(&bytes, b"protected-private-key").is_some();
            (bytes, protected, path.display().to_string())
        });
        let stored = stored.collect();
        let read = |name: char, end: &str| std::fs::read(folder.path().join(format!("{name}.{end}"))).expect("a file");
        let keyrings = ('a'..='g')
            .map(|name| Keyring {
                name,
                binary: read(name, "pgp"),
                armoured: read(name, "asc"),
                public: read(name, "public"),
                encrypted: matches!(name, 'f' | 'g'),
                fingerprints: String::from_utf8(read(name, "fpr")).expect("text").lines().map(str::to_owned).collect(),
            })
            .collect();
        (keyrings, stored)
    })
}

fn run(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let status = Command::new("sh").arg("-c").arg(script).current_dir(folder.path()).stdin(Stdio::null()).status();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    assert!(status.expect("a shell").success(), "ssh-keygen, openssl and gpg are needed for this test: {log}");
    folder
}

fn made(path: &Path) -> Option<Made> {
    let name = path.file_name()?.to_str()?.to_owned();
    let (stem, end) = name.rsplit_once('.')?;
    if !matches!(end, "openssh" | "pem" | "der" | "p12") || stem.ends_with(".pub") {
        return None;
    }
    let base = stem.split('-').next()?;
    let encrypted = stem.contains("locked") || stem.contains("scrypt") || end == "p12";
    let rule = match (base, end) {
        (_, "openssh") => "openssh-private-key",
        (_, "p12") => "pkcs12-keystore",
        _ if stem.contains("-8") || stem.contains("scrypt") => "pkcs8-private-key",
        ("rsa" | "rsa3", _) => "pkcs1-private-key",
        _ => "sec1-private-key",
    };
    let named = match base {
        "rsa" | "rsa3" => "ssh-rsa",
        "ecdsa256" => "ecdsa-sha2-nistp256",
        "ecdsa384" => "ecdsa-sha2-nistp384",
        "ecdsa521" => "ecdsa-sha2-nistp521",
        "ed25519" | "locked" => "ssh-ed25519",
        "k1" => "secp256k1",
        other => other,
    };
    let (kind, public) = match (encrypted, end, rule) {
        (_, "openssh", _) => (named, Some(if base == "locked" { "ed25519.openssh.pub" } else { "" })),
        (true, _, "pkcs1-private-key") => ("ssh-rsa", None),
        (true, _, "sec1-private-key") => ("ec", None),
        (true, ..) => ("unknown", None),
        (false, ..) => (named, matches!(base, "rsa" | "rsa3" | "ecdsa256" | "ecdsa384" | "ecdsa521").then_some("")),
    };
    let fingerprint = match (public, base) {
        (None, "ed25519") => Some(raw_ed25519(&path.with_file_name("ed25519.public"))),
        (None, "k1") => {
            // RFC 5656 §6.1: an SSH key on a curve that is named by its OID.
            let der = std::fs::read(path.with_file_name("k1.public")).expect("a public key");
            let point = &der[der.len() - 65..];
            let blob = [&b"\0\0\0\x17ecdsa-sha2-1.3.132.0.10\0\0\0\x0c1.3.132.0.10\0\0\0\x41"[..], point].concat();
            Some(crate::signer::fingerprint(&blob))
        }
        (None, _) => None,
        (Some(""), "rsa3") => Some(listed(&path.with_file_name("rsa3.pub"))),
        (Some(""), base) => Some(listed(&path.with_file_name(format!("{base}.openssh.pub")))),
        (Some(file), _) => Some(listed(&path.with_file_name(file))),
    };
    Some(Made { bytes: std::fs::read(path).ok()?, rule, kind: kind.to_owned(), fingerprint, encrypted, name })
}

/// What `ssh-keygen -l` prints.
fn listed(public: &Path) -> String {
    let output = Command::new("ssh-keygen").arg("-lf").arg(public).output().expect("ssh-keygen");
    let line = String::from_utf8(output.stdout).expect("text");
    line.split(' ').nth(1).unwrap_or_else(|| panic!("a fingerprint of {}", public.display())).to_owned()
}

/// Of an Ed25519 key in DER, which this ssh-keygen may not read: its last 32 bytes.
fn raw_ed25519(der: &Path) -> String {
    use base64ct::Encoding as _;
    let der = std::fs::read(der).expect("a public key");
    let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &der[der.len() - 32..]].concat();
    let file = der.len().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(file);
    std::fs::write(&path, format!("ssh-ed25519 {}\n", base64ct::Base64::encode_string(&blob))).expect("written");
    listed(&path)
}
