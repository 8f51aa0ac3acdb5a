//! Encrypted keys and what is around them: PKCS#12 (RFC 7292), Java's JKS and JCEKS, PKCS#8.
//!
//! Found by the scheme that they are encrypted with, or by the bag they lie in: so it does not
//! matter how long the store is, nor in which encoding rules its outer parts are.

use super::asn1;
use super::der::{self, Der};
use super::seen::{Public, Seen, UNKNOWN};

/// The schemes of PKCS#5, of PKCS#12 and of Sun's providers, as far as all of one have in common.
pub(super) const SCHEMES: [&[u8]; 3] = [
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05",
    b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01",
    b"\x2b\x06\x01\x04\x01\x2a\x02",
];
/// What PKCS#12 calls an encrypted key: `pkcs8ShroudedKeyBag`.
pub(super) const BAG: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";
/// The most certificates behind a Java key that are believed.
const MAX_CHAIN: u32 = 100;

/// The key whose scheme (one of [`SCHEMES`], without its tag for the last) is at `at`, and where
/// it begins.
pub(super) fn around_scheme(bytes: &[u8], at: usize, scheme: usize) -> Option<(Seen, usize)> {
    let oid = if scheme == 2 { at.checked_sub(2)? } else { at };
    der::sequences_around(bytes, oid).find_map(|algorithm| {
        der::sequences_around(bytes, algorithm).find_map(|start| {
            let mut seen = asn1::encrypted(&bytes[start..])?;
            if in_bag(bytes, start) {
                // Told of by the bag.
                return None;
            }
            if seen.rule == "java-keystore" {
                let public = chain(&bytes[start + seen.length..])?;
                (seen.kind, seen.fingerprint) = (public.kind, public.fingerprint);
            }
            Some((seen, start))
        })
    })
}

/// Whether a [`BAG`] ends right in front of `at`, but for its explicit tag.
fn in_bag(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(BAG.len() + 5)..at];
    memchr::memmem::find(before, BAG).is_some()
}

/// The first certificate of the chain that follows a Java private key entry.
fn chain(bytes: &[u8]) -> Option<Public> {
    let (count, rest) = bytes.split_first_chunk()?;
    if !(1..=MAX_CHAIN).contains(&u32::from_be_bytes(*count)) {
        return (*count == [0; 4]).then(|| Public::named(UNKNOWN));
    }
    let rest = rest.strip_prefix(b"\0\x05X.509")?.get(4..)?;
    Some(asn1::certified(rest).unwrap_or_else(|| Public::named(UNKNOWN)))
}

/// The key in the [`BAG`] at `at`.
pub(super) fn in_pkcs12(bytes: &[u8], at: usize) -> Option<Seen> {
    let behind = at + BAG.len();
    let mut der = Der::new(bytes.get(behind..)?);
    let content = der.expect(0xa0)?;
    let seen = asn1::encrypted(content).filter(|seen| seen.length == content.len())?;
    let length = bytes.len() - der.rest().len() - at;
    Some(Seen { rule: "pkcs12-keystore", format: "a PKCS#12 store", length, ..seen })
}
