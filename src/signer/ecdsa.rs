//! ECDSA on the NIST curves in memory (RFC 5656).

use crate::wire::put_string;
use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _,
};
use zeroize::Zeroizing;

use super::parts::{Curve, PartsError};
use super::{Key, SignError, Signer, blob, known_flags};

/// First byte of an uncompressed point (SEC 1 section 2.3.3), the only form SSH uses.
const UNCOMPRESSED: u8 = 4;

struct Ecdsa {
    curve: Curve,
    pair: EcdsaKeyPair,
}

/// A key from its scalar; the point is checked where the file held an uncompressed one, and
/// computed otherwise.
pub(super) fn key(curve: Curve, scalar: &[u8], point: Option<&[u8]>) -> Result<Key, PartsError> {
    let scalar = filled(scalar, curve.width())?;
    let (signing, agreeing): (&'static EcdsaSigningAlgorithm, _) = match curve {
        Curve::P256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDH_P256),
        Curve::P384 => (&ECDSA_P384_SHA384_FIXED_SIGNING, &ECDH_P384),
        Curve::P521 => (&ECDSA_P521_SHA512_FIXED_SIGNING, &ECDH_P521),
    };
    let pair = match point {
        Some(point) if point.first() == Some(&UNCOMPRESSED) => {
            EcdsaKeyPair::from_private_key_and_public_key(signing, &scalar, point)
        }
        _ => {
            let point = agreement::PrivateKey::from_private_key(agreeing, &scalar)
                .map_err(|_| PartsError::Inconsistent)?
                .compute_public_key()
                .map_err(|_| PartsError::Inconsistent)?;
            EcdsaKeyPair::from_private_key_and_public_key(signing, &scalar, point.as_ref())
        }
    }
    .map_err(|_| PartsError::Inconsistent)?;
    let name = curve.algorithm().as_bytes();
    let blob = blob::of_strings(&[name, curve.name().as_bytes(), pair.public_key().as_ref()]);
    Ok(Key { blob, signer: std::sync::Arc::new(Ecdsa { curve, pair }) })
}

/// The scalar at exactly the curve's width: files write it with and without leading zeros.
fn filled(scalar: &[u8], width: usize) -> Result<Zeroizing<Vec<u8>>, PartsError> {
    let digits = blob::trimmed(scalar);
    let zeros = width.checked_sub(digits.len()).ok_or(PartsError::Inconsistent)?;
    let mut out = Zeroizing::new(Vec::with_capacity(width));
    out.resize(zeros, 0);
    out.extend_from_slice(digits);
    Ok(out)
}

impl Signer for Ecdsa {
    fn sign(&self, data: &[u8], flags: u32) -> Result<Vec<u8>, SignError> {
        known_flags(flags)?;
        let fixed = self.pair.sign(&SystemRandom::new(), data).map_err(|_| SignError::Crypto)?;
        let (r, s) = fixed.as_ref().split_at_checked(self.curve.width()).ok_or(SignError::Crypto)?;
        let name = self.curve.algorithm().as_bytes();
        // A sign byte and a length for each number.
        let most = 2 * (self.curve.width() + 5);
        let mut out = Vec::with_capacity(4 + name.len() + 4 + most);
        put_string(&mut out, name);
        let length_at = out.len();
        out.extend_from_slice(&[0; 4]);
        blob::put_mpint(&mut out, r);
        blob::put_mpint(&mut out, s);
        let length = u32::try_from(out.len() - length_at - 4).map_err(|_| SignError::Crypto)?;
        out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(out)
    }
}
