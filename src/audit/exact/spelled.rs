//! A text where it is spelled out in a string of some language: any of its bytes may be escaped as
//! JSON, YAML, C, a shell, an address or HTML does it, and the others are as they are.

use crate::audit::encoded::text::digit;

/// The most bytes that one byte is spelled with.
const MAX_UNIT: usize = 16;
/// The most places that a spelling with two readings is followed to at once.
const MAX_READINGS: usize = 8;
/// The most backslashes in a row that stand for one: strings in strings in strings.
const MAX_BACKSLASHES: usize = 8;

/// Where the spelling of `text` ends that begins at `at`, the longest.
pub(super) fn forward(bytes: &[u8], at: usize, text: &[u8]) -> Option<usize> {
    let mut ends = vec![at];
    for &byte in text {
        if let [end] = ends.as_mut_slice()
            && bytes.get(*end) == Some(&byte)
            && !introduces(byte)
        {
            *end += 1;
            continue;
        }
        let mut next = Vec::new();
        for end in ends {
            units(bytes.get(end..).unwrap_or_default(), byte, |length| add(&mut next, end + length));
        }
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Where the spelling of `text` begins that ends before `at`, the longest.
pub(super) fn backward(bytes: &[u8], at: usize, text: &[u8]) -> Option<usize> {
    let mut starts = vec![at];
    for &byte in text.iter().rev() {
        let mut before = Vec::new();
        for end in starts {
            for length in 1..=MAX_UNIT.min(end) {
                let unit = bytes.get(end - length..end).unwrap_or_default();
                units(unit, byte, |found| {
                    if found == length {
                        add(&mut before, end - length);
                    }
                });
            }
        }
        if before.is_empty() {
            return None;
        }
        starts = before;
    }
    starts.into_iter().min()
}

fn add(places: &mut Vec<usize>, place: usize) {
    if places.len() < MAX_READINGS && !places.contains(&place) {
        places.push(place);
    }
}

/// Whether a byte may begin the spelling of another.
fn introduces(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | b'\r')
}

/// The lengths of all spellings of `byte` that `text` begins with.
fn units(text: &[u8], byte: u8, mut each: impl FnMut(usize)) {
    let Some(&first) = text.first() else { return };
    if first == byte {
        each(1);
    }
    match (first, byte) {
        (b'\\', _) => escaped(text, byte, each),
        (b'%', _) => {
            if let [_, high, low, ..] = text
                && pair(*high, *low) == Some(byte)
            {
                each(3);
            }
        }
        (b'+', b' ') => each(1),
        (b'\r', b'\n') if text.get(1) == Some(&b'\n') => each(2),
        (b'&', _) => {
            if let Some(length) = reference(text, byte) {
                each(length);
            }
        }
        _ => {}
    }
}

fn pair(high: u8, low: u8) -> Option<u8> {
    Some(digit(high)? << 4 | digit(low)?)
}

/// Behind one or more backslashes.
fn escaped(text: &[u8], byte: u8, mut each: impl FnMut(usize)) {
    let run = text.iter().take(MAX_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    if byte == b'\\' {
        (2..=run).filter(|length| length.is_power_of_two()).for_each(&mut each);
    }
    let Some(behind @ [letter, ..]) = text.get(run..) else { return };
    let simple = match letter {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'a' => Some(7),
        b'b' => Some(8),
        b'v' => Some(11),
        b'f' => Some(12),
        b'e' | b'E' => Some(27),
        letter if !letter.is_ascii_alphanumeric() => Some(*letter),
        _ => None,
    };
    if simple == Some(byte) {
        each(run + 1);
    }
    let digits = |skip: usize, count: usize, base: u32| {
        let digits = behind.get(skip..skip + count)?;
        let value = digits.iter().try_fold(0, |value, byte| Some(value * base + char::from(*byte).to_digit(base)?))?;
        (value == u32::from(byte)).then_some(run + skip + count)
    };
    let hex = match letter {
        b'x' => digits(1, 2, 16),
        b'u' => digits(1, 4, 16),
        b'U' => digits(1, 8, 16),
        _ => None,
    };
    hex.into_iter().for_each(&mut each);
    (1..=3).filter_map(|count| digits(0, count, 8)).for_each(each);
}

/// A character reference of HTML.
fn reference(text: &[u8], byte: u8) -> Option<usize> {
    let end = text.iter().take(MAX_UNIT).position(|byte| *byte == b';')?;
    let value = match std::str::from_utf8(text.get(1..end)?).ok()? {
        "amp" => b'&',
        "lt" => b'<',
        "gt" => b'>',
        "quot" => b'"',
        "apos" => b'\'',
        number => match number.strip_prefix('#')?.split_at_checked(1)? {
            ("x" | "X", hex) => u8::from_str_radix(hex, 16).ok()?,
            _ => number.get(1..)?.parse().ok()?,
        },
    };
    (value == byte).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_read(spelled: &str, text: &str) {
        let bytes = ["..", spelled, ".."].concat();
        let (start, end) = (2, 2 + spelled.len());
        assert_eq!(forward(bytes.as_bytes(), start, text.as_bytes()), Some(end), "{spelled}");
        assert_eq!(backward(bytes.as_bytes(), end, text.as_bytes()), Some(start), "{spelled}");
        for at in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[at] = other[at].wrapping_add(1);
            assert_ne!(forward(bytes.as_bytes(), start, &other), Some(end), "{spelled} is not {other:?}");
        }
    }

    #[test]
    fn each_languages_way_of_escaping_is_read() {
        for spelled in [
            "a\"b\\c\n/d e'&",
            r#"a\"b\\c\n/d e'&"#,
            r#"a\"b\\c\n\/d e'&"#,
            r#"a\\\"b\\\\c\\n/d e'&"#,
            r"a\u0022b\u005cc\u000A\u002fd\u0020e\u0027\u0026",
            r"a\x22b\x5Cc\x0a/d\x20e\x27&",
            r"a\42b\134c\012/d\ e\'&",
            "a%22b%5cc%0A%2Fd%20e%27%26",
            "a%22b%5Cc%0A/d+e'%26",
            "a&quot;b\\c\n/d e&#39;&amp;",
            "a&#34;b&#x5c;c&#10;/d e&apos;&",
            "a\"b\\c\r\n/d e'&",
            r"\u0061\u0022\u0062\u005c\u0063\u000a\u002f\u0064\u0020\u0065\u0027\u0026",
        ] {
            is_read(spelled, "a\"b\\c\n/d e'&");
        }
    }

    #[test]
    fn what_only_looks_escaped_is_read_as_it_is() {
        for text in [r"a\nb", r"\\", r"100%41", "&amp;", r"\u0041\x41", "%", r"\"] {
            is_read(text, text);
        }
        is_read(r"a\\nb", r"a\nb");
        is_read("%2541", "%41");
    }

    #[test]
    fn bytes_that_end_early_or_never_end_are_no_match() {
        for bytes in [&b"\\"[..], b"\\u00", b"%4", b"&#", b"&#x", b"&;", b"", b"\\x", b"\\1"] {
            assert_eq!(forward(bytes, 0, b"A"), None, "{bytes:?}");
        }
        assert_eq!(backward(b"", 0, b"A"), None);
        let backslashes = vec![b'\\'; 10_000];
        assert!(forward(&backslashes, 0, &[b'\\'; 5_000]).is_some(), "with two readings for each");
    }
}
