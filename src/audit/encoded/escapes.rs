//! Binary in strings, as Python, C, JavaScript, JSON and URLs write it: some bytes as they are,
//! the others escaped. Found by what every private key's DER has near its beginning, a version.

use super::map::Map;
use super::text::digit;

/// An INTEGER of one byte, 0 to 3 (X.690, section 8.3), and two zeros of an OpenSSH key, escaped
/// in each way.
pub(super) const LITERALS: [&[u8]; 6] =
    [b"\\x02\\x01\\", b"\\u0002\\u0001\\u000", b"\\002\\001\\00", b"\\2\\1\\", b"%02%01%0", OPENSSH];
/// Behind it comes a zero.
const OPENSSH: &[u8] = b"openssh-key-v1";

/// How far back the beginning of a string is looked for.
const MAX_BACK: usize = 4 * 1024;
/// The most bytes of a string that are decoded.
const MAX_STRING: usize = 64 * 1024;

/// The string around `at`, decoded; gives where it ends: up to each kind of quote, because the one that begins it may
/// lie too far back.
pub(super) fn strings(bytes: &[u8], at: usize, mut each: impl FnMut(Vec<u8>, Map)) -> usize {
    let behind = bytes[at..].strip_prefix(OPENSSH).map(|behind| behind.first());
    if behind.is_some_and(|behind| !matches!(behind, Some(b'\\' | b'%'))) {
        return at;
    }
    if bytes[at] == b'%' || behind == Some(Some(&b'%')) {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"%-_.~+*'()!$".contains(&byte);
        let start = back(at, |at| !inside(bytes[at]));
        let (decoded, units) = percent(&bytes[start..bytes.len().min(start + MAX_STRING)], start, inside);
        let end = units.last().map_or(at, |unit| unit.0 + 1);
        each(decoded, Map::Each(units));
        return end;
    }
    let start = back(at, |at| matches!(bytes[at], b'\n' | b'"' | b'\'' | b'`') && (at == 0 || bytes[at - 1] != b'\\'));
    let (mut before, mut end) = (None, usize::MAX);
    for quote in [b'"', b'\''] {
        let (decoded, units) = string(bytes, start, quote);
        // Beyond the first of the two ends, another string may begin.
        end = end.min(units.last().map_or(at, |unit| unit.0 + 1));
        if before.as_ref() != Some(&decoded) {
            each(decoded.clone(), Map::Each(units));
            before = Some(decoded);
        }
    }
    end
}

fn back(at: usize, stops: impl Fn(usize) -> bool) -> usize {
    let limit = at.saturating_sub(MAX_BACK);
    (limit..at).rev().find(|at| stops(*at)).map_or(limit, |at| at + 1)
}

fn percent(text: &[u8], start: usize, inside: impl Fn(u8) -> bool) -> (Vec<u8>, Vec<(usize, u8)>) {
    let (mut decoded, mut units, mut at) = (Vec::new(), Vec::new(), 0);
    while at < text.len() && inside(text[at]) {
        let (byte, length) = match text[at..] {
            [b'%', high, low, ..] if digit(high).is_some() && digit(low).is_some() => (pair(high, low), 3),
            [b'+', ..] => (b' ', 1),
            _ => (text[at], 1),
        };
        decoded.push(byte);
        units.push((start + at, length));
        at += usize::from(length);
    }
    (decoded, units)
}

/// The string from `start` to the quote that ends it, and those that are concatenated to it.
fn string(bytes: &[u8], start: usize, quote: u8) -> (Vec<u8>, Vec<(usize, u8)>) {
    let (mut decoded, mut units, mut at) = (Vec::new(), Vec::new(), start);
    let end = bytes.len().min(start + MAX_STRING);
    while at < end {
        if bytes[at] == quote {
            match concatenated(&bytes[at..end], quote) {
                Some(length) => at += length,
                None => break,
            }
            continue;
        }
        let (byte, length) = unit(&bytes[at..end]);
        if let Some(byte) = byte {
            decoded.push(byte);
            units.push((at, length));
        }
        at += usize::from(length);
    }
    (decoded, units)
}

/// From a closing quote to behind the opening one of the next string, if that is all.
fn concatenated(text: &[u8], quote: u8) -> Option<usize> {
    let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'+' | b'\\' | b'.' | b'b' | b'B');
    let length = 1 + text[1..].iter().take(128).take_while(|byte| between(byte)).count();
    (length > 1 && text.get(length) == Some(&quote)).then_some(length + 1)
}

/// The byte that is written here, and how long it is; an escaped line's end is none.
fn unit(text: &[u8]) -> (Option<u8>, u8) {
    match *text {
        [b'\\', b'x', high, low, ..] if digit(high).is_some() && digit(low).is_some() => (Some(pair(high, low)), 4),
        [b'\\', b'u', b'0', b'0', high, low, ..] if digit(high).is_some() && digit(low).is_some() => {
            (Some(pair(high, low)), 6)
        }
        [b'\\', first @ b'0'..=b'7', ..] => {
            let digits = text[1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            // Three digits only where they make a byte.
            let digits = if digits == 3 && first > b'3' { 2 } else { digits };
            let value = text[1..=digits].iter().fold(0_u8, |value, byte| value << 3 | (byte - b'0'));
            (Some(value), 1 + u8::try_from(digits).unwrap_or(3))
        }
        [b'\\', b'\n', ..] => (None, 2),
        [b'\\', letter, ..] => {
            let byte = match letter {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'a' => 7,
                b'b' => 8,
                b'f' => 0x0c,
                b'v' => 0x0b,
                b'e' => 0x1b,
                other => other,
            };
            (Some(byte), 2)
        }
        // The characters U+0080 to U+00FF in UTF-8: bytes of a string of Latin-1.
        [lead @ (0xc2 | 0xc3), next @ 0x80..=0xbf, ..] => (Some((lead & 3) << 6 | (next & 0x3f)), 2),
        [byte, ..] => (Some(byte), 1),
        [] => (None, 1),
    }
}

fn pair(high: u8, low: u8) -> u8 {
    digit(high).unwrap_or(0) << 4 | digit(low).unwrap_or(0)
}
