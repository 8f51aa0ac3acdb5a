//! RSA in memory: PKCS#1 v1.5 with SHA-256 or SHA-512 (RFC 8332), never SHA-1.

use crate::wire::put_string;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding};

use super::parts::{PartsError, RsaParts};
use super::{Key, RSA_SHA2_256, RSA_SHA2_512, SignError, Signer, blob, exponent, known_flags};

/// The fewest bits of a modulus.
pub const MIN_BITS: usize = 2048;
/// The most bits of a modulus: what the crypto library takes.
pub const MAX_BITS: usize = 8192;

struct Rsa {
    pair: KeyPair,
    width: usize,
}

/// A key from its numbers; all of them are checked against each other.
pub(super) fn key(parts: &RsaParts) -> Result<Key, PartsError> {
    let (n, e) = (blob::trimmed(&parts.n), blob::trimmed(&parts.e));
    let bits = bits(n);
    if bits < MIN_BITS {
        return Err(PartsError::RsaTooShort(bits));
    }
    if bits > MAX_BITS {
        return Err(PartsError::RsaTooLong(bits));
    }
    let secret = [&parts.d, &parts.p, &parts.q, &parts.q_inverse].map(|part| blob::trimmed(part));
    // Also what bounds the work of the division below.
    if secret.iter().any(|part| part.is_empty() || part.len() > n.len()) {
        return Err(PartsError::Inconsistent);
    }
    let [d, p, q, q_inverse] = secret;
    let (d_p, d_q) = (exponent::reduced(d, p), exponent::reduced(d, q));
    let pair = KeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n, e },
        d,
        p,
        q,
        dP: d_p.as_slice(),
        dQ: d_q.as_slice(),
        qInv: q_inverse,
    })
    .map_err(|_| PartsError::Inconsistent)?;
    let mut blob = Vec::with_capacity(n.len() + 32);
    put_string(&mut blob, b"ssh-rsa");
    blob::put_mpint(&mut blob, e);
    blob::put_mpint(&mut blob, n);
    let width = pair.public_modulus_len();
    Ok(Key { blob, signer: std::sync::Arc::new(Rsa { pair, width }) })
}

/// Bits of a number without leading zero bytes.
fn bits(n: &[u8]) -> usize {
    n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize)
}

impl Signer for Rsa {
    fn sign(&self, data: &[u8], flags: u32) -> Result<Vec<u8>, SignError> {
        known_flags(flags)?;
        // Both flags: SHA-256 wins, as in OpenSSH's `agent_decode_alg`.
        let (name, encoding): (&[u8], &'static dyn RsaEncoding) = if flags & RSA_SHA2_256 != 0 {
            (b"rsa-sha2-256", &RSA_PKCS1_SHA256)
        } else if flags & RSA_SHA2_512 != 0 {
            (b"rsa-sha2-512", &RSA_PKCS1_SHA512)
        } else {
            return Err(SignError::Sha1);
        };
        let mut out = Vec::with_capacity(4 + name.len() + 4 + self.width);
        put_string(&mut out, name);
        let width = u32::try_from(self.width).map_err(|_| SignError::Crypto)?;
        out.extend_from_slice(&width.to_be_bytes());
        let start = out.len();
        out.resize(start + self.width, 0);
        self.pair.sign(encoding, &SystemRandom::new(), data, &mut out[start..]).map_err(|_| SignError::Crypto)?;
        Ok(out)
    }
}
