//! Strings in JSON by their name, without reading the document: it may be cut off, and a secret
//! is not copied.

use std::ops::Range;

/// Where the next string ends whose first character is at `start`.
fn end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn space(text: &[u8], at: usize) -> usize {
    at + text.get(at..).map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count())
}

/// Every pair of a name and a string value, in order, as ranges without quotes. Where the value
/// is an object, an empty range at its brace.
pub(super) fn each<'a>(text: &'a [u8], mut found: impl FnMut(&'a [u8], Range<usize>)) {
    let mut at = 0;
    while let Some(quote) = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'"')) {
        let start = at + quote + 1;
        let Some(name) = end(text, start) else { return };
        at = name + 1;
        let colon = space(text, at);
        if text.get(colon) != Some(&b':') {
            continue;
        }
        let value = space(text, colon + 1);
        match text.get(value) {
            Some(b'"') => {
                let Some(end) = end(text, value + 1) else { return };
                found(&text[start..name], value + 1..end);
                at = end + 1;
            }
            Some(b'{') => found(&text[start..name], value..value),
            _ => {}
        }
    }
}

/// The string values under one of these names.
pub(super) fn named(text: &[u8], names: &[&str], mut found: impl FnMut(Range<usize>)) {
    each(text, |name, value| {
        if !value.is_empty() && names.iter().any(|wanted| wanted.as_bytes() == name) {
            found(value);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_strings_are_paired_whatever_lies_between_and_however_it_ends() {
        let text = br#"{"a" : "b\"c", "d": [1, "e"], "f": {"g": "h"}, "i": 2, "j":"k"#;
        for cut in 0..text.len() {
            each(&text[..cut], |_, value| assert!(value.end <= cut));
        }
        let mut all = Vec::new();
        each(text, |name, value| {
            all.push((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(&text[value]).into_owned()))
        });
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(all, [("a", "b\\\"c"), ("f", ""), ("g", "h")]);
    }
}
