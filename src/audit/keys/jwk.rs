//! JSON Web Keys with their private part (RFC 7517, RFC 7518 §6, RFC 8037).
//!
//! Owns finding the object around `kty`, in JSON, in JSON that is a string of JSON, or in the
//! literal of a programming language. Refuses nested objects other than RSA's further primes.

use zeroize::Zeroizing;

use super::seen::{Public, Seen, is_zero};
use super::{base64, curve, rsa};

/// What a key is found by.
pub(super) const KTY: &[u8] = b"kty";
/// The most bytes between the start of an object and its `kty`.
const MAX_BEFORE: usize = 4 * 1024;
/// The most bytes of an object: an RSA-16384 key has 13 KiB.
const MAX_OBJECT: usize = 20 * 1024;
/// How deep objects and lists may lie in one another: further primes are objects of a list.
const MAX_DEPTH: usize = 3;
/// The most members of an object.
const MAX_MEMBERS: usize = 64;

/// The key whose [`KTY`] is at `at`, and where its object begins.
pub(super) fn around(bytes: &[u8], at: usize) -> Option<(Seen, usize)> {
    // Its value first: that is short, and mostly something else.
    let near = &bytes[at..bytes.len().min(at + 32)];
    if ![&b"RSA"[..], b"EC", b"OKP"].iter().any(|kind| memchr::memmem::find(near, kind).is_some()) {
        return None;
    }
    let before = at.saturating_sub(MAX_BEFORE);
    let start = before + memchr::memrchr(b'{', &bytes[before..at])?;
    let object = &bytes[start..bytes.len().min(start + MAX_OBJECT)];
    let members = Members::read(object)?;
    let public = members.public()?;
    Some((public.seen("jwk-private-key", "JWK format", false, members.length), start))
}

/// The members of an object whose values are texts.
struct Members<'a> {
    all: Vec<(&'a [u8], &'a [u8])>,
    /// Bytes of the object.
    length: usize,
}

impl<'a> Members<'a> {
    /// Word by word: quotes, backslashes and blanks between them do not matter.
    fn read(object: &'a [u8]) -> Option<Self> {
        let mut all = Vec::new();
        let mut at = 1;
        let (mut name, mut value, mut depth, mut typed) = (None, None, 1, false);
        while let Some(&byte) = object.get(at) {
            match byte {
                b'{' | b'[' if depth == MAX_DEPTH => return None,
                b'{' | b'[' => depth += 1,
                b':' => {}
                b',' | b'}' | b']' => {
                    if let (1, Some(name), Some(value)) = (depth, name, value) {
                        all.push((name, value));
                    }
                    (name, value) = (None, None);
                    depth -= usize::from(byte != b',');
                    if depth == 0 {
                        return Some(Self { all, length: at + 1 });
                    }
                    if all.len() > MAX_MEMBERS {
                        return None;
                    }
                }
                _ if word(byte) => {
                    let start = at;
                    while object.get(at).is_some_and(|byte| word(*byte)) {
                        at += 1;
                    }
                    let found = &object[start..at];
                    // Another key: so however many there are, each byte is read once.
                    if found == KTY && std::mem::replace(&mut typed, true) {
                        return None;
                    }
                    if name.is_none() {
                        name = Some(found)
                    } else {
                        value = value.or(Some(found))
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn text(&self, name: &str) -> Option<&'a [u8]> {
        let mut all = self.all.iter().filter(|(own, _)| *own == name.as_bytes());
        // Twice the same name is no object that means something.
        all.next().filter(|_| all.next().is_none()).map(|(_, value)| *value)
    }

    fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        base64::exactly(self.text(name)?)
    }

    fn public(&self) -> Option<Public> {
        let d = self.bytes("d").filter(|d| !is_zero(d))?;
        match self.text("kty")? {
            b"RSA" => {
                let (n, e) = (self.bytes("n")?, self.bytes("e")?);
                let several = self.all.iter().any(|(name, _)| *name == b"oth");
                match (self.bytes("p"), self.bytes("q")) {
                    (Some(p), Some(q)) if !several => rsa::public(&n, &e, &d, &[&p, &q]),
                    _ => rsa::public(&n, &e, &d, &[]),
                }
            }
            b"EC" => {
                let named = curve::by_jwk(self.text("crv")?)?;
                let point = [&[4], self.bytes("x")?.as_slice(), self.bytes("y")?.as_slice()].concat();
                named.public(&d, Some(&point), false)
            }
            b"OKP" => {
                let x = self.bytes("x")?;
                let sized = |width| d.len() == width && x.len() == width;
                match self.text("crv")? {
                    b"Ed25519" => curve::ed25519(&d, Some(&x), false),
                    b"X25519" => (curve::x25519(&d)?.as_slice() == x.as_slice()).then(|| Public::named("x25519")),
                    b"Ed448" => sized(57).then(|| Public::named("ed448")),
                    b"X448" => sized(56).then(|| Public::named("x448")),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn word(byte: u8) -> bool {
    base64::is_digit(byte) || matches!(byte, b'=' | b'.' | b'#')
}
