//! Ed25519 in memory (RFC 8709).

use crate::wire::put_string;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use super::parts::PartsError;
use super::{Key, SignError, Signer, blob, known_flags};

const NAME: &[u8] = b"ssh-ed25519";
const SIGNATURE: usize = 64;

struct Ed25519(Ed25519KeyPair);

/// A key from its 32 secret bytes; `public` is checked where the file held it.
pub(super) fn key(seed: &[u8; 32], public: Option<&[u8; 32]>) -> Result<Key, PartsError> {
    let pair = match public {
        Some(public) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        None => Ed25519KeyPair::from_seed_unchecked(seed),
    }
    .map_err(|_| PartsError::Inconsistent)?;
    let blob = blob::of_strings(&[NAME, pair.public_key().as_ref()]);
    Ok(Key { blob, signer: std::sync::Arc::new(Ed25519(pair)) })
}

impl Signer for Ed25519 {
    fn sign(&self, data: &[u8], flags: u32) -> Result<Vec<u8>, SignError> {
        known_flags(flags)?;
        let signature = self.0.try_sign(data).map_err(|_| SignError::Crypto)?;
        let mut out = Vec::with_capacity(4 + NAME.len() + 4 + SIGNATURE);
        put_string(&mut out, NAME);
        put_string(&mut out, signature.as_ref());
        Ok(out)
    }
}
