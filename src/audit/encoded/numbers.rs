//! Lists of numbers: arrays of C and its like (`0x30, 0x82`, `48, 130`, `48, -126`), hexadecimal
//! bytes with something between (`30:82`, `30 82`, `30-82`), strings of nothing but escapes
//! (`\x30\x82`, `\060\202`, `\u0030`, `%30%82`). Found by a look at every 32nd byte, which the
//! survey took, because digits and separators follow one another for long there, and nowhere else.

use std::ops::Range;

use super::map::Map;
use super::text::digit;
use crate::audit::scan::survey::{LOOK, PART, Survey};

const _: () = assert!(2 * MIN_NUMBERS > PART + LOOK - 2, "a look falls into the shortest list");

/// The fewest digits of a look.
const MIN_DIGITS: usize = 4;
/// The fewest numbers that are worth decoding.
pub(super) const MIN_NUMBERS: usize = 24;

const CLASS: [bool; 256] = {
    let mut table = [false; 256];
    let text = b"0123456789abcdefABCDEFxXu \t\r\n,:;-{}[]|\"'\\%";
    let mut i = 0;
    while i < text.len() {
        table[text[i] as usize] = true;
        i += 1;
    }
    table
};

fn in_list(byte: u8) -> bool {
    CLASS[usize::from(byte)]
}

/// Tells where a look falls into digits and separators; goes on where it is told to.
pub(super) fn looks(bytes: &[u8], range: Range<usize>, survey: &Survey, mut each: impl FnMut(usize) -> usize) {
    let mut next = range.start;
    while let Some(at) = survey.decimals(next).filter(|at| *at < range.end) {
        let Some(look) = bytes.get(at..).and_then(<[u8]>::first_chunk::<LOOK>) else { break };
        let dense = look.iter().all(|byte| in_list(*byte)) && {
            let digits = look.iter().filter(|byte| digit(**byte).is_some()).count();
            (MIN_DIGITS..LOOK).contains(&digits)
        };
        next = if dense { each(at).max(at + 1) } else { at + 1 };
    }
}

/// The lists around `at`, none of which begins before `from`; gives where they end. `cut` says
/// that the bytes may begin inside of a number.
pub(super) fn lists(bytes: &[u8], from: usize, at: usize, cut: bool, mut each: impl FnMut(Vec<u8>, Map)) -> usize {
    let mut start = at;
    while start > from && in_list(bytes[start - 1]) {
        start -= 1;
    }
    if start == 0 && cut {
        while start < bytes.len() && bytes[start].is_ascii_alphanumeric() {
            start += 1;
        }
    }
    let mut list = List::default();
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        let Some((token, length)) = token(&bytes[at..], at.checked_sub(1).map(|before| bytes[before])) else {
            if !in_list(byte) {
                break;
            }
            at += 1;
            continue;
        };
        if !list.push(&token, at, length) {
            std::mem::take(&mut list).finish(&mut each);
            list.push(&token, at, length);
        }
        at += length;
    }
    list.finish(&mut each);
    at.max(start + 1)
}

enum Token<'a> {
    /// Written so that its base is clear: hexadecimal digits, an even number of them.
    Hex(&'a [u8]),
    /// A byte.
    Byte(u8),
    /// Digits that may be of either base.
    Plain(&'a [u8]),
    /// Letters and digits that are no number.
    Other,
}

/// The number that begins `text`, and the bytes it takes.
fn token(text: &[u8], before: Option<u8>) -> Option<(Token<'_>, usize)> {
    let digits = |from: usize| text[from..].iter().take(17).take_while(|byte| digit(**byte).is_some()).count();
    match text {
        [b'0', b'x' | b'X', ..] => Some(match digits(2) {
            // A byte without its leading zero.
            1 => (Token::Byte(digit(text[2])?), 3),
            count @ (2 | 4 | 8 | 16) => (Token::Hex(&text[2..2 + count]), 2 + count),
            count => (Token::Other, 2 + count),
        }),
        [b'\\', b'x', a, b, ..] if digit(*a).is_some() && digit(*b).is_some() => Some((Token::Hex(&text[2..4]), 4)),
        [b'%', a, b, ..] if digit(*a).is_some() && digit(*b).is_some() => Some((Token::Hex(&text[1..3]), 3)),
        [b'\\', b'u', b'0', b'0', a, b, ..] if digit(*a).is_some() && digit(*b).is_some() => {
            Some((Token::Hex(&text[4..6]), 6))
        }
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some((Token::Byte((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')), 4))
        }
        // A signed byte, as Java has them.
        [b'-', b'1'..=b'9', ..] if !before.is_some_and(|before| before.is_ascii_alphanumeric()) => {
            let count = digits(1);
            let value = decimal(&text[1..1 + count]).filter(|value| *value <= 128);
            Some(value.map_or((Token::Other, 1 + count), |value| (Token::Byte(value.wrapping_neg()), 1 + count)))
        }
        [first, ..] if digit(*first).is_some() => {
            let count = digits(0);
            Some((Token::Plain(&text[..count]), count))
        }
        [b'x' | b'X' | b'u', ..] => Some((Token::Other, 1)),
        _ => None,
    }
}

fn decimal(text: &[u8]) -> Option<u8> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Bytes, and where each came from.
type Units = (Vec<u8>, Vec<(usize, u8)>);

/// A list, read as hexadecimal and as decimal for as long as both are possible.
struct List {
    hex: Option<Units>,
    decimal: Option<Units>,
}

impl Default for List {
    fn default() -> Self {
        Self { hex: Some(Default::default()), decimal: Some(Default::default()) }
    }
}

impl List {
    /// Whether the token goes on with the list; if not, nothing has changed.
    fn push(&mut self, token: &Token<'_>, at: usize, length: usize) -> bool {
        let unit = (at, u8::try_from(length).unwrap_or(u8::MAX));
        let (hex, decimal) = match token {
            Token::Hex(digits) => (None, Some(super::text::hex(digits))),
            Token::Byte(byte) => (None, Some(vec![*byte])),
            Token::Plain(digits) => (
                (digits.len().is_multiple_of(2) && digits.len() <= 16).then(|| super::text::hex(digits)),
                (digits.len() <= 3).then(|| decimal(digits)).flatten().map(|byte| vec![byte]),
            ),
            Token::Other => (None, None),
        };
        let goes = (hex.is_some() && self.hex.is_some()) || (decimal.is_some() && self.decimal.is_some());
        if goes {
            for (list, bytes) in [(&mut self.hex, hex), (&mut self.decimal, decimal)] {
                match (list.as_mut(), bytes) {
                    (Some((all, units)), Some(bytes)) => {
                        units.extend(bytes.iter().map(|_| unit));
                        all.extend(bytes);
                    }
                    // The other reading is the right one, or this one ends here; a long one is
                    // not thrown away for a word of another form behind it.
                    (Some((all, _)), None) if all.len() < MIN_NUMBERS => *list = None,
                    _ => {}
                }
            }
        }
        goes
    }

    fn finish(self, each: &mut impl FnMut(Vec<u8>, Map)) {
        for (bytes, units) in [self.hex, self.decimal].into_iter().flatten() {
            if bytes.len() >= MIN_NUMBERS {
                each(bytes, Map::Each(units));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let survey = Survey::of(text.as_bytes(), text.len());
        looks(text.as_bytes(), 0..text.len(), &survey, |at| {
            lists(text.as_bytes(), 0, at, false, |bytes, _| all.push(bytes))
        });
        all
    }

    fn secret() -> Vec<u8> {
        (0..60_u32).map(|i| (i * 37 + 200) as u8).collect()
    }

    #[test]
    fn lists_of_all_forms_are_read() {
        type Form<'f> = (&'f str, &'f str, &'f dyn Fn(u8) -> String);
        let forms: [Form<'_>; 12] = [
            ("0x lower", ", ", &|b| format!("0x{b:02x}")),
            ("0x upper", ",", &|b| format!("0X{b:02X}")),
            ("0x short", ",\n\t", &|b| format!("0x{b:x}")),
            ("decimal", ", ", &|b| format!("{b}")),
            ("decimal, narrow", ",", &|b| format!("{b}")),
            ("decimal, aligned", ",", &|b| format!("{b:5}")),
            ("java", ", ", &|b| format!("{}", b as i8)),
            ("colons", ":", &|b| format!("{b:02x}")),
            ("spaces", " ", &|b| format!("{b:02X}")),
            ("dashes", "-", &|b| format!("{b:02X}")),
            ("escapes", "", &|b| format!("\\x{b:02x}")),
            ("octal", "", &|b| format!("\\{b:03o}")),
        ];
        for (name, between, form) in forms {
            for before in ["", "= {", "key = \"", &" ".repeat(50), "words before it (", "\n\n\t"] {
                let list: Vec<_> = secret().into_iter().map(form).collect();
                let text = format!("{before}{}}};", list.join(between));
                assert!(of(&text).contains(&secret()), "{name} after {before:?}: {text}");
                let lines: Vec<_> = list.chunks(12).map(|line| line.join(between)).collect();
                let text = format!("{before}{}\n", lines.join(&format!("{between}\n    ")));
                assert!(of(&text).contains(&secret()), "{name} in lines: {text}");
            }
        }
        for (name, form) in [("json", "\\u00"), ("percent", "%")] {
            let text: String = secret().iter().map(|b| format!("{form}{b:02x}")).collect();
            assert_eq!(of(&format!("\"{text}\"")), [secret()], "{name}");
        }
    }

    #[test]
    fn prose_and_short_lists_are_none() {
        assert_eq!(of(&"a bad face, added: dead beef; ".repeat(20)), Vec::<Vec<u8>>::new());
        let list: Vec<_> = (0..MIN_NUMBERS - 1).map(|i| format!("0x{i:02x}")).collect();
        assert_eq!(of(&format!("x({});", list.join(", "))), Vec::<Vec<u8>>::new());
    }
}
