//! The one trait that signs, and the crypto behind it.
//!
//! Owns the working keys: [`build`] turns the parts of a private key into a signer on
//! aws-lc, checks that they belong together, and never hands them back. Refuses SHA-1, RSA
//! under 2048 or over 8192 bits, and flags that it does not know.

pub mod blob;
pub(crate) mod ecdsa;
pub(crate) mod ed25519;
pub(crate) mod exponent;
pub mod parts;
pub mod rsa;

pub use blob::fingerprint;
pub use parts::{Curve, Parts, PartsError, RsaParts};

/// Flag of a sign request: RSA with SHA-256 (`SSH_AGENT_RSA_SHA2_256`, RFC 9987).
pub const RSA_SHA2_256: u32 = 2;
/// Flag of a sign request: RSA with SHA-512 (`SSH_AGENT_RSA_SHA2_512`, RFC 9987).
pub const RSA_SHA2_512: u32 = 4;

/// Why nothing was signed. Carries no input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// An RSA request without a SHA-2 flag: SHA-1 is never used.
    #[error("the client asked for an RSA signature with SHA-1")]
    Sha1,
    /// Flags that this key cannot serve.
    #[error("the client asked for unknown signature flags {0}")]
    Flags(u32),
    /// The crypto library refused.
    #[error("the key could not sign")]
    Crypto,
    /// The upstream agent refused, or is gone.
    #[error("the upstream agent did not sign: {0}")]
    Upstream(String),
}

/// Something that signs with one key: in memory, or in the upstream agent.
pub trait Signer: Send + Sync {
    /// Signs `data` and returns the SSH signature blob: `string` algorithm name, `string`
    /// signature (RFC 4253 section 6.6, RFC 5656 section 3.1.2, RFC 8332, RFC 8709).
    ///
    /// `flags` are those of the sign request.
    ///
    /// # Errors
    /// When the flags ask for what this key does not do, or the crypto behind it fails.
    fn sign(&self, data: &[u8], flags: u32) -> Result<Vec<u8>, SignError>;
}

/// A loaded key as the agent protocol has it: key blob and comment, and what signs for it.
#[derive(Clone)]
pub struct Identity {
    /// Public key blob, or certificate blob, as it is listed.
    pub blob: Vec<u8>,
    /// Comment as it is listed.
    pub comment: String,
    /// What signs. Several identities (a key and its certificate) may share one.
    pub signer: std::sync::Arc<dyn Signer>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("comment", &self.comment).finish_non_exhaustive()
    }
}

/// What [`build`] makes of a private key's parts.
#[derive(Clone)]
pub struct Key {
    /// Public key blob (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4).
    pub blob: Vec<u8>,
    /// What signs with it.
    pub signer: std::sync::Arc<dyn Signer>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// A working key from the parts of a private key. The parts are wiped when they go.
///
/// # Errors
/// When the parts contradict each other, or are of a size that is not served.
pub fn build(parts: &Parts) -> Result<Key, PartsError> {
    match parts {
        Parts::Ed25519 { seed, public } => ed25519::key(seed, public.as_ref()),
        Parts::Ecdsa { curve, scalar, point } => ecdsa::key(*curve, scalar, point.as_deref()),
        Parts::Rsa(parts) => rsa::key(parts),
    }
}

/// Both SHA-2 flags are harmless on a key that is not RSA, as in OpenSSH; any other bit is not
/// understood, and so not served.
pub(crate) fn known_flags(flags: u32) -> Result<(), SignError> {
    if flags & !(RSA_SHA2_256 | RSA_SHA2_512) == 0 { Ok(()) } else { Err(SignError::Flags(flags)) }
}
