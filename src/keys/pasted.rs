//! Finds PEM blocks (RFC 7468) in what people really paste.
//!
//! Owns tolerance: line ends of any kind, none, or written as `\n`; quotes, indentation, a BOM,
//! text around the keys, UTF-16, and base64 of the whole file. Refuses to guess at a body:
//! what stands between the markers is base64, or the block is damaged.

use base64ct::{Base64Unpadded, Encoding as _};
use zeroize::Zeroizing;

use super::rejected::{Cut, Rejected};

const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";
const DASHES: &[u8] = b"-----";
/// The longest label between `BEGIN` and the dashes that is looked for.
const MAX_LABEL: usize = 64;

/// One block: its label without blanks (`OPENSSHPRIVATEKEY`), and what stands inside.
pub(super) struct Block<'a> {
    pub(super) label: String,
    pub(super) inside: Result<&'a [u8], Cut>,
}

/// All blocks of a text, in order. A block that has no END line ends where the next begins.
pub(super) fn blocks(text: &[u8]) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, BEGIN) {
        rest = &rest[at + BEGIN.len()..];
        let Some(length) = find(&rest[..rest.len().min(MAX_LABEL)], DASHES) else {
            continue;
        };
        let label = label(&rest[..length]);
        let after = &rest[length + DASHES.len()..];
        let next = find(after, BEGIN).unwrap_or(after.len());
        let inside = match find(&after[..next], END) {
            Some(end) if ended(&after[end + END.len()..next], &label) => Ok(&after[..end]),
            _ => Err(Cut::End),
        };
        rest = after;
        found.push(Block { label, inside });
    }
    found
}

/// Whether what follows `-----END` is the same label and five dashes.
fn ended(text: &[u8], expected: &str) -> bool {
    let text = &text[..text.len().min(MAX_LABEL)];
    find(text, DASHES).is_some_and(|length| label(&text[..length]) == expected)
}

fn label(text: &[u8]) -> String {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(*byte)).collect()
}

pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// What a block holds: the headers of an encrypted traditional key (RFC 1421), and bytes.
pub(super) struct Body {
    /// `Proc-Type` said that it is encrypted.
    pub(super) encrypted: bool,
    /// The value of `DEK-Info`: a cipher and an initialisation vector.
    pub(super) dek_info: Option<String>,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Takes headers and base64 apart.
pub(super) fn body(inside: &[u8]) -> Result<Body, Rejected> {
    let mut words = words(inside).peekable();
    let (mut encrypted, mut dek_info) = (false, None);
    while let Some(name) = words.next_if(|word| word.contains(&b':')) {
        // A header's value stands in the same word or in the next one.
        let colon = name.iter().position(|byte| *byte == b':').unwrap_or_default();
        let (name, mut value) = (&name[..colon], &name[colon + 1..]);
        if value.is_empty() {
            value = words.next().unwrap_or_default();
        }
        match name {
            b"Proc-Type" => encrypted = value.ends_with(b"ENCRYPTED"),
            b"DEK-Info" => dek_info = Some(String::from_utf8_lossy(value).into_owned()),
            _ => return Err(Rejected::Damaged),
        }
    }
    let mut base64 = Zeroizing::new(Vec::with_capacity(inside.len()));
    words.for_each(|word| base64.extend_from_slice(word));
    if base64.is_empty() {
        return Err(Rejected::Truncated(Cut::Body));
    }
    if base64.contains(&b'*') {
        return Err(Rejected::Masked);
    }
    Ok(Body { encrypted, dek_info, bytes: decoded(&mut base64)? })
}

/// Words between blanks, where a backslash, and a letter of `nrt` behind it, is blank too.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (first, tail) = rest.split_first()?;
            match first {
                b'\\' => {
                    let escape = tail.first().is_some_and(|byte| b"nrt".contains(byte));
                    rest = if escape { &tail[1..] } else { tail };
                }
                _ if first.is_ascii_whitespace() => rest = tail,
                _ => break,
            }
        }
        let blank = |byte: &u8| *byte == b'\\' || byte.is_ascii_whitespace();
        let length = rest.iter().position(blank).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(length);
        rest = tail;
        Some(word)
    })
}

/// Base64 of either alphabet, padded or not, without blanks. Changes only its own copy.
fn decoded(base64: &mut Vec<u8>) -> Result<Zeroizing<Vec<u8>>, Rejected> {
    let length = base64.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    base64.truncate(length);
    for byte in base64.iter_mut() {
        match byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            _ => {}
        }
    }
    if !base64.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)) {
        return Err(Rejected::Damaged);
    }
    if length % 4 == 1 {
        return Err(Rejected::Truncated(Cut::Inside));
    }
    let mut bytes = Zeroizing::new(vec![0; length / 4 * 3 + 3]);
    let written = Base64Unpadded::decode(&base64[..], &mut bytes).map_err(|_| Rejected::Truncated(Cut::Inside))?.len();
    bytes.truncate(written);
    Ok(bytes)
}

/// The bytes behind a text that is base64 as a whole, blanks and quotes aside.
pub(super) fn unwrapped(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.len()));
    for word in words(text) {
        base64.extend(word.iter().filter(|byte| !b"'\"".contains(byte)));
    }
    if base64.len() < 16 {
        return None;
    }
    decoded(&mut base64).ok().or_else(|| {
        // Cut in the middle of a byte: what can be read still says what it was.
        let length = base64.len() / 4 * 4;
        base64.truncate(length);
        decoded(&mut base64).ok()
    })
}

/// UTF-16 with a byte order mark, as Windows shells write it, in UTF-8.
pub(super) fn from_utf16(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let unit: fn([u8; 2]) -> u16 = match text {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 2));
    let units = text.chunks_exact(2).skip(1).map(|pair| unit([pair[0], pair[1]]));
    for c in char::decode_utf16(units) {
        let mut utf8 = [0; 4];
        out.extend_from_slice(c.unwrap_or('\u{fffd}').encode_utf8(&mut utf8).as_bytes());
    }
    Some(out)
}
