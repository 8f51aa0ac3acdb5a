//! Private keys that are lines of a text: WireGuard's configuration, BIND's `K*.private`.

use zeroize::Zeroizing;

use super::curve;
use super::seen::{Public, Seen, looks_random};
use super::{base64, rsa};
use crate::signer::{Curve, Parts};

/// What WireGuard's and systemd's configuration calls it.
pub(super) const PRIVATE_KEY: &[u8] = b"PrivateKey";
/// What NetworkManager and the variables of container images call it.
pub(super) const VALUES: [&[u8]; 2] = [b"private-key=", b"_PRIVATE_KEY="];
/// The first line of a DNSSEC key.
pub(super) const DNSSEC: &[u8] = b"Private-key-format: v1.";
/// Characters of 32 bytes in base64.
const WIREGUARD: usize = 44;
/// Bytes in front of a WireGuard key where its section may begin.
const SECTION_BEFORE: usize = 1024;
/// The most bytes of a DNSSEC key: RSA-4096 has 4 KiB.
const MAX_DNSSEC: usize = 12 * 1024;
/// The most lines of one: 10 numbers, and as many dates.
const MAX_FIELDS: usize = 32;

/// The WireGuard key whose name is at `at`.
pub(super) fn wireguard(bytes: &[u8], at: usize, name: &[u8]) -> Option<Seen> {
    let after = bytes[at + name.len()..].trim_ascii_start();
    let value = after.strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let text = value.get(..WIREGUARD)?;
    if !text.ends_with(b"=") || value.get(WIREGUARD).is_some_and(|next| base64::is_digit(*next) || *next == b'=') {
        return None;
    }
    let secret = base64::exactly(text).filter(|secret| secret.len() == 32 && looks_random(secret))?;
    // `wg genkey` clamps; the section says it too, where somebody made the key otherwise.
    let clamped = secret[0] & 7 == 0 && secret[31] & 0xc0 == 0x40;
    let before = &bytes[at.saturating_sub(SECTION_BEFORE)..at];
    let section = [&b"[Interface]"[..], b"[WireGuard]", b"[wireguard]"]
        .iter()
        .any(|name| memchr::memmem::rfind(before, name).is_some());
    if !clamped && !section {
        return None;
    }
    let public = curve::x25519(&secret)?;
    let fingerprint = <base64ct::Base64 as base64ct::Encoding>::encode_string(&public);
    let public = Public { kind: "wireguard".to_owned(), fingerprint: Some(fingerprint) };
    let length = bytes.len() - value.len() + WIREGUARD - at;
    Some(public.seen("wireguard-private-key", "WireGuard configuration", false, length))
}

/// The DNSSEC key whose [`DNSSEC`] is at `at` (as BIND writes it).
pub(super) fn dnssec(bytes: &[u8], at: usize) -> Option<Seen> {
    let file = &bytes[at..bytes.len().min(at + MAX_DNSSEC)];
    // The next one is another key: so however many there are, each byte is read twice at most.
    let next = memchr::memmem::find(&file[1..], DNSSEC).map_or(file.len(), |next| next + 1);
    let file = &file[..next];
    let end = at + file.len();
    read(file, file.len()).or_else(|| read(&super::armour::unwrapped(bytes, at, end), file.len()))
}

/// `whole` is how long the text is where it was found.
fn read(file: &[u8], whole: usize) -> Option<Seen> {
    let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
    let mut length = 0;
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else { break };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if fields.len() == MAX_FIELDS || fields.iter().any(|(other, _)| *other == name) {
            break;
        }
        fields.push((name, value));
        length += line.len();
    }
    let text = |name: &[u8]| fields.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    let bytes = |name: &[u8]| base64::exactly(text(name)?);
    let algorithm = std::str::from_utf8(text(b"Algorithm")?).ok()?;
    let algorithm: u8 = algorithm.split_ascii_whitespace().next()?.parse().ok()?;
    // The numbers of RFC 8624 §3.1.
    let public = match algorithm {
        1 | 5 | 7 | 8 | 10 => {
            let (n, e, d) = (bytes(b"Modulus")?, bytes(b"PublicExponent")?, bytes(b"PrivateExponent")?);
            rsa::public(&n, &e, &d, &[&bytes(b"Prime1")?, &bytes(b"Prime2")?])?
        }
        13 | 14 => {
            let curve = if algorithm == 13 { Curve::P256 } else { Curve::P384 };
            let scalar = bytes(b"PrivateKey").filter(|scalar| scalar.len() == curve.width())?;
            Public::computed(&Parts::Ecdsa { curve, scalar: Zeroizing::new(scalar.to_vec()), point: None })?
        }
        15 => curve::ed25519(&bytes(b"PrivateKey")?, None, false)?,
        16 => bytes(b"PrivateKey").filter(|secret| secret.len() == 57).map(|_| Public::named("ed448"))?,
        _ => return None,
    };
    Some(public.seen("dnssec-private-key", "DNSSEC format", false, length.min(whole)))
}
