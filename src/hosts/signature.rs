//! Checks an SSH signature with a host's or CA's key, both as raw blobs.
//!
//! Owns: ed25519 (RFC 8709), ECDSA P-256/384/521 (RFC 5656), RSA with SHA-2 (RFC 8332).
//! Refuses everything else: SHA-1, DSA, security keys, and RSA outside 2048–8192 bits.
//! Blobs are attacker's data: every read is bounded and nothing here recurses.

use aws_lc_rs::signature::{self as aws, EcdsaVerificationAlgorithm, RsaParameters};

/// Longest blob that is looked into, in bytes (an RSA-8192 certificate signed with RSA-8192
/// takes under 6 kB).
pub const MAX_BLOB: usize = 64 * 1024;

/// Reads SSH's binary types (RFC 4251 section 5) off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads `bytes` from their start.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// `byte`.
    pub fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// `uint32`.
    pub fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    /// `uint64`.
    pub fn u64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*bytes))
    }

    /// `string`, and the bytes of an `mpint`.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = usize::try_from(ahead.u32()?).ok()?;
        let (bytes, rest) = ahead.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// `mpint` that is not negative, without its leading zero bytes.
    pub fn unsigned(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|first| first & 0x80 != 0) {
            return None;
        }
        let zeros = bytes.iter().take_while(|&&b| b == 0).count();
        bytes.get(zeros..)
    }

    /// Succeeds at the end.
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Whether `signature` (an SSH signature blob) over `data` was made by the key in `key_blob`.
/// False for everything that is damaged, unknown or too weak.
#[must_use]
pub fn verify(key_blob: &[u8], signature: &[u8], data: &[u8]) -> bool {
    try_verify(key_blob, signature, data).is_some()
}

fn try_verify(key_blob: &[u8], signature: &[u8], data: &[u8]) -> Option<()> {
    if key_blob.len() > MAX_BLOB || signature.len() > MAX_BLOB {
        return None;
    }
    let mut key = Reader::new(key_blob);
    let mut sig = Reader::new(signature);
    let key_type = key.string()?;
    let algorithm = sig.string()?;
    let value = sig.string()?;
    sig.end()?;
    match (key_type, algorithm) {
        (b"ssh-ed25519", b"ssh-ed25519") => {
            let public = key.string()?;
            key.end()?;
            aws::UnparsedPublicKey::new(&aws::ED25519, public).verify(data, value).ok()
        }
        (b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp256") => {
            ecdsa(key, b"nistp256", &aws::ECDSA_P256_SHA256_FIXED, 32, value, data)
        }
        (b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp384") => {
            ecdsa(key, b"nistp384", &aws::ECDSA_P384_SHA384_FIXED, 48, value, data)
        }
        (b"ecdsa-sha2-nistp521", b"ecdsa-sha2-nistp521") => {
            ecdsa(key, b"nistp521", &aws::ECDSA_P521_SHA512_FIXED, 66, value, data)
        }
        (b"ssh-rsa", b"rsa-sha2-256") => rsa(key, &aws::RSA_PKCS1_2048_8192_SHA256, value, data),
        (b"ssh-rsa", b"rsa-sha2-512") => rsa(key, &aws::RSA_PKCS1_2048_8192_SHA512, value, data),
        _ => None,
    }
}

fn ecdsa(
    mut key: Reader<'_>,
    curve: &[u8],
    algorithm: &'static EcdsaVerificationAlgorithm,
    width: usize,
    value: &[u8],
    data: &[u8],
) -> Option<()> {
    if key.string()? != curve {
        return None;
    }
    let point = key.string()?;
    key.end()?;
    let mut value = Reader::new(value);
    let (r, s) = (value.unsigned()?, value.unsigned()?);
    value.end()?;
    let mut fixed = Vec::with_capacity(2 * width);
    for part in [r, s] {
        fixed.resize(fixed.len() + width.checked_sub(part.len())?, 0);
        fixed.extend_from_slice(part);
    }
    aws::UnparsedPublicKey::new(algorithm, point).verify(data, &fixed).ok()
}

fn rsa(mut key: Reader<'_>, parameters: &'static RsaParameters, value: &[u8], data: &[u8]) -> Option<()> {
    let (e, n) = (key.unsigned()?, key.unsigned()?);
    key.end()?;
    // A signature that lost its leading zero bytes is as long as OpenSSH accepts it, and the
    // library wants it as long as the modulus.
    let mut padded = vec![0; n.len().checked_sub(value.len())?];
    padded.extend_from_slice(value);
    aws::RsaPublicKeyComponents { n, e }.verify(parameters, data, &padded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_is_longer_than_what_is_there_is_not_read() {
        let mut reader = Reader::new(&[0, 0, 0, 2, 1]);
        assert_eq!(reader.string(), None);
        let mut reader = Reader::new(&[0xff; 4]);
        assert_eq!(reader.string(), None);
        let mut reader = Reader::new(&[0, 0, 0, 1, 1]);
        assert_eq!(reader.string(), Some(&[1][..]));
        assert_eq!(reader.end(), Some(()));
    }

    #[test]
    fn a_number_is_not_negative_and_has_no_leading_zeros() {
        assert_eq!(Reader::new(&[0, 0, 0, 1, 0x80]).unsigned(), None);
        assert_eq!(Reader::new(&[0, 0, 0, 2, 0, 0x80]).unsigned(), Some(&[0x80][..]));
        assert_eq!(Reader::new(&[0, 0, 0, 0]).unsigned(), Some(&[][..]));
    }
}
