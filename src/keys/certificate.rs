//! The certificate beside a key: `PATH-cert.pub` (OpenSSH's `PROTOCOL.certkeys`).
//!
//! Owns one question: is it a user certificate for this very key? The signature of the
//! authority is the server's business. Fields are skipped, never decoded deeper: no recursion.

use std::path::{Path, PathBuf};

use super::reader::Reader;
use super::{pasted, stdin};
use crate::wire::put_string;

/// `SSH_CERT_TYPE_USER`.
const USER: u32 = 1;

/// Why the certificate beside a key is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable,
    /// It does not parse.
    #[error("it is not an SSH certificate, or it is damaged")]
    Malformed,
    /// It certifies another key.
    #[error("it belongs to another key")]
    OtherKey,
    /// It certifies a host.
    #[error("it is a host certificate, not a user's")]
    Host,
}

/// Where the certificate of a key file is, as ssh and ssh-add look for it.
#[must_use]
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-cert.pub");
    PathBuf::from(name)
}

/// The certificate blob beside `path`, if there is one.
///
/// # Errors
/// When there is a file of that name, and it is no user certificate for `key`.
pub fn read(path: &Path, key: &[u8]) -> Result<Option<Vec<u8>>, CertificateError> {
    let file = match std::fs::File::open(beside(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(CertificateError::Unreadable),
    };
    let text = stdin::bounded(&mut &file).map_err(|_| CertificateError::Unreadable)?;
    parse(text.expose(), key).map(Some)
}

/// The blob of a certificate's line, checked against the key's own blob.
fn parse(text: &[u8], key: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let malformed = CertificateError::Malformed;
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let name = words.next().ok_or(malformed)?;
    let base64 = words.next().ok_or(malformed)?;
    let blob = pasted::unwrapped(base64).ok_or(malformed)?.to_vec();
    let certified = fields(&blob).ok_or(malformed)?;
    if certified.name != name {
        return Err(malformed);
    }
    if certified.key != key {
        return Err(CertificateError::OtherKey);
    }
    if certified.purpose != USER {
        return Err(CertificateError::Host);
    }
    Ok(blob)
}

/// The blob of the key inside a certificate blob; `None` if it is no certificate.
pub(super) fn plain(blob: &[u8]) -> Option<Vec<u8>> {
    fields(blob).map(|certified| certified.key)
}

struct Certified<'a> {
    name: &'a [u8],
    key: Vec<u8>,
    purpose: u32,
}

/// A nonce, the fields of the public key, the serial number, and what it is for.
fn fields(blob: &[u8]) -> Option<Certified<'_>> {
    let mut reader = Reader::new(blob);
    let name = reader.string().ok()?;
    let plain = name.strip_suffix(b"-cert-v01@openssh.com")?;
    let (count, suffix): (_, &[u8]) = match plain {
        b"ssh-ed25519" => (1, b""),
        b"ssh-rsa" | b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => (2, b""),
        b"sk-ssh-ed25519" => (2, b"@openssh.com"),
        b"sk-ecdsa-sha2-nistp256" => (3, b"@openssh.com"),
        _ => return None,
    };
    reader.string().ok()?;
    let mut key = Vec::with_capacity(blob.len());
    put_string(&mut key, &[plain, suffix].concat());
    for _ in 0..count {
        put_string(&mut key, reader.string().ok()?);
    }
    reader.take(8).ok()?;
    Some(Certified { name, key, purpose: reader.u32().ok()? })
}
