//! Checks an SSH signature with a host's or CA's key, both as raw blobs.
//!
//! Owns: ed25519 (RFC 8709), ECDSA P-256/384/521 (RFC 5656), RSA with SHA-2 (RFC 8332).
//! Refuses everything else: SHA-1, DSA, security keys, and RSA outside 2048–8192 bits.
//! Blobs are attacker's data: every read is bounded and nothing here recurses.

use aws_lc_rs::signature::{self as aws, EcdsaVerificationAlgorithm, RsaParameters};

use crate::wire::Fields;

/// Longest blob that is looked into, in bytes (an RSA-8192 certificate signed with RSA-8192
/// takes under 6 kB).
pub const MAX_BLOB: usize = 64 * 1024;

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
    let mut key = Fields::new(key_blob);
    let mut sig = Fields::new(signature);
    let key_type = key.string().ok()?;
    let algorithm = sig.string().ok()?;
    let value = sig.string().ok()?;
    sig.end().ok()?;
    match (key_type, algorithm) {
        (b"ssh-ed25519", b"ssh-ed25519") => {
            let public = key.string().ok()?;
            key.end().ok()?;
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
    mut key: Fields<'_>,
    curve: &[u8],
    algorithm: &'static EcdsaVerificationAlgorithm,
    width: usize,
    value: &[u8],
    data: &[u8],
) -> Option<()> {
    if key.string().ok()? != curve {
        return None;
    }
    let point = key.string().ok()?;
    key.end().ok()?;
    let mut value = Fields::new(value);
    let (r, s) = (value.unsigned().ok()?, value.unsigned().ok()?);
    value.end().ok()?;
    let mut fixed = Vec::with_capacity(2 * width);
    for part in [r, s] {
        fixed.resize(fixed.len() + width.checked_sub(part.len())?, 0);
        fixed.extend_from_slice(part);
    }
    aws::UnparsedPublicKey::new(algorithm, point).verify(data, &fixed).ok()
}

fn rsa(mut key: Fields<'_>, parameters: &'static RsaParameters, value: &[u8], data: &[u8]) -> Option<()> {
    let (e, n) = (key.unsigned().ok()?, key.unsigned().ok()?);
    key.end().ok()?;
    // A signature that lost its leading zero bytes is as long as OpenSSH accepts it, and the
    // library wants it as long as the modulus.
    let mut padded = vec![0; n.len().checked_sub(value.len())?];
    padded.extend_from_slice(value);
    aws::RsaPublicKeyComponents { n, e }.verify(parameters, data, &padded).ok()
}
