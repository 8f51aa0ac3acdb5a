//! Runs of base64-like characters, out of what the survey saw of each byte.

use std::ops::Range;

use super::survey::Survey;

/// The shortest run that rules are told of: the shortest token of the field has 20 characters.
pub const MIN_RUN: usize = 20;
/// Bytes that the survey has a bit for in one word.
const MASK: usize = 64;
const HALF: u32 = 10;
const _: () = assert!(2 * HALF as usize == MIN_RUN);

const RUN_CHARACTERS: [bool; 256] = {
    let mut table = [false; 256];
    let mut c = 0;
    while c < 256 {
        let byte = c as u8;
        table[c] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-');
        c += 1;
    }
    table
};

/// Whether a byte may be in a run.
#[must_use]
pub fn in_run(byte: u8) -> bool {
    RUN_CHARACTERS[usize::from(byte)]
}

/// Every run that begins in `fresh`, longest extent, in order. `survey` is of the same bytes, from
/// their beginning to a block behind `fresh` at least.
pub(crate) fn runs(bytes: &[u8], fresh: Range<usize>, survey: &Survey, mut each: impl FnMut(Range<usize>)) {
    let mut from = fresh.start;
    // What began before belongs to the window before.
    while from > 0 && from < bytes.len() && in_run(bytes[from]) && in_run(bytes[from - 1]) {
        from += 1;
    }
    let mut index = from / MASK;
    while let Some(mask) = survey.runs(index) {
        // What lies before `from` is told of.
        let behind = mask
            & u64::MAX.checked_shl(u32::try_from(from.saturating_sub(index * MASK)).unwrap_or(u32::MAX)).unwrap_or(0);
        let next = survey.runs(index + 1).unwrap_or(0);
        // Half of a run is in this word, or it goes on in the next one.
        if !has_half(behind) && (behind >> (MASK - 1) == 0 || next.trailing_ones() <= HALF) {
            index += 1;
            continue;
        }
        let start = first(u128::from(behind) | u128::from(next) << MASK);
        if start >= MASK {
            index += 1;
            continue;
        }
        let start = index * MASK + start;
        if start >= fresh.end {
            return;
        }
        let end = end(bytes, start + MIN_RUN, survey);
        each(start..end);
        from = end + 1;
        index = from / MASK;
    }
}

/// Whether there are [`HALF`] ones in a row.
fn has_half(bits: u64) -> bool {
    [1, 2, 4, 2].into_iter().fold(bits, |bits, more| bits & bits >> more) != 0
}

/// Where the first [`MIN_RUN`] ones in a row begin; more than there are bits if nowhere.
fn first(bits: u128) -> usize {
    // Two in a row, then four, eight, sixteen, twenty.
    let long = [1, 2, 4, 8, 4].into_iter().fold(bits, |bits, more| bits & bits >> more);
    long.trailing_zeros() as usize
}

/// Where the run ends that `at` is in or behind.
fn end(bytes: &[u8], at: usize, survey: &Survey) -> usize {
    let mut index = at / MASK;
    let mut beyond = u64::MAX << (at % MASK);
    while let Some(mask) = survey.runs(index) {
        let others = !mask & beyond;
        if others != 0 {
            return bytes.len().min(index * MASK + others.trailing_zeros() as usize);
        }
        beyond = u64::MAX;
        index += 1;
    }
    let surveyed = bytes.len().min(at.max(index * MASK));
    bytes[surveyed..].iter().position(|byte| !in_run(*byte)).map_or(bytes.len(), |rest| surveyed + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], fresh: Range<usize>) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        runs(bytes, fresh, &Survey::of(bytes, bytes.len()), |run| all.push(run));
        all
    }

    #[test]
    fn a_run_is_seen_from_its_shortest_length_on_wherever_it_lies() {
        for before in 0..70 {
            for (length, seen) in [(MIN_RUN - 1, false), (MIN_RUN, true), (MIN_RUN + 1, true), (300, true)] {
                let mut text = vec![b' '; before];
                text.extend(std::iter::repeat_n(b'A', length));
                for behind in [0, 1, 50] {
                    let mut text = text.clone();
                    text.extend(std::iter::repeat_n(b'.', behind));
                    let expected = seen.then_some(before..before + length);
                    assert_eq!(found(&text, 0..text.len()), Vec::from_iter(expected), "{before} {length} {behind}");
                }
            }
        }
    }

    #[test]
    fn a_run_belongs_to_the_window_in_which_it_begins_and_to_no_other() {
        let mut text = vec![b' '; 100];
        text[40..90].fill(b'x');
        for cut in 0..=100 {
            let all: Vec<_> = [found(&text, 0..cut), found(&text, cut..100)].concat();
            assert_eq!(all, vec![40..90], "cut at {cut}");
        }
    }
}
