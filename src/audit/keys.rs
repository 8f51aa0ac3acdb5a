//! Private keys of every kind, recognised by their structure.
//!
//! A literal of the format says where to look; a parser says whether it is a key. A header in a
//! program's strings, a placeholder, a public key or a truncated block does not parse, and is no
//! finding. What comes out is the public half: secrets are wiped where they were copied.
//!
//! Owns every format in which private keys are stored. Refuses to undo encodings of a whole
//! file (hex, UTF-16, base64 of base64): that is [`super::encoded`]'s, which asks [`recognise`].

mod age;
mod armour;
mod asn1;
mod base64;
mod curve;
mod der;
mod fields;
mod gnupg;
mod jwk;
mod keystore;
mod known;
mod number;
mod openssh;
mod pem;
mod pgp;
mod putty;
mod rsa;
mod seen;

use std::sync::OnceLock;

use aho_corasick::packed::Searcher;

use super::finding::{Found, RuleInfo, Severity};
use super::rule::{Family, Text};
use seen::{Seen, push};

/// The fewest bytes of anything that is recognised: a P-192 key in SEC1 has 43.
pub const MIN_KEY: usize = 40;

/// `version 0` and an algorithm: PKCS#8.
const PKCS8: &[u8] = b"\x02\x01\x00\x30";
/// `version 1` and one of RFC 8410's algorithms: PKCS#8 with its public key.
const PKCS8_V1: &[u8] = b"\x02\x01\x01\x30\x05\x06\x03\x2b\x65";
/// `version 0` and a number: PKCS#1, DSA.
const PKCS1: &[u8] = b"\x02\x01\x00\x02";
/// `version 1` and a long number: PKCS#1 of more than two primes.
const PKCS1_V1: &[u8] = b"\x02\x01\x01\x02\x82";
/// `version 1` and bytes: SEC1.
const SEC1: &[u8] = b"\x02\x01\x01\x04";

/// What [`LITERALS`] at the same index tells of.
#[derive(Clone, Copy)]
enum Sign {
    Armour,
    OpenSsh,
    Der,
    Scheme(usize),
    Bag,
    Putty,
    Age,
    Jwk,
    WireGuard,
    Dnssec,
    PgpCurve,
    PgpExponent,
    GnuPg,
    WireGuardValue,
}

const LITERALS: [&[u8]; 26] = [
    armour::BEGIN,
    openssh::MAGIC,
    PKCS8,
    PKCS8_V1,
    PKCS1,
    PKCS1_V1,
    SEC1,
    keystore::SCHEMES[0],
    keystore::SCHEMES[1],
    keystore::SCHEMES[2],
    keystore::BAG,
    putty::HEADER,
    age::PREFIX,
    jwk::KTY,
    fields::PRIVATE_KEY,
    fields::DNSSEC,
    pgp::CURVES[0],
    pgp::CURVES[1],
    pgp::CURVES[2],
    pgp::CURVES[3],
    pgp::CURVES[4],
    pgp::EXPONENT,
    gnupg::LITERALS[0],
    gnupg::LITERALS[1],
    fields::VALUES[0],
    fields::VALUES[1],
];

const SIGNS: [Sign; LITERALS.len()] = [
    Sign::Armour,
    Sign::OpenSsh,
    Sign::Der,
    Sign::Der,
    Sign::Der,
    Sign::Der,
    Sign::Der,
    Sign::Scheme(0),
    Sign::Scheme(1),
    Sign::Scheme(2),
    Sign::Bag,
    Sign::Putty,
    Sign::Age,
    Sign::Jwk,
    Sign::WireGuard,
    Sign::Dnssec,
    Sign::PgpCurve,
    Sign::PgpCurve,
    Sign::PgpCurve,
    Sign::PgpCurve,
    Sign::PgpCurve,
    Sign::PgpExponent,
    Sign::GnuPg,
    Sign::GnuPg,
    Sign::WireGuardValue,
    Sign::WireGuardValue,
];

/// The id of each rule, and what it finds.
const RULES: [(&str, &str); 13] = [
    ("openssh-private-key", "a private key in OpenSSH format"),
    ("pkcs1-private-key", "an RSA private key in PKCS#1"),
    ("pkcs8-private-key", "a private key in PKCS#8"),
    ("sec1-private-key", "an elliptic curve private key in SEC1"),
    ("dsa-private-key", "a DSA private key in OpenSSL's format"),
    ("putty-private-key", "a private key in PuTTY format"),
    ("pgp-secret-key", "an OpenPGP secret key"),
    ("age-secret-key", "an age identity"),
    ("jwk-private-key", "a private key in JWK format"),
    ("pkcs12-keystore", "a private key in a PKCS#12 store"),
    ("java-keystore", "a private key in a Java keystore"),
    ("wireguard-private-key", "a private key in a WireGuard configuration"),
    ("dnssec-private-key", "a private key in DNSSEC format"),
];

/// The rules for private keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys;

impl Family for Keys {
    fn rules(&self) -> Vec<RuleInfo> {
        RULES.iter().map(|(id, about)| RuleInfo::new(id, about, seen::REPLACE, Severity::Error)).collect()
    }

    fn literals(&self) -> &[&[u8]] {
        &LITERALS
    }

    fn at_literal(&self, index: usize, at: usize, text: &Text<'_>, found: &mut Vec<Found>) {
        let mut seen = Vec::new();
        at_sign(SIGNS[index], text.bytes, at, &mut seen);
        seen.into_iter().for_each(|(seen, at)| push(seen, at, found));
    }

    fn names(&self, path: &[u8]) -> bool {
        // Where OpenPGP keys of any algorithm lie, which nothing else in them tells of.
        [&b".gpg"[..], b".pgp", b".key", b".kbx"].iter().any(|end| path.ends_with(end))
    }

    fn at_file(&self, text: &Text<'_>, found: &mut Vec<Found>) {
        let mut seen = Vec::new();
        at_front(text.bytes, &mut seen);
        seen.into_iter().for_each(|(seen, at)| push(seen, at, found));
    }
}

/// All private keys in a whole buffer that was decoded out of something: [`Found::at`] counts
/// from its front. A buffer without any costs one search.
pub fn recognise(bytes: &[u8], found: &mut Vec<Found>) {
    let mut seen = Vec::new();
    search(bytes, &mut seen);
    seen.into_iter().for_each(|(seen, at)| push(seen, at, found));
}

/// The same, each with what the list of known test keys has it under: what that list is made of.
#[must_use]
pub fn identities(bytes: &[u8]) -> Vec<(String, Found)> {
    let mut seen = Vec::new();
    search(bytes, &mut seen);
    let mut all = Vec::new();
    for (seen, at) in seen {
        let mut found = Vec::new();
        let identity = seen.identity().map(str::to_owned);
        push(seen, at, &mut found);
        all.extend(identity.zip(found.pop()));
    }
    all
}

/// Keys, and where each begins.
type AllSeen = Vec<(Seen, usize)>;

fn search(bytes: &[u8], seen: &mut AllSeen) {
    static SEARCHER: OnceLock<Option<Searcher>> = OnceLock::new();
    if bytes.len() < MIN_KEY {
        return;
    }
    let keyring = at_front(bytes, seen);
    let Some(searcher) = SEARCHER.get_or_init(|| Searcher::new(LITERALS)) else { return };
    let mut at = 0;
    while let Some(hit) = searcher.find_in(bytes, aho_corasick::Span { start: at, end: bytes.len() }) {
        at = hit.start() + 1;
        let sign = SIGNS[hit.pattern().as_usize()];
        if at > keyring || !matches!(sign, Sign::PgpCurve | Sign::PgpExponent) {
            at_sign(sign, bytes, hit.start(), seen);
        }
    }
}

/// What can be told from nothing but the first bytes: the keys of a keyring, and where the last
/// of them ends.
fn at_front(bytes: &[u8], seen: &mut AllSeen) -> usize {
    if !pgp::may_begin(bytes) {
        return 0;
    }
    seen.extend(pgp::keyring(bytes));
    seen.last().map_or(0, |(last, start)| start + last.length)
}

fn at_sign(sign: Sign, bytes: &[u8], at: usize, all: &mut AllSeen) {
    let here = |seen: Option<Seen>| seen.map(|seen| (seen, at));
    let one = match sign {
        Sign::Armour => return all.extend(pem::at(bytes, at).into_iter().map(|seen| (seen, at))),
        Sign::OpenSsh => here(openssh::container(&bytes[at..])),
        Sign::Der => der::sequences_around(bytes, at)
            .find_map(|start| asn1::key(&bytes[start..], true).map(|seen| (seen, start))),
        Sign::Scheme(which) => keystore::around_scheme(bytes, at, which),
        Sign::Bag => here(keystore::in_pkcs12(bytes, at)),
        Sign::Putty => here(putty::at(bytes, at)),
        Sign::Age => here(age::at(bytes, at)),
        Sign::Jwk => jwk::around(bytes, at),
        Sign::WireGuard => here(fields::wireguard(bytes, at, fields::PRIVATE_KEY)),
        Sign::WireGuardValue => fields::VALUES
            .into_iter()
            .find(|name| bytes[at..].starts_with(name))
            .and_then(|name| here(fields::wireguard(bytes, at, &name[..name.len() - 1]))),
        Sign::GnuPg => gnupg::around(bytes, at),
        Sign::Dnssec => here(fields::dnssec(bytes, at)),
        Sign::PgpCurve => pgp::around_curve(bytes, at),
        Sign::PgpExponent => pgp::around_exponent(bytes, at),
    };
    all.extend(one.map(|(seen, start)| {
        let length = seen.length;
        (seen.stored_as(&bytes[start..start + length]), start)
    }));
}

#[cfg(test)]
mod tests;
