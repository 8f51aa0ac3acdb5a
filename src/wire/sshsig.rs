//! SSH signatures of files: OpenSSH's PROTOCOL.sshsig, version 1.
//!
//! PURE bytes ↔ types: nothing here signs or verifies, and no key is decoded. Reads one armoured
//! signature and nothing beside it; refuses versions, digests and lengths that it does not know.

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding as _};

use super::{Fields, Malformed, put_string};

const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// Characters of base64 in a line, as ssh-keygen writes it.
const LINE: usize = 70;
/// The longest armoured signature that is read, in bytes: one of RSA-8192 takes under 4 KiB.
pub const MAX_ARMOURED: usize = 16 * 1024;

/// How the message is hashed before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// `sha256`
    Sha256,
    /// `sha512`, which ssh-keygen uses where nobody says otherwise.
    Sha512,
}

impl Hash {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Sha256 => b"sha256",
            Self::Sha512 => b"sha512",
        }
    }

    fn of(self, message: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message)
    }
}

/// A signature with what it says of itself. Nothing of it is to be believed before it was
/// verified, and the namespace not before it was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSig {
    /// Key blob of who signed.
    pub public_key: Vec<u8>,
    /// What the signature is for.
    pub namespace: String,
    /// How the message was hashed.
    pub hash: Hash,
    /// SSH signature blob over [`signed_data`].
    pub signature: Vec<u8>,
}

/// What the key signs (PROTOCOL.sshsig section 3).
#[must_use]
pub fn signed_data(namespace: &str, hash: Hash, message: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_string(&mut out, namespace.as_bytes());
    put_string(&mut out, b"");
    put_string(&mut out, hash.name());
    put_string(&mut out, hash.of(message).as_ref());
    out
}

impl SshSig {
    /// The signature as `ssh-keygen -Y verify` reads it (PROTOCOL.sshsig section 2).
    #[must_use]
    pub fn armoured(&self) -> String {
        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&VERSION.to_be_bytes());
        put_string(&mut blob, &self.public_key);
        put_string(&mut blob, self.namespace.as_bytes());
        put_string(&mut blob, b"");
        put_string(&mut blob, self.hash.name());
        put_string(&mut blob, &self.signature);
        let base64 = Base64::encode_string(&blob);
        let mut out = String::with_capacity(base64.len() + base64.len() / LINE + 64);
        out.push_str(BEGIN);
        for (at, c) in base64.chars().enumerate() {
            if at % LINE == 0 {
                out.push('\n');
            }
            out.push(c);
        }
        out.push('\n');
        out.push_str(END);
        out.push('\n');
        out
    }

    /// Reads an armoured signature.
    ///
    /// # Errors
    /// [`Malformed`] for anything but exactly one whole signature of version 1, with whitespace
    /// around it at most.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_ARMOURED {
            return Err(Malformed::Field("length"));
        }
        let body = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body = body.ok_or(Malformed::Field("armour"))?;
        let base64: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let blob = Base64::decode_vec(&base64).map_err(|_| Malformed::Field("base64"))?;
        let mut fields = Fields::new(blob.strip_prefix(MAGIC).ok_or(Malformed::Field("magic"))?);
        if fields.uint32()? != VERSION {
            return Err(Malformed::Field("version"));
        }
        let public_key = fields.string()?.to_vec();
        let namespace = std::str::from_utf8(fields.string()?).map_err(|_| Malformed::Field("namespace"))?.to_owned();
        // The reserved field is ignored, as the protocol says; it is signed as an empty one.
        let _reserved = fields.string()?;
        let hash = match fields.string()? {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            _ => return Err(Malformed::Field("hash algorithm")),
        };
        let signature = fields.string()?.to_vec();
        fields.end()?;
        // An empty namespace is never valid (section 3).
        if namespace.is_empty() {
            return Err(Malformed::Field("namespace"));
        }
        Ok(Self { public_key, namespace, hash, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SshSig {
        SshSig { public_key: vec![1; 51], namespace: "file".into(), hash: Hash::Sha512, signature: vec![2; 83] }
    }

    #[test]
    fn what_was_written_reads_back() {
        for hash in [Hash::Sha256, Hash::Sha512] {
            let signature = SshSig { hash, ..sample() };
            assert_eq!(SshSig::parse(&signature.armoured()), Ok(signature));
        }
        assert!(sample().armoured().lines().all(|line| line.len() <= LINE));
    }

    #[test]
    fn a_signature_at_the_limit_is_read_and_a_longer_one_is_not() {
        let text = sample().armoured();
        let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
        assert!(SshSig::parse(&padded(MAX_ARMOURED)).is_ok());
        assert_eq!(SshSig::parse(&padded(MAX_ARMOURED + 1)), Err(Malformed::Field("length")));
    }

    #[test]
    fn every_cut_and_whatever_stands_beside_a_signature_is_refused() {
        let text = sample().armoured();
        for cut in 0..text.trim_end().len() {
            assert!(SshSig::parse(&text[..cut]).is_err(), "cut at {cut}");
        }
        assert!(SshSig::parse(&format!("{text}{text}")).is_err());
        assert!(SshSig::parse(&format!("x{text}")).is_err());
        assert!(SshSig::parse(&format!("{text}x")).is_err());
    }

    #[test]
    fn another_version_magic_or_hash_an_empty_namespace_and_trailing_bytes_are_refused() {
        let blob = |magic: &[u8], version: u32, namespace: &str, hash: &[u8], behind: &[u8]| {
            let mut out = magic.to_vec();
            out.extend_from_slice(&version.to_be_bytes());
            for field in [b"key".as_slice(), namespace.as_bytes(), b"", hash, b"signature"] {
                put_string(&mut out, field);
            }
            out.extend_from_slice(behind);
            format!("{BEGIN}\n{}\n{END}\n", Base64::encode_string(&out))
        };
        assert!(SshSig::parse(&blob(MAGIC, 1, "n", b"sha512", b"")).is_ok());
        for (text, why) in [
            (blob(b"SSHSIX", 1, "n", b"sha512", b""), Malformed::Field("magic")),
            (blob(MAGIC, 2, "n", b"sha512", b""), Malformed::Field("version")),
            (blob(MAGIC, 1, "", b"sha512", b""), Malformed::Field("namespace")),
            (blob(MAGIC, 1, "n", b"sha1", b""), Malformed::Field("hash algorithm")),
            (blob(MAGIC, 1, "n", b"sha512", b"x"), Malformed::Trailing),
        ] {
            assert_eq!(SshSig::parse(&text), Err(why));
        }
    }
}
