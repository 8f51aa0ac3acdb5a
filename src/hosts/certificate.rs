//! OpenSSH host certificates (PROTOCOL.certkeys; draft-miller-ssh-cert): a bounded parser that
//! never recurses, and the judgement whether one is good for a host.
//!
//! Refuses: user certificates, critical options (none is defined for hosts), an empty list of
//! principals (OpenSSH reads that as "any host"; a pin names one), a CA that is itself a
//! certificate, and signatures with SHA-1.

use super::signature::{MAX_BLOB, verify};
use crate::wire::key_type;
use crate::wire::{Fields, put_string};

/// Most principals of one certificate (OpenSSH's `SSHKEY_CERT_MAX_PRINCIPALS`).
pub const MAX_PRINCIPALS: usize = 256;
/// How the type of every certificate ends.
const SUFFIX: &str = "-cert-v01@openssh.com";
/// `SSH2_CERT_TYPE_HOST`.
const TYPE_HOST: u32 = 2;

/// A host certificate whose signature by [`Self::authority`] was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCertificate {
    /// Blob of the certified key, as it would be without the certificate.
    pub key: Vec<u8>,
    /// Blob of the CA's key.
    pub authority: Vec<u8>,
    /// Names that it is valid for. Never empty. May hold `*` and `?`.
    pub principals: Vec<String>,
    /// Unix seconds; valid from here on.
    pub valid_after: u64,
    /// Unix seconds; no longer valid from here on.
    pub valid_before: u64,
}

/// Whether a blob says that it is a certificate.
#[must_use]
pub fn is_certificate(blob: &[u8]) -> bool {
    key_type(blob).is_some_and(|name| name.ends_with(SUFFIX))
}

/// The certified key's own blob, where the certificate can be read that far. The signature is
/// not looked at: this is how ssh falls back to the plain key when no CA is known.
#[must_use]
pub fn certified_key(blob: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Fields::new(bounded(blob)?);
    read_key(&mut reader)
}

fn bounded(blob: &[u8]) -> Option<&[u8]> {
    (blob.len() <= MAX_BLOB).then_some(blob)
}

/// Reads type, nonce and public key; returns the plain key's blob.
fn read_key(reader: &mut Fields<'_>) -> Option<Vec<u8>> {
    let name = std::str::from_utf8(reader.string().ok()?).ok()?.strip_suffix(SUFFIX)?;
    let _nonce = reader.string().ok()?;
    let parts = match name {
        "ssh-ed25519" => 1,
        // Curve and point; e and n.
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" | "ssh-rsa" => 2,
        _ => return None,
    };
    let mut key = Vec::new();
    put_string(&mut key, name.as_bytes());
    for _ in 0..parts {
        put_string(&mut key, reader.string().ok()?);
    }
    Some(key)
}

impl HostCertificate {
    /// Reads a host certificate and checks its CA's signature. `None` for anything else,
    /// trailing bytes included. Whether the CA is trusted, and the certificate valid now and
    /// for a name, is for the caller to ask.
    #[must_use]
    pub fn parse(blob: &[u8]) -> Option<Self> {
        let blob = bounded(blob)?;
        let mut reader = Fields::new(blob);
        let key = read_key(&mut reader)?;
        let _serial = reader.uint64().ok()?;
        if reader.uint32().ok()? != TYPE_HOST {
            return None;
        }
        let _key_id = reader.string().ok()?;
        let principals = read_principals(reader.string().ok()?)?;
        let (valid_after, valid_before) = (reader.uint64().ok()?, reader.uint64().ok()?);
        let critical_options = reader.string().ok()?;
        let _extensions = reader.string().ok()?;
        let _reserved = reader.string().ok()?;
        let authority = reader.string().ok()?;
        let signed = blob.get(..blob.len() - reader.rest().len())?;
        let signature = reader.string().ok()?;
        reader.end().ok()?;
        let good = critical_options.is_empty() && !is_certificate(authority) && verify(authority, signature, signed);
        good.then(|| Self { key, authority: authority.into(), principals, valid_after, valid_before })
    }

    /// Whether it is valid at `now` (unix seconds) for `host`: a name in lower case, without port.
    #[must_use]
    pub fn is_valid_for(&self, host: &str, now: u64) -> bool {
        self.is_valid_at(now) && self.principals.iter().any(|p| super::pattern::wildcard(p.as_bytes(), host.as_bytes()))
    }

    /// Whether it is valid at `now` (unix seconds).
    #[must_use]
    pub fn is_valid_at(&self, now: u64) -> bool {
        self.valid_after <= now && now < self.valid_before
    }
}

fn read_principals(field: &[u8]) -> Option<Vec<String>> {
    let mut reader = Fields::new(field);
    let mut principals = Vec::new();
    while !reader.rest().is_empty() {
        if principals.len() == MAX_PRINCIPALS {
            return None;
        }
        principals.push(std::str::from_utf8(reader.string().ok()?).ok()?.to_ascii_lowercase());
    }
    (!principals.is_empty()).then_some(principals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principals(count: usize) -> Option<Vec<String>> {
        let mut field = Vec::new();
        for _ in 0..count {
            put_string(&mut field, b"a");
        }
        read_principals(&field)
    }

    #[test]
    fn as_many_principals_as_openssh_takes_and_not_one_more() {
        assert_eq!(principals(0), None);
        assert_eq!(principals(MAX_PRINCIPALS).unwrap().len(), MAX_PRINCIPALS);
        assert_eq!(principals(MAX_PRINCIPALS + 1), None);
    }

    #[test]
    fn an_oversized_blob_is_not_looked_into() {
        let mut blob = Vec::new();
        for part in [&b"ssh-ed25519-cert-v01@openssh.com"[..], b"nonce", &[7; 32]] {
            put_string(&mut blob, part);
        }
        blob.resize(MAX_BLOB, 0);
        assert!(certified_key(&blob).is_some());
        blob.push(0);
        assert_eq!(certified_key(&blob), None);
    }
}
