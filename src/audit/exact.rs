//! The very keys that were lent, or named with `--for`: found by their secret numbers, and
//! told of as a fact.
//!
//! [`Exact`] looks for the numbers of private keys in raw bytes, in either byte order. Encodings
//! are taken off by [`super::encoded`], which shows it what they decode to; hexadecimal and
//! base64 at an alignment that nothing tells are its own. The search is for 4 bytes of each
//! number, which chance shows once in 4 GB; a finding is the whole number, 16 bytes or more of
//! it. [`Named`] marks findings of keys of which the public half alone is known. Texts, such as
//! tokens, are looked for by [`texts`].
//!
//! The numbers are wiped when this goes, and never printed. What searches knows 4 bytes of each.

mod named;
mod spelled;
pub mod texts;

use zeroize::Zeroizing;

use super::encoded::text;
use super::finding::{Found, Key, RuleInfo, Severity};
use super::rule::{Family, Text};
use crate::signer::{Parts, RsaParts};

pub use self::named::Named;
use self::texts::Texts;

/// The fewest bytes of a number that are looked for: fewer may be there by chance.
pub const MIN_SECRET: usize = 16;
/// Bytes of a number that the search looks at, and no more.
const HEAD: usize = 4;
/// Bytes between two characters of base64 or hexadecimal of one number: a line's end, its
/// indentation, quotes.
const MAX_BETWEEN: usize = 96;
/// The rule's id.
pub const RULE: &str = "lent-key";
const REMEDY: &str = "revoke this key now, and build without copying it";

/// One of the secret numbers of a key.
struct Secret {
    /// As it is looked for, without leading zeros.
    bytes: Zeroizing<Vec<u8>>,
    /// Which key's, of [`Exact::keys`].
    key: usize,
    /// What it is: `seed`, `prime`, …
    what: &'static str,
}

/// How a literal stands for the first bytes of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As they are.
    Raw,
    /// Lower or upper case.
    Hex,
    /// With so many bytes of the three before it.
    Base64(usize),
    /// With a zero behind each, as UTF-16 has them.
    Wide,
}

/// For each phase of base64: the bits of the first byte that the character before the literal has,
/// and whether there is one.
const BASE64_HEADS: [(usize, usize); 3] = [(0, 0), (4, 1), (2, 1)];

/// A family that finds secret numbers of known keys.
#[derive(Default)]
pub struct Exact {
    keys: Vec<Key>,
    secrets: Vec<Secret>,
    /// Of each literal, in their order.
    forms: Vec<(usize, Form)>,
    literals: Vec<Vec<u8>>,
    texts: Texts,
}

impl std::fmt::Debug for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exact").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Exact {
    /// Of no key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key: its parts, its type and fingerprint as `ssh-add -l` prints them. Gives
    /// whether it can be looked for: a number of fewer than [`MIN_SECRET`] bytes is not.
    pub fn add(&mut self, parts: &Parts, kind: &str, fingerprint: &str) -> bool {
        let key = self.keys.len();
        let before = self.secrets.len();
        self.keys.push(Key {
            kind: kind.to_owned(),
            fingerprint: Some(fingerprint.to_owned()),
            encrypted: false,
            known_test_key: None,
        });
        match parts {
            Parts::Ed25519 { seed, .. } => self.secret(seed.as_slice(), key, "its seed", false),
            Parts::Ecdsa { scalar, .. } => self.secret(scalar, key, "its scalar", true),
            Parts::Rsa(RsaParts { d, p, q, .. }) => {
                for (number, what) in [(d, "its exponent"), (p, "its first prime"), (q, "its second prime")] {
                    self.secret(number, key, what, true);
                }
            }
        }
        self.secrets.len() > before
    }

    /// Adds a build secret, which is told of by its name. Gives whether it can be looked for: one of
    /// fewer than [`texts::MIN_TEXT`] bytes is not.
    pub fn add_text(&mut self, name: &str, text: &[u8]) -> bool {
        self.texts.add(name, text)
    }

    fn secret(&mut self, bytes: &[u8], key: usize, what: &'static str, number: bool) {
        let zeros = if number { bytes.iter().take_while(|byte| **byte == 0).count() } else { 0 };
        let bytes = &bytes[zeros..];
        if bytes.len() < MIN_SECRET {
            return;
        }
        let little = Zeroizing::new(bytes.iter().rev().copied().collect::<Vec<u8>>());
        self.order(Zeroizing::new(bytes.to_vec()), key, what);
        if number && little.as_slice() != bytes {
            self.order(little, key, what);
        }
    }

    fn order(&mut self, bytes: Zeroizing<Vec<u8>>, key: usize, what: &'static str) {
        let index = self.secrets.len();
        let literals = heads(&bytes[..HEAD]);
        for (literal, form) in literals {
            self.literals.push(literal);
            self.forms.push((index, form));
        }
        self.secrets.push(Secret { bytes, key, what });
    }

    /// The keys whose numbers are looked for.
    pub fn fingerprints(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.fingerprint.as_deref())
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.texts.is_empty()
    }
}

/// How these first bytes of something are written where nothing tells of an encoding.
fn heads(head: &[u8]) -> Vec<(Vec<u8>, Form)> {
    let mut literals = vec![(head.to_vec(), Form::Raw)];
    let digits = |upper: bool| {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).map_or(0, |digit| digit as u8);
        let lower = head.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
        lower.map(|digit| if upper { digit.to_ascii_uppercase() } else { digit }).collect::<Vec<u8>>()
    };
    literals.extend([false, true].map(|upper| (digits(upper), Form::Hex)));
    for phase in 0..3 {
        literals.extend(text::base64_of(head, phase).map(|literal| (literal, Form::Base64(phase))));
    }
    literals.dedup_by(|a, b| a.0 == b.0);
    literals
}

impl Family for Exact {
    fn rules(&self) -> Vec<RuleInfo> {
        let key = RuleInfo::new(RULE, "a number of a key that was lent or named", REMEDY, Severity::Error);
        let text = "a build secret that was lent or named";
        let text = RuleInfo::new(texts::RULE, text, texts::REMEDY, Severity::Error);
        let (keys, texts) = (!self.secrets.is_empty(), !self.texts.is_empty());
        keys.then_some(key).into_iter().chain(texts.then_some(text)).collect()
    }

    fn made_literals(&self) -> Vec<Vec<u8>> {
        [self.literals.as_slice(), &self.texts.literals].concat()
    }

    fn at_literal(&self, index: usize, at: usize, text: &Text<'_>, found: &mut Vec<Found>) {
        if let Some(index) = index.checked_sub(self.literals.len()) {
            return self.texts.at_literal(index, at, text, found);
        }
        let Some((secret, form)) =
            self.forms.get(index).and_then(|(index, form)| Some((self.secrets.get(*index)?, form)))
        else {
            return;
        };
        let here = match form {
            Form::Raw => text.bytes[at..].starts_with(&secret.bytes).then(|| (at, secret.bytes.len(), vec![])),
            Form::Hex => written(text.bytes, at, 4, 0, &secret.bytes).map(|end| (at, end - at, vec!["hex"])),
            Form::Base64(phase) => {
                // A literal at a later phase begins behind the character that it shares.
                let (skip, before) = BASE64_HEADS[*phase];
                let start = at.saturating_sub(before);
                written(text.bytes, at, 6, skip, &secret.bytes).map(|end| (start, end - start, vec!["base64"]))
            }
            Form::Wide => None,
        };
        if let (Some((at, length, wrapped)), Some(key)) = (here, self.keys.get(secret.key)) {
            let fingerprint = key.fingerprint.as_deref().unwrap_or_default();
            found.push(Found {
                rule: RULE,
                severity: Severity::Error,
                message: format!("this is {fingerprint}, a key that was lent or named: {}", secret.what),
                remedy: REMEDY,
                at,
                length,
                wrapped,
                key: Some(key.clone()),
            });
        }
    }
}

/// Whether the characters at `at`, each of `bits` bits, write `secret` from its bit `skip` on up
/// to its last whole character, whatever white space or quotes lie between; gives where they end.
fn written(bytes: &[u8], at: usize, bits: usize, skip: usize, secret: &[u8]) -> Option<usize> {
    let value = if bits == 4 { text::digit } else { text::value };
    let (mut at, mut bit, all) = (at, skip, secret.len() * 8);
    let mut between = 0;
    while bit < all {
        let byte = *bytes.get(at)?;
        let escape = matches!(byte, b'n' | b'r' | b't') && at > 0 && bytes[at - 1] == b'\\';
        let Some(value) = value(byte).filter(|_| !escape) else {
            between += 1;
            if between > MAX_BETWEEN || !(escape || b" \t\r\n\"'\\,:".contains(&byte)) {
                return None;
            }
            at += 1;
            continue;
        };
        between = 0;
        // As many of the character's bits as are of the secret: the last one may have others.
        let count = bits.min(all - bit);
        let expected = (0..count).fold(0, |value, index| {
            let bit = bit + index;
            value << 1 | (secret[bit / 8] >> (7 - bit % 8) & 1)
        });
        if value >> (bits - count) != expected {
            return None;
        }
        bit += count;
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests;
