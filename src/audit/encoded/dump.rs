//! Dumps as `xxd`, `hexdump`, `hexdump -C` and `od` print them: an offset, numbers, and (some)
//! the characters once more.

use super::map::Map;
use super::text::digit;

/// The longest line that is taken for one of a dump: `xxd -c 256` has 906 characters.
const MAX_LINE: usize = 1_024;
/// The fewest bytes that are worth decoding.
const MIN_BYTES: usize = 24;

/// Numbers of one line, and where it ends.
struct Line<'a> {
    /// The offset's digits.
    offset: &'a [u8],
    colon: bool,
    tokens: Vec<(&'a [u8], usize)>,
    end: usize,
}

/// How the numbers are written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Hexadecimal digits of so many bytes.
    Hex(usize),
    /// Three octal digits: a byte.
    OctalByte,
    /// Six octal digits: two bytes, the low one first.
    OctalWord,
    /// A byte in decimal.
    Decimal,
}

/// The dump in whose lines `at` is, none before `from`; gives where it ends. Words are read in
/// both byte orders.
pub(super) fn read(bytes: &[u8], from: usize, at: usize, mut each: impl FnMut(Vec<u8>, Map)) -> Option<usize> {
    let back = at.saturating_sub(MAX_LINE).max(from);
    // In front of a file there may be no line's end, but the padding of a tar's header.
    let start = match memchr::memrchr2(b'\n', 0, &bytes[back..at]) {
        Some(newline) => back + newline + 1,
        None if back == from => back,
        None => return None,
    };
    let first = line(bytes, start)?;
    let form = form(&first)?;
    let second = line(bytes, first.end);
    let follows = second.as_ref().is_some_and(|second| follows(&first, second, form));
    if !first.colon && !follows {
        return None;
    }
    let (mut straight, mut swapped, mut units) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = Some(first);
    let mut end = at + 1;
    while let Some(line) = next {
        for (token, at) in &line.tokens {
            let before = straight.len();
            if value(token, form, &mut straight).is_none() {
                break;
            }
            let length = u8::try_from(token.len()).unwrap_or(u8::MAX);
            units.resize(straight.len(), (*at, length));
            swapped.extend(straight[before..].iter().rev());
        }
        end = end.max(line.end);
        next = self::line(bytes, line.end).filter(|next| next.colon == line.colon);
    }
    if straight.len() >= MIN_BYTES {
        if swapped != straight {
            each(swapped, Map::Each(units.clone()));
        }
        each(straight, Map::Each(units));
    }
    Some(end)
}

fn line(bytes: &[u8], start: usize) -> Option<Line<'_>> {
    let text = &bytes[start..bytes.len().min(start + MAX_LINE)];
    let indent = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let digits = text[indent..].iter().take(17).take_while(|byte| digit(**byte).is_some()).count();
    if !(4..=16).contains(&digits) {
        return None;
    }
    if !matches!(text.get(indent + digits), Some(b' ' | b'\t' | b':')) {
        return None;
    }
    let length = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let text = &text[..length];
    let offset = &text[indent..indent + digits];
    let mut at = indent + digits;
    let colon = text.get(at) == Some(&b':');
    at += usize::from(colon);
    let mut tokens: Vec<(&[u8], usize)> = Vec::new();
    loop {
        let spaces = text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        at += spaces;
        // xxd prints the characters behind two spaces, and no other double space.
        if spaces == 0 || (colon && spaces > 1 && !tokens.is_empty()) {
            break;
        }
        let count = text[at..].iter().take_while(|byte| digit(**byte).is_some()).count();
        let ends = text.get(at + count).is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        if count == 0 || !ends {
            break;
        }
        tokens.push((&text[at..at + count], start + at));
        at += count;
    }
    (!tokens.is_empty()).then_some(Line { offset, colon, tokens, end: (start + length + 1).min(bytes.len()) })
}

fn form(line: &Line<'_>) -> Option<Form> {
    let longest = line.tokens.iter().map(|token| token.0.len()).max()?;
    let same = line.tokens.iter().rev().skip(1).all(|token| token.0.len() == longest);
    let octal = line.tokens.iter().all(|token| token.0.iter().all(|byte| matches!(byte, b'0'..=b'7')));
    match longest {
        3 if same && octal => Some(Form::OctalByte),
        6 if same && octal => Some(Form::OctalWord),
        1..=3 if !same || longest == 3 => Some(Form::Decimal),
        2 | 4 | 6 | 8 | 16 | 32 if same => Some(Form::Hex(longest / 2)),
        _ => None,
    }
}

/// Appends the bytes of a number, the high one first, if it is one of that form.
fn value(token: &[u8], form: Form, out: &mut Vec<u8>) -> Option<()> {
    let text = |radix: u32| u16::from_str_radix(std::str::from_utf8(token).ok()?, radix).ok();
    match form {
        Form::Hex(most) if token.len().is_multiple_of(2) && token.len() <= 2 * most => {
            for [high, low] in token.as_chunks::<2>().0 {
                out.push(digit(*high)? << 4 | digit(*low)?);
            }
        }
        Form::Hex(_) => return None,
        Form::OctalByte => out.push(u8::try_from(text(8)?).ok()?),
        Form::OctalWord => out.extend(text(8)?.to_be_bytes()),
        Form::Decimal => out.push(u8::try_from(text(10)?).ok()?),
    }
    Some(())
}

/// Whether the second line's offset is where the first one ends.
fn follows(first: &Line<'_>, second: &Line<'_>, form: Form) -> bool {
    let width = match form {
        Form::Hex(bytes) => bytes,
        Form::OctalWord => 2,
        Form::OctalByte | Form::Decimal => 1,
    };
    let count = (first.tokens.len() * width) as u64;
    [8, 10, 16].into_iter().any(|radix| {
        let offset = |line: &Line<'_>| {
            std::str::from_utf8(line.offset).ok().and_then(|text| u64::from_str_radix(text, radix).ok())
        };
        matches!((offset(first), offset(second)), (Some(a), Some(b)) if b.checked_sub(a) == Some(count))
    })
}
