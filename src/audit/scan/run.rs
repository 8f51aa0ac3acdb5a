//! Runs of base64-like characters, found by looking at 8 bytes of every 13 only.

use std::ops::Range;

/// The shortest run that rules are told of: the shortest token of the field has 20 characters.
pub const MIN_RUN: usize = 20;
/// Bytes of a look.
const LOOK: usize = 8;
/// Bytes from one look to the next: the shortest run holds one whole.
const STRIDE: usize = MIN_RUN - LOOK + 1;

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

/// Every run that begins in `fresh`, longest extent, in order.
pub fn runs(bytes: &[u8], fresh: Range<usize>, mut each: impl FnMut(Range<usize>)) {
    let mut from = fresh.start;
    // What began before belongs to the window before.
    while from > 0 && from < bytes.len() && in_run(bytes[from]) && in_run(bytes[from - 1]) {
        from += 1;
    }
    let mut look = from;
    while look < fresh.end.saturating_add(STRIDE) {
        let Some(word) = bytes.get(look..).and_then(<[u8]>::first_chunk) else { return };
        if !seems_run(u64::from_le_bytes(*word)) || !word.iter().all(|byte| in_run(*byte)) {
            look += STRIDE;
            continue;
        }
        let (mut start, mut end) = (look, look + LOOK);
        while start > from && in_run(bytes[start - 1]) {
            start -= 1;
        }
        if start >= fresh.end {
            return;
        }
        while end < bytes.len() && in_run(bytes[end]) {
            end += 1;
        }
        if end - start >= MIN_RUN {
            each(start..end);
        }
        from = end + 1;
        look = from;
    }
}

/// Whether eight bytes lie between `+` and `z`, as all of a run do, and few others next to one
/// another: in arithmetic, because a branch for each would be guessed wrong too often.
fn seems_run(word: u64) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let from_plus = word.wrapping_add(EACH * (0x80 - b'+' as u64));
    let beyond_z = word.wrapping_add(EACH * (0x7f - b'z' as u64));
    from_plus & !beyond_z & !word & HIGH == HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], fresh: Range<usize>) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        runs(bytes, fresh, |run| all.push(run));
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
                    let expected = if seen { vec![before..before + length] } else { vec![] };
                    assert_eq!(found(&text, 0..text.len()), expected, "{before} {length} {behind}");
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
