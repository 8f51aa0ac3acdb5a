//! User certificates (OpenSSH's `PROTOCOL.certkeys`): whose one is, and the bytes of a new one.
//!
//! On the way in, fields are skipped, never decoded deeper: no recursion. The signature of the
//! authority is the server's business.

use std::collections::BTreeMap;

use super::{Fields, put_string, put_string_of};

/// `SSH_CERT_TYPE_USER`.
pub const USER: u32 = 1;

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

/// A certificate of an Ed25519 key for users, before its authority has signed it.
#[derive(Clone, Debug)]
pub struct Unsigned<'a> {
    /// Random bytes, so that nobody can choose what the authority signs.
    pub nonce: [u8; 32],
    /// The public key that it is for.
    pub public: [u8; 32],
    /// The serial number.
    pub serial: u64,
    /// What a server's log calls it.
    pub key_id: &'a str,
    /// The names that it is for. None would mean every one.
    pub principals: &'a [String],
    /// From when on it is valid, in seconds since 1970.
    pub after: u64,
    /// Until when.
    pub before: u64,
    /// What it allows or says beside the login, in the order of their names.
    pub extensions: &'a BTreeMap<String, String>,
    /// The authority's public key blob.
    pub authority: &'a [u8],
}

impl Unsigned<'_> {
    /// The certificate blob, once `sign` has given the authority's signature blob for all of it
    /// before that.
    ///
    /// # Errors
    /// Of `sign`.
    pub fn signed<E>(&self, sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>) -> Result<Vec<u8>, E> {
        let mut out = Vec::new();
        put_string(&mut out, b"ssh-ed25519-cert-v01@openssh.com");
        put_string(&mut out, &self.nonce);
        put_string(&mut out, &self.public);
        out.extend_from_slice(&self.serial.to_be_bytes());
        out.extend_from_slice(&USER.to_be_bytes());
        put_string(&mut out, self.key_id.as_bytes());
        put_string_of(&mut out, |list| self.principals.iter().for_each(|name| put_string(list, name.as_bytes())));
        out.extend_from_slice(&self.after.to_be_bytes());
        out.extend_from_slice(&self.before.to_be_bytes());
        // Critical options: none.
        put_string(&mut out, b"");
        put_string_of(&mut out, |list| {
            for (name, value) in self.extensions {
                put_string(list, name.as_bytes());
                // One without a value is a flag, and its data is empty, not an empty string.
                put_string_of(list, |data| {
                    if !value.is_empty() {
                        put_string(data, value.as_bytes());
                    }
                });
            }
        });
        // Reserved.
        put_string(&mut out, b"");
        put_string(&mut out, self.authority);
        let signature = sign(&out)?;
        put_string(&mut out, &signature);
        Ok(out)
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

    #[test]
    fn a_new_certificate_is_read_by_another_parser_as_it_was_meant() {
        let principals = ["git".to_owned(), "alice".to_owned()];
        let extensions = BTreeMap::from([
            ("login@github.com".to_owned(), "alice".to_owned()),
            ("permit-pty".to_owned(), String::new()),
        ]);
        let mut authority = Vec::new();
        put_string(&mut authority, b"ssh-ed25519");
        put_string(&mut authority, &[7; 32]);
        let unsigned = Unsigned {
            nonce: [9; 32],
            public: [8; 32],
            serial: u64::MAX,
            key_id: "valetkey: git",
            principals: &principals,
            after: 1_000,
            before: 2_000,
            extensions: &extensions,
            authority: &authority,
        };
        let mut to_be_signed = 0;
        let blob = unsigned.signed(|bytes| {
            to_be_signed = bytes.len();
            let mut signature = Vec::new();
            put_string(&mut signature, b"ssh-ed25519");
            put_string(&mut signature, &[6; 64]);
            Ok::<_, ()>(signature)
        });
        let blob = blob.unwrap();
        let read = ssh_key::Certificate::from_bytes(&blob).unwrap();
        assert_eq!(
            (read.serial(), read.key_id(), read.valid_principals()),
            (u64::MAX, "valetkey: git", &principals[..])
        );
        assert_eq!((read.valid_after(), read.valid_before()), (1_000, 2_000));
        assert!(read.cert_type().is_user() && read.critical_options().is_empty());
        let extensions: Vec<_> =
            read.extensions().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(extensions, [("login@github.com", "alice"), ("permit-pty", "")]);
        assert_eq!(read.signature_key().ed25519().unwrap().0, [7; 32]);
        assert_eq!(read.signature().as_bytes(), [6; 64]);
        assert_eq!(blob.len() - to_be_signed, 4 + 4 + 11 + 4 + 64);
        let certified = Certified::parse(&blob).unwrap();
        assert_eq!((certified.purpose, certified.key), (USER, key("ssh-ed25519", &[8; 32])));
    }
}
