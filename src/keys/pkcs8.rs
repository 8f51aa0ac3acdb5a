//! `PRIVATE KEY` and `ENCRYPTED PRIVATE KEY`: PKCS#8 (RFC 5958) with PBES2 (RFC 8018).
//!
//! Owns the algorithms that can sign an SSH login, and the cost that a file may ask for.

use ::pkcs8::pkcs5::{self, pbes2};
use ::pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use der::Decode as _;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use zeroize::Zeroizing;

use super::pkcs1::{self, whole};
use super::rejected::Rejected;
use super::sec1;
use crate::signer::Parts;

/// The most iterations of PBKDF2: `openssl` writes 2,048, OWASP asks for 600,000.
pub const MAX_ITERATIONS: u32 = 5_000_000;
/// The most memory that scrypt may ask for, in bytes. `openssl -scrypt` asks for 16 MiB.
pub const MAX_SCRYPT_MEMORY: u64 = 128 * 1024 * 1024;
/// The most lanes of scrypt, which run one after the other.
pub const MAX_SCRYPT_LANES: u16 = 16;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ED448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.113");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

pub(super) fn read(der: &[u8]) -> Result<Parts, Rejected> {
    whole(der)?;
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| Rejected::Damaged)?;
    let secret = info.private_key.as_bytes();
    match info.algorithm.oid {
        RSA => pkcs1::read(secret),
        EC => {
            let curve = info.algorithm.parameters_oid();
            sec1::read(secret, Some(curve.map_err(|_| Rejected::Kind("an unnamed curve"))?))
        }
        ED25519 => {
            let inner = <&OctetStringRef>::from_der(secret).map_err(|_| Rejected::Damaged)?;
            let mut seed = Zeroizing::new([0; 32]);
            if inner.as_bytes().len() != seed.len() {
                return Err(Rejected::Damaged);
            }
            seed.copy_from_slice(inner.as_bytes());
            let public = info.public_key.map(|key| key.raw_bytes().try_into()).transpose();
            Ok(Parts::Ed25519 { seed, public: public.map_err(|_| Rejected::Damaged)? })
        }
        DSA => Err(Rejected::Dsa),
        ED448 => Err(Rejected::Kind("Ed448")),
        X25519 => Err(Rejected::Kind("X25519")),
        RSA_PSS => Err(Rejected::Kind("RSA-PSS")),
        _ => Err(Rejected::Kind("an unknown algorithm in PKCS#8")),
    }
}

/// Checks an encrypted key as far as that goes without its passphrase.
pub(super) fn check(der: &[u8]) -> Result<(), Rejected> {
    encrypted(der).map(|_| ())
}

fn encrypted(der: &[u8]) -> Result<EncryptedPrivateKeyInfoRef<'_>, Rejected> {
    whole(der)?;
    // What does not parse here is a scheme that is not known, or damage: the first is common
    // (PBES1, RC2 …), and its hint serves both.
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Rejected::Cipher)?;
    let pkcs5::EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(Rejected::Cipher);
    };
    let affordable = match &parameters.kdf {
        pbes2::Kdf::Pbkdf2(kdf) => kdf.iteration_count <= MAX_ITERATIONS,
        pbes2::Kdf::Scrypt(kdf) => {
            let memory = u128::from(kdf.cost_parameter) * u128::from(kdf.block_size) * 128;
            memory <= u128::from(MAX_SCRYPT_MEMORY) && kdf.parallelization <= MAX_SCRYPT_LANES
        }
        _ => return Err(Rejected::Cipher),
    };
    if affordable { Ok(info) } else { Err(Rejected::Cost) }
}

pub(super) fn unlock(der: &[u8], passphrase: &[u8]) -> Result<Parts, Rejected> {
    let info = encrypted(der)?;
    let opened = info.decrypt(passphrase).map_err(|error| match error {
        // A wrong passphrase that happens to pad well shows as broken DER.
        ::pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed) | ::pkcs8::Error::Asn1(_) => {
            Rejected::WrongPassphrase
        }
        _ => Rejected::Cipher,
    })?;
    read(opened.as_bytes())
}
