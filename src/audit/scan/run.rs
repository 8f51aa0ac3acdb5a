//! Runs of base64-like characters, found by looking at every 20th byte only.

use std::ops::Range;

/// The shortest run that rules are told of: the shortest token of the field has 20 characters.
pub const MIN_RUN: usize = 20;

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
    let mut look = from + MIN_RUN - 1;
    while look < bytes.len() && from < fresh.end {
        if !in_run(bytes[look]) {
            from = look + 1;
            look += MIN_RUN;
            continue;
        }
        let mut start = look;
        while start > from && in_run(bytes[start - 1]) {
            start -= 1;
        }
        if start >= fresh.end {
            return;
        }
        let mut end = look + 1;
        while end < bytes.len() && in_run(bytes[end]) {
            end += 1;
        }
        if end - start >= MIN_RUN {
            each(start..end);
        }
        from = end + 1;
        look = from + MIN_RUN - 1;
    }
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
