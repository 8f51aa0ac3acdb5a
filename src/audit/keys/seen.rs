//! What a recogniser says of a key, and the finding that is made of it.
//!
//! Only the public half goes in here.

use super::known;
use crate::audit::finding::{Found, Key, Severity};
use crate::signer::blob::{fingerprint, of_strings, put_mpint, trimmed};
use crate::signer::{self, Curve, Parts};
use crate::wire::put_string;

/// What a key calls for.
pub(super) const REPLACE: &str = "replace this key wherever it is trusted, and build without it in the image: lend it with \
                       `valetkey run`, or mount it as a build secret";
const LOCKED: &str = "its passphrase is all that protects it: replace the key, and build without it in the image";
const TEST: &str = "nothing, as long as nothing trusts this published key";

/// The type of a key that its encryption hides.
pub(super) const UNKNOWN: &str = "unknown";
/// Findings that [`push`] looks back at.
const LAYERS: usize = 4;

/// A key that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The id of the rule.
    pub(super) rule: &'static str,
    /// The format, in words that fit behind "private key in".
    pub(super) format: &'static str,
    /// The type: see [`Key::kind`].
    pub(super) kind: String,
    /// See [`Key::fingerprint`].
    pub(super) fingerprint: Option<String>,
    /// Whether a passphrase is needed.
    pub(super) encrypted: bool,
    /// Bytes that it takes.
    pub(super) length: usize,
    /// The digest of the key as it is stored, where there is no fingerprint: what encrypted test
    /// keys are known by. Never shown.
    pub(super) digest: Option<String>,
}

impl Seen {
    /// With the digest of the bytes that it is in, if that is all there is.
    pub(super) fn stored_as(mut self, bytes: &[u8]) -> Self {
        if self.fingerprint.is_none() && self.digest.is_none() {
            self.digest = Some(format!("stored:{}", fingerprint(bytes)));
        }
        self
    }

    /// What the list of known test keys has it under.
    pub(super) fn identity(&self) -> Option<&str> {
        self.fingerprint.as_deref().or(self.digest.as_deref())
    }
}

/// A public half: its type, and its fingerprint where it has one.
pub(super) struct Public {
    pub(super) kind: String,
    pub(super) fingerprint: Option<String>,
}

impl Public {
    pub(super) fn named(kind: &str) -> Self {
        Self { kind: kind.to_owned(), fingerprint: None }
    }

    /// Of an SSH public key blob (RFC 4253 §6.6) of that type.
    pub(super) fn of_blob(kind: &str, blob: &[u8]) -> Self {
        Self { kind: kind.to_owned(), fingerprint: Some(fingerprint(blob)) }
    }

    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self::of_numbers("ssh-rsa", &[e, n])
    }

    pub(super) fn dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Self {
        Self::of_numbers("ssh-dss", &[p, q, g, y])
    }

    fn of_numbers(kind: &str, numbers: &[&[u8]]) -> Self {
        let mut blob = Vec::with_capacity(numbers.iter().map(|number| number.len() + 5).sum::<usize>() + 16);
        put_string(&mut blob, kind.as_bytes());
        for number in numbers {
            put_mpint(&mut blob, number);
        }
        Self::of_blob(kind, &blob)
    }

    /// Of a point on a NIST curve that nothing is computed for.
    pub(super) fn point(curve: Curve, point: &[u8]) -> Option<Self> {
        let fits = point.len() == 1 + 2 * curve.width() && point[0] == 4;
        let blob = of_strings(&[curve.algorithm().as_bytes(), curve.name().as_bytes(), point]);
        fits.then(|| Self::of_blob(curve.algorithm(), &blob))
    }

    /// Of a public Ed25519 key.
    pub(super) fn ed25519(public: &[u8]) -> Option<Self> {
        (public.len() == 32).then(|| Self::of_blob("ssh-ed25519", &of_strings(&[b"ssh-ed25519", public])))
    }

    /// Of an elliptic curve's private parts: computed, and compared with what the file says.
    pub(super) fn computed(parts: &Parts) -> Option<Self> {
        let kind = match parts {
            Parts::Ed25519 { .. } => "ssh-ed25519",
            Parts::Ecdsa { curve, .. } => curve.algorithm(),
            Parts::Rsa(_) => return None,
        };
        signer::build(parts).ok().map(|key| Self::of_blob(kind, &key.blob))
    }

    pub(super) fn seen(self, rule: &'static str, format: &'static str, encrypted: bool, length: usize) -> Seen {
        Seen { rule, format, kind: self.kind, fingerprint: self.fingerprint, encrypted, length, digest: None }
    }
}

/// Whether bytes look like secret ones: not text, not zeros, not a table. What is searched for
/// in binaries and has no public half to be checked with must pass this; fewer than one random key
/// in a million does not.
pub(super) fn looks_random(bytes: &[u8]) -> bool {
    let mut counts = [0_u8; 256];
    let mut text = 0;
    for byte in bytes {
        counts[usize::from(*byte)] = counts[usize::from(*byte)].saturating_add(1);
        text += usize::from(matches!(byte, 0x20..=0x7e));
    }
    let different = counts.iter().filter(|count| **count > 0).count();
    // 32 random bytes have 30 different ones and 12 that are printable.
    different * 4 >= bytes.len().min(96) * 3 && text * 10 <= bytes.len() * 8
}

/// Whether a number is wholly zero, as in a placeholder.
pub(super) fn is_zero(number: &[u8]) -> bool {
    trimmed(number).is_empty()
}

/// Adds the finding, unless the same key was found there already in another of its layers
/// (PKCS#1 inside of PKCS#8). `found` is of the same bytes.
pub(super) fn push(seen: Seen, at: usize, found: &mut Vec<Found>) {
    debug_assert!(super::RULES.iter().any(|(id, _)| *id == seen.rule), "{} is in no list", seen.rule);
    let known = seen.identity().and_then(known::package);
    let locked = if seen.encrypted { "encrypted " } else { "" };
    let kind = if seen.kind == UNKNOWN { String::new() } else { format!("{} ", seen.kind) };
    let what = format!("{locked}{kind}private key in {}", seen.format);
    let (severity, remedy, message) = match (known, seen.encrypted) {
        (Some(package), _) => (Severity::Note, TEST, format!("known test key of {package}: {what}")),
        (None, true) => (Severity::Warning, LOCKED, what),
        // What is stored of it is a handle: the secret lies in a device.
        (None, false) if seen.kind.starts_with("sk-") => (Severity::Warning, REPLACE, what),
        (None, false) => (Severity::Error, REPLACE, what),
    };
    let key = Key {
        kind: seen.kind,
        fingerprint: seen.fingerprint,
        encrypted: seen.encrypted,
        known_test_key: known.map(str::to_owned),
    };
    let range = at..at + seen.length;
    let again =
        found.iter().rev().take(LAYERS).any(|other| {
            other.key.as_ref() == Some(&key) && other.at < range.end && range.start < other.at + other.length
        });
    if !again {
        found.push(Found {
            rule: seen.rule,
            severity,
            message,
            remedy,
            at,
            length: seen.length,
            wrapped: Vec::new(),
            key: Some(key),
        });
    }
}
