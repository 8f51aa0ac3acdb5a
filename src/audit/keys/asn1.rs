//! Private keys in DER: PKCS#1 (RFC 8017 §A.1.2), OpenSSL's DSA, SEC1 (RFC 5915), PKCS#8
//! (RFC 5958), plain and encrypted.
//!
//! Each reads what stands at the front of its buffer and says how long it is; what lies behind
//! is another's. `searched` is true where nothing but the bytes themselves spoke for a key: no
//! armour, no name.

use super::curve::{self, Parameters};
use super::der::{BIT_STRING, Der, OCTET_STRING};
use super::rsa;
use super::seen::{Public, Seen, UNKNOWN, is_zero, looks_random};

/// The most bytes of a key in DER: an ML-DSA or an RSA-16384 key has 10 KiB.
pub(super) const MAX_DER: usize = 24 * 1024;
/// The fewest bytes of what is encrypted: an Ed25519 key in PKCS#8 has 48.
const MIN_ENCRYPTED: usize = 40;

const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const RSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";
const DH: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01";
const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// X25519, X448, Ed25519, Ed448 (RFC 8410 §3): the last byte tells them apart.
const EDWARDS: &[u8] = b"\x2b\x65";
/// NIST's signatures and key encapsulation after quantum computers (RFC 9881, RFC 9909, RFC 9935).
const NIST_SIGNATURES: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x03";
const NIST_KEMS: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x04";
const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PKCS5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";
const PKCS12_PBE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";
const SUN: &[u8] = b"\x2b\x06\x01\x04\x01\x2a\x02";

/// Any private key at the front.
pub(super) fn key(bytes: &[u8], searched: bool) -> Option<Seen> {
    let (mut inside, _) = outer(bytes)?;
    // A version comes first, or else the algorithm of an encryption.
    match inside.integer() {
        None => encrypted(bytes),
        Some(version) => match (version, inside.peek()?) {
            ([] | [1], 0x30) => pkcs8(bytes, searched),
            ([1], OCTET_STRING) => sec1(bytes, None, searched),
            ([] | [1], _) => pkcs1(bytes).or_else(|| dsa(bytes)),
            _ => None,
        },
    }
}

/// The content of the SEQUENCE at the front, and its length with its header.
fn outer(bytes: &[u8]) -> Option<(Der<'_>, usize)> {
    let mut der = Der::new(bytes);
    let inside = der.sequence()?;
    let length = bytes.len() - der.rest().len();
    (length <= MAX_DER).then_some((inside, length))
}

pub(super) fn pkcs1(bytes: &[u8]) -> Option<Seen> {
    let (mut inside, length) = outer(bytes)?;
    let version = inside.integer()?;
    let [n, e, d, p, q] = integers(&mut inside)?;
    let [d_p, d_q, q_inverse] = integers(&mut inside)?;
    let mut primes = vec![p, q];
    if version == [1] {
        let mut others = inside.sequence()?;
        while !others.is_empty() && primes.len() < rsa::MAX_PRIMES {
            let [prime, _, _] = integers(&mut others.sequence()?)?;
            primes.push(prime);
        }
        if !others.is_empty() || primes.len() == 2 {
            return None;
        }
    }
    let whole = inside.is_empty() && version.len() <= 1 && [d_p, d_q, q_inverse].iter().all(|part| !is_zero(part));
    let public = if whole { rsa::public(n, e, d, &primes)? } else { return None };
    Some(public.seen("pkcs1-private-key", "PKCS#1", false, length))
}

fn dsa(bytes: &[u8]) -> Option<Seen> {
    let (mut inside, length) = outer(bytes)?;
    let [version, p, q, g, y] = integers(&mut inside)?;
    let x = inside.integer()?;
    let whole = inside.is_empty() && is_zero(version) && !is_zero(y) && super::number::less(y, p);
    (whole && rsa::is_dsa(p, q, g, x))
        .then(|| Public::dsa(p, q, g, y).seen("dsa-private-key", "OpenSSL's DSA format", false, length))
}

/// `ECPrivateKey`; `around` is what PKCS#8 says of its curve.
pub(super) fn sec1(bytes: &[u8], around: Option<Parameters>, searched: bool) -> Option<Seen> {
    let (mut inside, length) = outer(bytes)?;
    if inside.integer()? != [1] {
        return None;
    }
    let scalar = inside.expect(OCTET_STRING)?;
    let parameters = match inside.optional(0xa0)? {
        Some(content) => Some(Parameters::read(&mut Der::new(content))?),
        None => around,
    };
    let point = match inside.optional(0xa1)? {
        Some(content) => Some(Der::bytes_of_bits(Der::new(content).expect(BIT_STRING)?)?),
        None => None,
    };
    let public = if inside.is_empty() { parameters?.public(scalar, point, searched)? } else { return None };
    Some(public.seen("sec1-private-key", "SEC1", false, length))
}

pub(super) fn pkcs8(bytes: &[u8], searched: bool) -> Option<Seen> {
    let (mut inside, length) = outer(bytes)?;
    let version = inside.integer()?;
    let mut algorithm = inside.sequence()?;
    let oid = algorithm.oid()?;
    let secret = inside.expect(OCTET_STRING)?;
    // Attributes, and in version 1 the public key.
    inside.optional(0xa0)?;
    let public = match inside.optional(0x81)? {
        Some(content) if version == [1] => Some(Der::bytes_of_bits(content)?),
        Some(_) => return None,
        None => None,
    };
    if !inside.is_empty() || !(version.is_empty() || version == [1]) {
        return None;
    }
    let public = match oid {
        RSA | RSA_PSS => exact(secret, pkcs1(secret)?)?,
        EC => exact(secret, sec1(secret, Parameters::read(&mut algorithm), searched)?)?,
        DSA => {
            let [p, q, g] = integers(&mut algorithm.sequence()?)?;
            let x = Der::new(secret).integer()?;
            rsa::is_dsa(p, q, g, x).then(|| Public::named("ssh-dss"))?
        }
        DH => {
            let [p, g] = integers(&mut algorithm.sequence()?)?;
            let x = Der::new(secret).integer()?;
            let fits = super::number::bits(p) >= rsa::MIN_BITS && !is_zero(g) && !is_zero(x);
            (fits && super::number::less(x, p)).then(|| Public::named("dh"))?
        }
        [start @ .., which] if start == EDWARDS && algorithm.is_empty() => {
            edwards(*which, Der::new(secret).expect(OCTET_STRING)?, public, searched)?
        }
        [start @ .., which] if start == NIST_SIGNATURES || start == NIST_KEMS => {
            let name = match (start == NIST_KEMS, which) {
                (true, 1..=3) => "ml-kem",
                (false, 17..=19) => "ml-dsa",
                (false, 20..=31) => "slh-dsa",
                _ => return None,
            };
            // A seed, an expanded key, or both.
            let last = secret.last_chunk::<32>()?;
            (looks_random(last) && algorithm.is_empty()).then(|| Public::named(name))?
        }
        _ => return None,
    };
    Some(public.seen("pkcs8-private-key", "PKCS#8", false, length))
}

/// The public half of a key that must fill its OCTET STRING.
fn exact(around: &[u8], seen: Seen) -> Option<Public> {
    (seen.length == around.len()).then_some(Public { kind: seen.kind, fingerprint: seen.fingerprint })
}

fn edwards(which: u8, secret: &[u8], public: Option<&[u8]>, searched: bool) -> Option<Public> {
    let (name, width) = match which {
        0x70 => return curve::ed25519(secret, public, searched),
        0x6e => ("x25519", 32),
        0x6f => ("x448", 56),
        0x71 => ("ed448", 57),
        _ => return None,
    };
    let fits = secret.len() == width && public.is_none_or(|public| public.len() == width) && !is_zero(secret);
    (fits && (!searched || looks_random(secret))).then(|| Public::named(name))
}

/// `EncryptedPrivateKeyInfo` of a scheme that private keys are encrypted with.
pub(super) fn encrypted(bytes: &[u8]) -> Option<Seen> {
    let (mut inside, length) = outer(bytes)?;
    let mut algorithm = inside.sequence()?;
    let oid = algorithm.oid()?;
    let secret = inside.expect(OCTET_STRING)?;
    if !inside.is_empty() || secret.len() < MIN_ENCRYPTED || !looks_random(&secret[..MIN_ENCRYPTED]) {
        return None;
    }
    let (scheme, which) = oid.split_last().map(|(which, start)| (start, *which))?;
    let (rule, format, block) = if oid == PBES2 {
        let mut parameters = algorithm.sequence()?;
        let mut kdf = parameters.sequence()?;
        let mut cipher = parameters.sequence()?;
        let named = kdf.oid().is_some() && cipher.oid().is_some();
        (named && parameters.is_empty()).then_some(("pkcs8-private-key", "PKCS#8", 8))?
    } else if scheme == PKCS5 || scheme == PKCS12_PBE {
        // RC4 is a stream cipher: the first two of PKCS#12.
        salted(&mut algorithm)?;
        ("pkcs8-private-key", "PKCS#8", if scheme == PKCS12_PBE && which <= 2 { 1 } else { 8 })
    } else if oid.starts_with(SUN) && matches!(oid[SUN.len()..], [17, 1, 1] | [19, 1]) {
        if oid.ends_with(&[19, 1]) {
            salted(&mut algorithm)?;
        }
        ("java-keystore", "a Java keystore", 1)
    } else {
        return None;
    };
    (secret.len() % block == 0).then(|| Public::named(UNKNOWN).seen(rule, format, true, length))
}

/// `PBEParameter` (RFC 8018 §A.3).
fn salted(algorithm: &mut Der<'_>) -> Option<()> {
    let mut parameters = algorithm.sequence()?;
    let salt = parameters.expect(OCTET_STRING)?;
    let count = parameters.integer()?;
    (!salt.is_empty() && !is_zero(count) && parameters.is_empty()).then_some(())
}

fn integers<'a, const N: usize>(der: &mut Der<'a>) -> Option<[&'a [u8]; N]> {
    let mut all = [&[][..]; N];
    for number in &mut all {
        *number = der.integer()?;
    }
    Some(all)
}

/// The public half in a `SubjectPublicKeyInfo` or in the certificate around it (RFC 5280 §4.1).
pub(super) fn certified(certificate: &[u8]) -> Option<Public> {
    let mut tbs = Der::new(certificate).sequence()?.sequence()?;
    tbs.optional(0xa0)?;
    tbs.integer()?;
    for _ in ["signature", "issuer", "validity", "subject"] {
        tbs.sequence()?;
    }
    let mut info = tbs.sequence()?;
    let mut algorithm = info.sequence()?;
    let oid = algorithm.oid()?;
    let key = Der::bytes_of_bits(info.expect(BIT_STRING)?)?;
    match oid {
        RSA => {
            let [n, e] = integers(&mut Der::new(key).sequence()?)?;
            Some(Public::rsa(n, e))
        }
        DSA => {
            let [p, q, g] = integers(&mut algorithm.sequence()?)?;
            Some(Public::dsa(p, q, g, Der::new(key).integer()?))
        }
        EC => match Parameters::read(&mut algorithm)? {
            Parameters::Named(named) => named.certified(key),
            Parameters::Explicit(_) => Some(Public::named("ec")),
        },
        [0x2b, 0x65, 0x70] => Public::ed25519(key),
        _ => None,
    }
}
