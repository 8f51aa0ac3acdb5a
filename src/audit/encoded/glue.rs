//! What lies between two pieces of one base64 or hexadecimal text: the end of a line, its
//! indentation, quotes, a concatenation, a comment's sign, an escaped newline.

use std::ops::Range;

use crate::audit::scan::in_run;

/// The most bytes between two pieces.
pub(super) const MAX_GLUE: usize = 96;

/// Where the next piece begins, if what is at `at` joins two pieces: spaces alone, or
/// something with a line's end, or quotes on both sides.
pub(super) fn glue(bytes: &[u8], at: usize) -> Option<usize> {
    let end = bytes.len().min(at + MAX_GLUE);
    let (mut line, mut quotes, mut other) = (false, 0, false);
    let mut i = at;
    while i < end {
        i += match bytes[i] {
            b' ' | b'\t' => 1,
            b'\r' | b'\n' => {
                line = true;
                1
            }
            b'"' | b'\'' | b'`' => {
                quotes += 1;
                1
            }
            b',' | b';' | b'.' | b'(' | b')' | b'[' | b']' | b'&' | b'|' | b'>' | b'<' | b'#' | b'*' => {
                other = true;
                1
            }
            b'\\' => {
                let (length, ends) = escape(&bytes[i..end])?;
                line |= ends;
                length
            }
            b'%' => {
                let length = percent_space(&bytes[i..end])?;
                match bytes[i + 1..i + 3] {
                    [b'2', b'2'] => quotes += 1,
                    [b'2', b'0'] | [b'0', b'9'] => {}
                    _ => line = true,
                }
                length
            }
            // An operator between two strings, or a comment's sign before a piece.
            b'+' | b'/' | b'-' if operator(&bytes[i..end], quotes) => 1,
            c if in_run(c) && c != b'=' => {
                let joins = i > at && (line || quotes >= 2 || (quotes == 0 && !other));
                return joins.then_some(i);
            }
            _ => return None,
        };
    }
    None
}

/// An escape for white space, or a backslash before the line's end: its length, and whether it
/// ends a line.
fn escape(text: &[u8]) -> Option<(usize, bool)> {
    let slashes = text.iter().take_while(|c| **c == b'\\').count();
    let (length, ends) = match &text[slashes..] {
        [b'n' | b'r', ..] => (1, true),
        [b't', ..] => (1, false),
        [b'\r' | b'\n' | b'"' | b'\'', ..] => (0, true),
        [b'x' | b'X', b'0', b'a' | b'A' | b'd' | b'D', ..] => (3, true),
        [b'u' | b'U', b'0', b'0', b'0', b'a' | b'A' | b'd' | b'D', ..] => (5, true),
        [b'0', b'1', b'2' | b'5', ..] => (3, true),
        _ => return None,
    };
    Some((slashes + length, ends))
}

fn percent_space(text: &[u8]) -> Option<usize> {
    matches!(text, [_, b'0', b'A' | b'a' | b'D' | b'd' | b'9', ..] | [_, b'2', b'0' | b'2', ..]).then_some(3)
}

fn operator(text: &[u8], quotes: usize) -> bool {
    match text {
        // `"…" + "…"`, `"…"+"…"`
        [b'+', b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`', ..] => quotes % 2 == 1,
        // `// …`, `-- …`, `- …`
        [b'/', b'/', b' ', ..] | [b'-', b'-', b' ', ..] | [b'-' | b'/', b' ', ..] => true,
        _ => false,
    }
}

/// Where the text of a run really begins: behind the letters of an escape whose backslash or
/// percent sign lies before the run, and behind `0x`.
pub(super) fn begin(bytes: &[u8], start: usize) -> usize {
    let before = start.checked_sub(1).map(|before| bytes[before]);
    let run = &bytes[start..];
    let hex = |range: Range<usize>| run.get(range).is_some_and(|run| run.iter().all(u8::is_ascii_hexdigit));
    start
        + match (before, run) {
            (_, [b'0', b'x' | b'X', ..]) if hex(2..18) => 2,
            // `\x3082…`, as PostgreSQL writes bytes.
            (Some(b'\\'), [b'x', ..]) if hex(1..17) => 1,
            (Some(b'\\'), [b'x' | b'X', b'0', ..]) if hex(1..3) => 3,
            (Some(b'\\'), [b'u' | b'U', b'0', b'0', ..]) if hex(1..5) => 5,
            (Some(b'\\'), [b'0', b'1', b'2' | b'5', ..]) => 3,
            (Some(b'\\'), [b'n' | b'r' | b't', ..]) => 1,
            (Some(b'%'), _) if percent_space(&bytes[start - 1..]).is_some() => 2,
            _ => 0,
        }
}

/// A character of base64 that is written as an escape at `text`: it, and the escape's length.
pub(super) fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', b'/', ..] => Some((b'/', 2)),
        [b'\\', b'\\', b'/', ..] => Some((b'/', 3)),
        [b'\\', b'u', b'0', b'0', high, low, ..] => hex_character(*high, *low, 6),
        [b'\\', b'x', high, low, ..] => hex_character(*high, *low, 4),
        [b'%', high, low, ..] => hex_character(*high, *low, 3),
        _ => None,
    }
}

fn hex_character(high: u8, low: u8, length: usize) -> Option<(u8, usize)> {
    let value = char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?;
    let value = u8::try_from(value).ok()?;
    matches!(value, b'+' | b'/' | b'=' | b'-' | b'_').then_some((value, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_quotes_and_concatenation_join() {
        for between in [
            "\n",
            "\r\n",
            "\n    ",
            "\n\t\t",
            " ",
            "\\n",
            "\\r\\n",
            "\\\\n",
            "\\n\\\n  ",
            "\" +\n  \"",
            "\"+\"",
            "\"\n\"",
            "' . '",
            "\",\n \"",
            "\\u000a",
            "\\u000D\\u000A",
            "\\x0a",
            "\\012",
            "%0A",
            "%0D%0A",
            "%20",
            "\n# ",
            "\n// ",
            "\n * ",
            "\n> ",
            "\n- ",
            " \\\n",
            "\\n\" +\n  \"",
            "\\n'\n'",
            "`\n`",
            "\"\r\n                                \"",
        ] {
            let text = format!("A{between}B");
            assert_eq!(glue(text.as_bytes(), 1), Some(1 + between.len()), "{between:?}");
        }
    }

    #[test]
    fn what_separates_does_not_join() {
        for between in [": ", ":", ",", "; ", "\"", "\\q", "\u{0}", "(", "%", "%2", "=", "\": \"", "%41"] {
            let text = format!("A{between}B");
            assert_eq!(glue(text.as_bytes(), 1), None, "{between:?}");
        }
    }

    #[test]
    fn glue_is_no_longer_than_its_limit() {
        for (spaces, joins) in [(MAX_GLUE - 1, true), (MAX_GLUE, false)] {
            let text = [vec![b' '; spaces], b"B".to_vec()].concat();
            assert_eq!(glue(&text, 0).is_some(), joins);
        }
    }

    #[test]
    fn a_run_begins_behind_an_escape() {
        for (text, run, begins) in [
            ("\\nMIIE", 1, 2),
            ("\\u000aMIIE", 1, 6),
            ("\\x0aMIIE", 1, 4),
            ("%0AMIIE", 1, 3),
            ("\\012MIIE", 1, 4),
            ("0x30820122308201223082", 0, 2),
            ("\\x30820122308201223082", 1, 2),
            ("nMIIE", 0, 0),
            ("\"nMIIE", 1, 1),
        ] {
            assert_eq!(begin(text.as_bytes(), run), begins, "{text}");
        }
    }

    #[test]
    fn escaped_characters_are_those_of_base64_alone() {
        for (text, expected) in [
            ("\\/", Some((b'/', 2))),
            ("%2B", Some((b'+', 3))),
            ("%2f", Some((b'/', 3))),
            ("%3D", Some((b'=', 3))),
            ("\\u003d", Some((b'=', 6))),
            ("\\u002B", Some((b'+', 6))),
            ("%41", None),
            ("%2", None),
            ("\\u00", None),
            ("x", None),
        ] {
            assert_eq!(escaped(text.as_bytes()), expected, "{text}");
        }
    }
}
