//! GnuPG's own store of secret keys (`private-keys-v1.d`), as S-expressions (RFC 9804): canonical,
//! or in the text form of GnuPG 2.2 and later.
//!
//! LSH's keys are the same, and are read too. Refuses stubs of keys that lie on a card
//! (`shadowed-private-key`).

use zeroize::Zeroizing;

use super::seen::{Public, Seen, is_zero, looks_random};
use super::{curve, rsa};
use crate::signer::{Curve, Parts};

/// What a key is found by: open in either form, and protected in both.
pub(super) const LITERALS: [&[u8]; 2] = [b"private-key(", b"private-key ("];
/// What may stand before it, and whether that says that the key is protected.
const BEFORE: [(&[u8], bool); 4] = [(b"(11:", false), (b"(", false), (b"(21:protected-", true), (b"(protected-", true)];
/// The most bytes of a key: an RSA-8192 key in hexadecimal has 10 KiB.
const MAX_KEY: usize = 24 * 1024;
/// The most lists in a key, and how deep they may lie in one another.
const MAX_LISTS: usize = 64;
const MAX_DEPTH: usize = 8;
/// The fewest bytes that are protected: an Ed25519 key and what is around it.
const MIN_PROTECTED: usize = 40;

/// The key one of whose [`LITERALS`] is at `at`, and where it begins.
pub(super) fn around(bytes: &[u8], at: usize) -> Option<(Seen, usize)> {
    let (before, encrypted) = BEFORE.into_iter().find(|(before, _)| bytes[..at].ends_with(before))?;
    let start = at - before.len();
    let lists = Lists::read(&bytes[start..bytes.len().min(start + MAX_KEY)])?;
    let public = lists.public(encrypted)?;
    Some((public.seen("pgp-secret-key", "GnuPG's key store", encrypted, lists.length), start))
}

/// The lists of a name and values, in order.
struct Lists {
    all: Vec<Vec<Zeroizing<Vec<u8>>>>,
    length: usize,
}

impl Lists {
    fn read(text: &[u8]) -> Option<Self> {
        let mut all: Vec<Vec<_>> = Vec::new();
        let mut open = Vec::new();
        let mut rest = text;
        loop {
            let (&first, after) = rest.split_first()?;
            match first {
                b'(' if all.len() < MAX_LISTS && open.len() < MAX_DEPTH => {
                    open.push(all.len());
                    all.push(Vec::new());
                    rest = after;
                }
                b')' => {
                    open.pop()?;
                    rest = after;
                    if open.is_empty() {
                        return Some(Self { all, length: text.len() - rest.len() });
                    }
                }
                b' ' | b'\n' | b'\r' | b'\t' => rest = after,
                _ => {
                    let (atom, behind) = atom(rest)?;
                    all[*open.last()?].push(atom);
                    rest = behind;
                }
            }
        }
    }

    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        let list = self.all.iter().find(|list| list.first().is_some_and(|own| own.as_slice() == name))?;
        list.get(1).map(|value| value.as_slice())
    }

    fn has(&self, name: &[u8]) -> bool {
        self.all.iter().any(|list| list.first().is_some_and(|own| own.as_slice() == name))
    }

    fn public(&self, encrypted: bool) -> Option<Public> {
        if encrypted {
            let list = self.all.iter().find(|list| list.first().is_some_and(|own| own.as_slice() == b"protected"))?;
            let secret = list.last()?;
            let whole = list.get(1)?.starts_with(b"openpgp-") && secret.len() >= MIN_PROTECTED;
            if !whole || !looks_random(&secret[..MIN_PROTECTED]) {
                return None;
            }
        }
        // LSH names the algorithm with its padding; the numbers are called the same.
        if self.has(b"rsa") || self.has(b"rsa-pkcs1") {
            let (n, e) = (self.value(b"n")?, self.value(b"e")?);
            if encrypted {
                let bits = super::number::bits(n);
                return (rsa::MIN_BITS..=rsa::MAX_BITS).contains(&bits).then(|| Public::rsa(n, e));
            }
            rsa::public(n, e, self.value(b"d")?, &[self.value(b"p")?, self.value(b"q")?])
        } else if self.has(b"ecc") {
            self.curve(encrypted)
        } else {
            let is_dsa = self.has(b"dsa");
            if !is_dsa && !self.has(b"elg") {
                return None;
            }
            let (p, y) = (self.value(b"p")?, self.value(b"y")?);
            let whole = !is_zero(y) && super::number::less(y, p) && (encrypted || !is_zero(self.value(b"x")?));
            if !whole {
                return None;
            }
            // With the fingerprint that the same key has in every other format.
            Some(if is_dsa { Public::dsa(p, self.value(b"q")?, self.value(b"g")?, y) } else { Public::named("elg") })
        }
    }

    fn curve(&self, encrypted: bool) -> Option<Public> {
        let (name, point) = (self.value(b"curve")?, self.value(b"q")?);
        let secret = if encrypted { &[][..] } else { self.value(b"d").filter(|secret| !is_zero(secret))? };
        let named = match name {
            b"Ed25519" => {
                let public = point.strip_prefix(b"\x40").unwrap_or(point);
                return if encrypted { Public::ed25519(public) } else { curve::ed25519(secret, Some(public), false) };
            }
            b"NIST P-256" | b"nistp256" => Curve::P256,
            b"NIST P-384" | b"nistp384" => Curve::P384,
            b"NIST P-521" | b"nistp521" => Curve::P521,
            b"Curve25519" | b"cv25519" => {
                return (point.len() == 33 && (encrypted || secret.len() <= 33)).then(|| Public::named("cv25519"));
            }
            _ => return None,
        };
        if encrypted {
            return Public::point(named, point);
        }
        let scalar = Zeroizing::new(secret.to_vec());
        Public::computed(&Parts::Ecdsa { curve: named, scalar, point: Some(point.to_vec()) })
    }
}

/// One value: `3:abc`, `#616263#`, `"abc"` (not decoded) or `abc`.
fn atom(text: &[u8]) -> Option<(Zeroizing<Vec<u8>>, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=5).contains(&digits) && text.get(digits) == Some(&b':') {
        let length: usize = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
        let (value, rest) = text[digits + 1..].split_at_checked(length)?;
        return Some((Zeroizing::new(value.to_vec()), rest));
    }
    match text[0] {
        b'#' => {
            let end = memchr::memchr(b'#', &text[1..])? + 1;
            let mut value = Zeroizing::new(Vec::with_capacity(end / 2));
            let mut half = None;
            for byte in text[1..end].iter().filter(|byte| !byte.is_ascii_whitespace()) {
                let digit = char::from(*byte).to_digit(16)? as u8;
                match half.take() {
                    Some(high) => value.push(high << 4 | digit),
                    None => half = Some(digit),
                }
            }
            half.is_none().then_some((value, &text[end + 1..]))
        }
        b'"' => {
            let mut at = 1;
            while *text.get(at)? != b'"' {
                at += if text[at] == b'\\' { 2 } else { 1 };
            }
            Some((Zeroizing::new(text[1..at].to_vec()), &text[at + 1..]))
        }
        _ => {
            let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-./_:*+=".contains(byte);
            let length = text.iter().take_while(|byte| word(byte)).count();
            (length > 0).then(|| (Zeroizing::new(text[..length].to_vec()), &text[length..]))
        }
    }
}
