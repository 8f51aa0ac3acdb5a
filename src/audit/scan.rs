//! One pass over the bytes, for all rules.
//!
//! Two searches: a packed one for the families' literals, and one for runs of base64-like
//! characters that looks at every 16th byte only, because a run of 20 cannot hide between two
//! looks. Both are far faster than a digest of the same bytes, which an audit takes as well.

use std::ops::Range;

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::finding::Found;
use super::rule::{Family, Text};

/// The shortest run that rules are told of: the shortest token of the field has 20 characters.
pub const MIN_RUN: usize = 20;

/// All rules of an audit.
pub struct Scanner {
    families: Vec<Box<dyn Family>>,
    /// Which family and which of its literals each pattern is.
    owners: Vec<(usize, usize)>,
    searcher: Option<Searcher>,
}

impl Scanner {
    /// Of these families.
    #[must_use]
    pub fn new(families: Vec<Box<dyn Family>>) -> Self {
        let mut owners = Vec::new();
        let mut patterns = Vec::new();
        for (family, rules) in families.iter().enumerate() {
            for (index, literal) in rules.literals().iter().enumerate() {
                owners.push((family, index));
                patterns.push(literal.to_vec());
            }
        }
        let searcher = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(&patterns).build();
        Self { families, owners, searcher }
    }

    /// Everything that begins in the `fresh` part of `text`.
    pub fn scan(&self, text: &Text<'_>, fresh: Range<usize>, found: &mut Vec<Found>) {
        let bytes = text.bytes;
        if let Some(searcher) = &self.searcher {
            let mut at = fresh.start;
            // Searched from one byte behind each match, so that a literal inside of another one
            // is not lost.
            while let Some(hit) = searcher.find_in(bytes, aho_corasick::Span { start: at, end: bytes.len() }) {
                if hit.start() >= fresh.end {
                    break;
                }
                let (family, literal) = self.owners[hit.pattern().as_usize()];
                self.families[family].at_literal(literal, hit.start(), text, found);
                at = hit.start() + 1;
            }
        }
        runs(bytes, fresh, |run| {
            for family in &self.families {
                family.at_run(run.clone(), text, found);
            }
        });
    }

    /// Shows a file to the families that ask for its path.
    pub fn file(&self, path: &[u8], text: &Text<'_>, found: &mut Vec<Found>) {
        for family in &self.families {
            if family.names(path) {
                family.at_file(text, found);
            }
        }
    }
}

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
