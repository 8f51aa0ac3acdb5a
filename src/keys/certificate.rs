//! The certificate beside a key: `PATH-cert.pub` (OpenSSH's `PROTOCOL.certkeys`).
//!
//! Owns one question: is it a user certificate for this very key?

use std::path::{Path, PathBuf};

use super::{SOURCE_LIMIT, pasted, stdin};
use crate::wire::certificate::{Certified, USER};

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
    let text = stdin::bounded(&mut &file, SOURCE_LIMIT).map_err(|_| CertificateError::Unreadable)?;
    parse(text.expose(), key).map(Some)
}

/// The blob of a certificate's line, checked against the key's own blob.
fn parse(text: &[u8], key: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let malformed = CertificateError::Malformed;
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let name = words.next().ok_or(malformed)?;
    let base64 = words.next().ok_or(malformed)?;
    let blob = pasted::unwrapped(base64).ok_or(malformed)?.to_vec();
    let certified = Certified::parse(&blob).ok_or(malformed)?;
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
    Certified::parse(blob).map(|certified| certified.key)
}
