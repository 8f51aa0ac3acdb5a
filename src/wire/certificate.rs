//! User certificates (OpenSSH's `PROTOCOL.certkeys`), as far as it takes to say whose they are.
//!
//! Fields are skipped, never decoded deeper: no recursion. The signature of the authority is
//! the server's business.

use super::{Fields, put_string};

/// The first fields of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified<'a> {
    /// The certificate's type.
    pub name: &'a [u8],
    /// The blob of the key inside, as it is without a certificate.
    pub key: Vec<u8>,
    /// What it is for: 1 is a user, 2 a host.
    pub purpose: u32,
}

impl<'a> Certified<'a> {
    /// A nonce, the fields of the public key, the serial number, and what it is for. `None`
    /// where the blob is no certificate.
    #[must_use]
    pub fn parse(blob: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(blob);
        let name = fields.string().ok()?;
        let plain = name.strip_suffix(b"-cert-v01@openssh.com")?;
        let (count, suffix): (_, &[u8]) = match plain {
            b"ssh-ed25519" => (1, b""),
            b"ssh-rsa" | b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => (2, b""),
            b"sk-ssh-ed25519" => (2, b"@openssh.com"),
            b"sk-ecdsa-sha2-nistp256" => (3, b"@openssh.com"),
            _ => return None,
        };
        fields.string().ok()?;
        let mut key = Vec::with_capacity(blob.len());
        put_string(&mut key, &[plain, suffix].concat());
        for _ in 0..count {
            put_string(&mut key, fields.string().ok()?);
        }
        fields.uint64().ok()?;
        Some(Self { name, key, purpose: fields.uint32().ok()? })
    }
}

/// Whether `blob` is a certificate for the key of this blob.
#[must_use]
pub fn certifies(blob: &[u8], key: &[u8]) -> bool {
    Certified::parse(blob).is_some_and(|certified| certified.key == key)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn certificate(kind: &str, public: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, format!("{kind}-cert-v01@openssh.com").as_bytes());
        put_string(&mut blob, b"nonce");
        put_string(&mut blob, public);
        blob.extend([0; 8]);
        blob.extend([0, 0, 0, 1]);
        blob
    }

    fn key(kind: &str, public: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, kind.as_bytes());
        put_string(&mut blob, public);
        blob
    }

    #[test]
    fn a_certificate_is_for_its_own_key_and_no_other() {
        let blob = certificate("ssh-ed25519", b"public");
        assert!(certifies(&blob, &key("ssh-ed25519", b"public")));
        assert!(!certifies(&blob, &key("ssh-ed25519", b"publi")));
        assert!(!certifies(&blob, &key("ssh-ed448", b"public")));
        assert!(!certifies(&blob, &blob));
        assert!(!certifies(&key("ssh-ed25519", b"public"), &key("ssh-ed25519", b"public")));
    }

    #[test]
    fn a_certificate_cut_anywhere_is_none() {
        let blob = certificate("ssh-ed25519", b"public");
        assert!((0..blob.len()).all(|length| Certified::parse(&blob[..length]).is_none()));
    }
}
