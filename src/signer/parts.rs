//! The parts of a private key, whatever file format they came in.
//!
//! Owns the secret numbers between a parser and the crypto library, and wipes them. Refuses to
//! print any of them.

use zeroize::Zeroizing;

/// A NIST curve that SSH signs with (RFC 5656 section 10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256, signed with SHA-256.
    P256,
    /// NIST P-384, signed with SHA-384.
    P384,
    /// NIST P-521, signed with SHA-512.
    P521,
}

impl Curve {
    /// The curve's name in key blobs: `nistp256`, `nistp384`, `nistp521`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "nistp256",
            Self::P384 => "nistp384",
            Self::P521 => "nistp521",
        }
    }

    /// The algorithm's name: `ecdsa-sha2-` and the curve's.
    #[must_use]
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-sha2-nistp256",
            Self::P384 => "ecdsa-sha2-nistp384",
            Self::P521 => "ecdsa-sha2-nistp521",
        }
    }

    /// Bytes of a scalar, and of one coordinate.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// The numbers of an RSA key, big-endian (RFC 8017 section 3.2), with or without leading zeros.
#[derive(Clone)]
pub struct RsaParts {
    /// Modulus.
    pub n: Vec<u8>,
    /// Public exponent.
    pub e: Vec<u8>,
    /// Private exponent.
    pub d: Zeroizing<Vec<u8>>,
    /// First prime.
    pub p: Zeroizing<Vec<u8>>,
    /// Second prime.
    pub q: Zeroizing<Vec<u8>>,
    /// `q^-1 mod p`.
    pub q_inverse: Zeroizing<Vec<u8>>,
}

/// The parts of one private key. A missing public half is computed.
#[derive(Clone)]
pub enum Parts {
    /// Ed25519 (RFC 8032).
    Ed25519 {
        /// The 32 secret bytes.
        seed: Zeroizing<[u8; 32]>,
        /// The public key, if the file held one.
        public: Option<[u8; 32]>,
    },
    /// ECDSA on a NIST curve.
    Ecdsa {
        /// Which curve.
        curve: Curve,
        /// The secret scalar, big-endian, with or without leading zeros.
        scalar: Zeroizing<Vec<u8>>,
        /// The public point (SEC 1 section 2.3.3), if the file held one.
        point: Option<Vec<u8>>,
    },
    /// RSA.
    Rsa(RsaParts),
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ed25519 { .. } => "Parts(Ed25519)",
            Self::Ecdsa { .. } => "Parts(Ecdsa)",
            Self::Rsa(_) => "Parts(Rsa)",
        })
    }
}

/// Why parts do not make a key. Carries no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// The parts contradict each other, or are out of range.
    #[error("the parts of this key do not fit together")]
    Inconsistent,
    /// An RSA modulus under [`super::rsa::MIN_BITS`].
    #[error("this RSA key has {0} bits, and fewer than 2048 are not safe")]
    RsaTooShort(usize),
    /// An RSA modulus over [`super::rsa::MAX_BITS`].
    #[error("this RSA key has {0} bits, and more than 8192 are not supported")]
    RsaTooLong(usize),
}
