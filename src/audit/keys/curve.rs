//! Elliptic curves: which one an OID names, and whether a scalar and a point are a key on it.

use zeroize::Zeroizing;

use super::der::{Der, OCTET_STRING};
use super::seen::{Public, is_zero, looks_random};
use crate::signer::blob::{of_strings, trimmed};
use crate::signer::{Curve, Parts};

/// A curve with a name.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) name: &'static str,
    /// Bytes of a scalar and of a coordinate.
    width: usize,
    /// Where something is computed on it.
    nist: Option<Curve>,
    /// What SSH calls it where nothing is (RFC 5656 §6.1): its OID in digits.
    identifier: &'static [u8],
}

const fn nist(name: &'static str, curve: Curve, width: usize) -> Named {
    Named { name, width, nist: Some(curve), identifier: b"" }
}

const fn other(name: &'static str, width: usize, identifier: &'static [u8]) -> Named {
    Named { name, width, nist: None, identifier }
}

const P256: Named = nist("ecdsa-sha2-nistp256", Curve::P256, 32);
const P384: Named = nist("ecdsa-sha2-nistp384", Curve::P384, 48);
const P521: Named = nist("ecdsa-sha2-nistp521", Curve::P521, 66);

/// The curve that this OID's content names (RFC 5480 §2.1.1.1, SEC 2, RFC 5639).
pub(super) fn by_oid(oid: &[u8]) -> Option<Named> {
    Some(match oid {
        b"\x2a\x86\x48\xce\x3d\x03\x01\x07" => P256,
        b"\x2b\x81\x04\x00\x22" => P384,
        b"\x2b\x81\x04\x00\x23" => P521,
        b"\x2a\x86\x48\xce\x3d\x03\x01\x01" => other("nistp192", 24, b"1.2.840.10045.3.1.1"),
        b"\x2b\x81\x04\x00\x21" => other("nistp224", 28, b"1.3.132.0.33"),
        b"\x2b\x81\x04\x00\x0a" => other("secp256k1", 32, b"1.3.132.0.10"),
        b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07" => other("brainpoolP256r1", 32, b"1.3.36.3.3.2.8.1.1.7"),
        b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b" => other("brainpoolP384r1", 48, b"1.3.36.3.3.2.8.1.1.11"),
        b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d" => other("brainpoolP512r1", 64, b"1.3.36.3.3.2.8.1.1.13"),
        b"\x2a\x81\x1c\xcf\x55\x01\x82\x2d" => other("sm2", 32, b"1.2.156.10197.1.301"),
        _ => return None,
    })
}

/// The curve of that name in a JWK (RFC 7518 §6.2.1.1, RFC 8812).
pub(super) fn by_jwk(name: &[u8]) -> Option<Named> {
    Some(match name {
        b"P-256" => P256,
        b"P-384" => P384,
        b"P-521" => P521,
        b"secp256k1" => other("secp256k1", 32, b"1.3.132.0.10"),
        _ => return None,
    })
}

/// The curve of that SSH key type.
pub(super) fn by_ssh(name: &[u8]) -> Option<Named> {
    [P256, P384, P521].into_iter().find(|curve| curve.name.as_bytes() == name)
}

/// How the primes of the NIST curves begin (FIPS 186-4 §D.1.2).
const PRIMES: [(Named, &[u8]); 3] = [
    (P256, b"\xff\xff\xff\xff\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff"),
    (P384, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    (P521, b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
];

/// What `ECParameters` say (RFC 5480 §2.1.1, RFC 3279 §2.3.5).
#[derive(Clone, Copy)]
pub(super) enum Parameters {
    Named(Named),
    /// All numbers of a curve over a prime field: a known one by its prime, or bytes of the prime.
    Explicit(Result<Named, usize>),
}

impl Parameters {
    pub(super) fn read(der: &mut Der<'_>) -> Option<Self> {
        if der.peek() == Some(0x06) {
            return by_oid(der.oid()?).map(Self::Named);
        }
        let mut all = der.sequence()?;
        let version = all.integer()?;
        let mut field = all.sequence()?;
        let prime_field = field.oid()? == b"\x2a\x86\x48\xce\x3d\x01\x01";
        let prime = field.integer()?;
        all.sequence()?;
        all.expect(OCTET_STRING)?;
        all.integer()?;
        let known = PRIMES.into_iter().find(|(_, start)| prime.starts_with(start)).map(|(named, _)| named);
        let known = known.filter(|named| named.width == prime.len()).ok_or(prime.len());
        (version.len() == 1 && prime_field && (20..=66).contains(&prime.len())).then_some(Self::Explicit(known))
    }

    /// The public half of a scalar, checked with the point where there is one. `searched` says
    /// that nothing but the structure spoke for a key here.
    pub(super) fn public(self, scalar: &[u8], point: Option<&[u8]>, searched: bool) -> Option<Public> {
        match self {
            Self::Named(named) => named.public(scalar, point, searched),
            Self::Explicit(Ok(named)) => named.public(scalar, point, searched),
            Self::Explicit(Err(width)) => other("ec", width, b"").public(scalar, Some(point?), searched),
        }
    }
}

impl Named {
    /// See [`Parameters::public`].
    pub(super) fn public(self, scalar: &[u8], point: Option<&[u8]>, searched: bool) -> Option<Public> {
        let digits = trimmed(scalar).len();
        // Written with a sign byte, or without leading zeros, by some; four zeros are no accident.
        if digits > self.width || scalar.len() > self.width + 1 || digits + 4 < self.width || is_zero(scalar) {
            return None;
        }
        if point.is_none() && searched && !looks_random(scalar) {
            return None;
        }
        if let Some(curve) = self.nist {
            let scalar = Zeroizing::new(scalar.to_vec());
            return Public::computed(&Parts::Ecdsa { curve, scalar, point: point.map(<[u8]>::to_vec) });
        }
        let whole = point.is_none_or(|point| match point.first() {
            Some(4) => point.len() == 1 + 2 * self.width,
            Some(2 | 3) => point.len() == 1 + self.width,
            _ => false,
        });
        whole.then(|| self.unchecked(point))
    }

    /// Of a point that nothing is computed with.
    fn unchecked(self, point: Option<&[u8]>) -> Public {
        match point {
            Some(point) if point.len() == 1 + 2 * self.width && !self.identifier.is_empty() => {
                let name = [b"ecdsa-sha2-", self.identifier].concat();
                Public::of_blob(self.name, &of_strings(&[&name, self.identifier, point]))
            }
            _ => Public::named(self.name),
        }
    }
}

impl Named {
    /// Of a point in a certificate.
    pub(super) fn certified(self, point: &[u8]) -> Option<Public> {
        match self.nist {
            Some(curve) => Public::point(curve, point),
            None => Some(self.unchecked(Some(point))),
        }
    }
}

/// The public half of an Ed25519 seed; see [`Parameters::public`].
pub(super) fn ed25519(seed: &[u8], public: Option<&[u8]>, searched: bool) -> Option<Public> {
    if public.is_none() && searched && !looks_random(seed) {
        return None;
    }
    let mut secret = Zeroizing::new([0; 32]);
    if seed.len() != secret.len() || is_zero(seed) {
        return None;
    }
    secret.copy_from_slice(seed);
    let public = match public {
        Some(public) => Some(public.try_into().ok()?),
        None => None,
    };
    Public::computed(&Parts::Ed25519 { seed: secret, public })
}

/// The public X25519 key of a secret one (RFC 7748 §5).
pub(super) fn x25519(secret: &[u8]) -> Option<[u8; 32]> {
    use aws_lc_rs::agreement::{PrivateKey, X25519};
    if secret.len() != 32 || is_zero(secret) {
        return None;
    }
    let key = PrivateKey::from_private_key(&X25519, secret).ok()?;
    key.compute_public_key().ok()?.as_ref().try_into().ok()
}
