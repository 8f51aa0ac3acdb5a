//! Text in UTF-16 of either byte order (or anything else with a zero byte behind or before each
//! character): its words were seen by the survey.

use std::ops::Range;

use super::map::Map;
use super::plausible::is_text;
use crate::audit::scan::survey::{Survey, WORD};

/// The fewest characters that are worth decoding; they hold a whole word.
pub(super) const MIN_CHARACTERS: usize = 20;

/// Every text of [`MIN_CHARACTERS`] or more of which a word begins in `range`, whole: its
/// characters, and where it is.
pub(super) fn texts(
    bytes: &[u8],
    range: Range<usize>,
    survey: &Survey,
    mut each: impl FnMut(Vec<u8>, Map, Range<usize>),
) {
    let mut next = range.start;
    let mut covered = range.start;
    while let Some(at) = survey.wide(next).filter(|at| *at < range.end) {
        next = at + WORD;
        if !is_wide(bytes, at) {
            continue;
        }
        let first = if bytes[at] == 0 { at + 1 } else { at };
        let (mut start, mut end) = (first, first + 1);
        while start >= covered + 2 && bytes[start - 1] == 0 && is_text(bytes[start - 2]) {
            start -= 2;
        }
        while end + 1 < bytes.len() && bytes[end] == 0 && is_text(bytes[end + 1]) {
            end += 2;
        }
        covered = end;
        next = next.max(end);
        if (end - start).div_ceil(2) >= MIN_CHARACTERS {
            let characters = bytes[start..end].iter().step_by(2).copied().collect();
            // The zero lies before each character where there is none behind the last.
            let big = bytes.get(end) != Some(&0) && start > 0 && bytes[start - 1] == 0;
            let origin = start - usize::from(big);
            each(characters, Map::Units { start: origin, width: 2 }, origin..end + usize::from(!big));
        }
    }
}

fn is_wide(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + WORD).is_some_and(|word| word.iter().all(|byte| *byte == 0 || is_text(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Vec<(String, (usize, usize))> {
        let mut all = Vec::new();
        texts(bytes, 0..bytes.len(), &Survey::of(bytes, bytes.len()), |text, map, _| {
            all.push((String::from_utf8(text.clone()).unwrap(), map.range(0, text.len())));
        });
        all
    }

    #[test]
    fn a_text_is_seen_in_either_byte_order_wherever_it_lies() {
        for length in [MIN_CHARACTERS, MIN_CHARACTERS + 1, 500] {
            let plain: String = ('a'..='z').cycle().take(length).collect();
            for before in 0..80 {
                for behind in [0, 1, 40] {
                    let little: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    let bytes = [vec![0xff; before], little, vec![0xff; behind]].concat();
                    assert_eq!(of(&bytes), [(plain.clone(), (before, 2 * length))], "{before} {behind}");
                    let big: Vec<u8> = plain.encode_utf16().flat_map(u16::to_be_bytes).collect();
                    let bytes = [vec![0xff; before], big, vec![0xff; behind]].concat();
                    assert_eq!(of(&bytes), [(plain.clone(), (before, 2 * length))], "{before} {behind}");
                }
            }
        }
    }

    #[test]
    fn zeros_plain_text_and_short_strings_are_none() {
        assert_eq!(of(&[0; 1_000]), []);
        assert_eq!(of(&[b'a'; 1_000]), []);
        let short: Vec<u8> = "short".encode_utf16().flat_map(u16::to_le_bytes).chain([0xff; 40]).collect();
        assert_eq!(of(&short.repeat(20)), []);
    }
}
