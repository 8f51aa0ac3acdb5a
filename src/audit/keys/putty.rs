//! PuTTY's `.ppk`, versions 1 to 3 (PuTTY manual, appendix C).

use zeroize::Zeroizing;

use super::seen::{Public, Seen, is_zero};
use super::{armour, base64, curve, openssh, rsa};
use crate::wire::Fields;

/// The literal that every version begins with.
pub(super) const HEADER: &[u8] = b"PuTTY-User-Key-File-";
/// The most bytes of a file: an RSA-16384 key has 14 KiB.
const MAX_FILE: usize = 24 * 1024;
/// The most lines of base64 that a header may announce.
const MAX_LINES: usize = 512;

/// The key whose [`HEADER`] is at `at`.
pub(super) fn at(bytes: &[u8], at: usize) -> Option<Seen> {
    let (version, after) = bytes.get(at + HEADER.len()..)?.split_first()?;
    if !(b'1'..=b'3').contains(version) || !after.starts_with(b":") {
        return None;
    }
    let mac: &[u8] = if *version == b'1' { b"Private-Hash:" } else { b"Private-MAC:" };
    let near = &bytes[at..bytes.len().min(at + MAX_FILE)];
    // The next header is another key: so however many there are, each byte is read once.
    let next = memchr::memmem::find(&near[1..], HEADER).map_or(near.len(), |next| next + 1);
    let end = at + memchr::memmem::find(&near[..next], mac)?;
    let digits = bytes[end + mac.len()..].trim_ascii_start();
    let digest = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let length = bytes.len() - digits.len() + digest - at;
    if digest != if *version == b'3' { 64 } else { 40 } {
        return None;
    }
    let raw = read(&bytes[at + HEADER.len() + 2..end]);
    raw.or_else(|| read(&armour::unwrapped(bytes, at, end)[HEADER.len() + 2..])).map(|mut seen| {
        seen.length = length;
        seen
    })
}

/// What stands between the version and the MAC, word by word, so that line ends do not matter.
fn read(text: &[u8]) -> Option<Seen> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let kind = words.next()?;
    if words.next()? != b"Encryption:" {
        return None;
    }
    let encrypted = match words.next()? {
        b"none" => false,
        b"aes256-cbc" => true,
        _ => return None,
    };
    words.find(|word| *word == b"Public-Lines:")?;
    let blob = lines(&mut words)?;
    let public = openssh::public_blob(&blob).filter(|public| public.kind.as_bytes() == kind)?;
    words.find(|word| *word == b"Private-Lines:")?;
    let private = lines(&mut words)?;
    if words.next().is_some() {
        return None;
    }
    let fits =
        if encrypted { !private.is_empty() && private.len() % 16 == 0 } else { belongs(&blob, &private, &public) };
    fits.then(|| public.seen("putty-private-key", "PuTTY format", encrypted, 0))
}

fn lines<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Option<Zeroizing<Vec<u8>>> {
    let count: usize = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let mut text = Zeroizing::new(Vec::with_capacity(count.min(MAX_LINES) * 64));
    for _ in 0..(count <= MAX_LINES).then_some(count)? {
        text.extend_from_slice(words.next()?);
    }
    base64::exactly(&text)
}

/// Whether the private fields are those of the public key.
fn belongs(blob: &[u8], private: &[u8], public: &Public) -> bool {
    belonging(blob, private).is_some_and(|own| own.fingerprint == public.fingerprint)
}

fn belonging(blob: &[u8], private: &[u8]) -> Option<Public> {
    let (mut public, mut private) = (Fields::new(blob), Fields::new(private));
    let kind = public.string().ok()?;
    match kind {
        b"ssh-rsa" => {
            let (e, n) = (public.unsigned().ok()?, public.unsigned().ok()?);
            let mut secret = || private.unsigned().ok();
            let (d, p, q, q_inverse) = (secret()?, secret()?, secret()?, secret()?);
            if is_zero(q_inverse) { None } else { rsa::public(n, e, d, &[p, q]) }
        }
        b"ssh-dss" => {
            let mut number = || public.unsigned().ok();
            let (p, q, g, y) = (number()?, number()?, number()?, number()?);
            rsa::is_dsa(p, q, g, private.unsigned().ok()?).then(|| Public::dsa(p, q, g, y))
        }
        b"ssh-ed25519" => {
            // To PuTTY a little-endian number, so that zeros at its end are left out.
            let digits = private.string().ok()?;
            let mut seed = Zeroizing::new([0; 32]);
            seed.get_mut(..digits.len())?.copy_from_slice(digits);
            curve::ed25519(&*seed, Some(public.string().ok()?), false)
        }
        _ => {
            let named = curve::by_ssh(kind)?;
            public.string().ok()?;
            named.public(private.string().ok()?, Some(public.string().ok()?), false)
        }
    }
}
