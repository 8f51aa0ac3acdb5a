//! All families' literals, in as few searches as they fit in.

use std::ops::Range;

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};

/// The most patterns that one packed search takes.
pub(super) const GROUP: usize = 64;

/// A search for many literals, each of which is told of wherever it begins.
pub(super) struct Literals<T> {
    groups: Vec<Group<T>>,
}

struct Group<T> {
    searcher: Searcher,
    patterns: Vec<Pattern<T>>,
}

struct Pattern<T> {
    bytes: Vec<u8>,
    tag: T,
    /// Patterns of the group of which one begins with the other: the search tells of one.
    siblings: Vec<usize>,
}

impl<T: Copy> Literals<T> {
    /// Of these; an empty one is never found.
    pub(super) fn new(literals: Vec<(Vec<u8>, T)>) -> Self {
        let mut literals: Vec<_> = literals.into_iter().filter(|(bytes, _)| !bytes.is_empty()).collect();
        // The shortest of a group says how many of the first bytes the search looks at.
        literals.sort_by_key(|(bytes, _)| std::cmp::Reverse(bytes.len().min(4)));
        let mut groups = Vec::new();
        let count = literals.len().div_ceil(GROUP).max(1);
        for part in literals.chunks(literals.len().div_ceil(count).max(1)) {
            let searcher = Config::new()
                .match_kind(MatchKind::LeftmostFirst)
                .builder()
                .extend(part.iter().map(|(bytes, _)| bytes))
                .build();
            let patterns = part.iter().enumerate().map(|(index, (bytes, tag))| Pattern {
                bytes: bytes.clone(),
                tag: *tag,
                siblings: (0..part.len())
                    .filter(|other| *other != index)
                    .filter(|other| part[*other].0.starts_with(bytes) || bytes.starts_with(&part[*other].0))
                    .collect(),
            });
            if let Some(searcher) = searcher {
                groups.push(Group { searcher, patterns: patterns.collect() });
            }
        }
        Self { groups }
    }

    /// Every literal that begins in `range`, group by group, in order inside of each.
    pub(super) fn each(&self, bytes: &[u8], range: Range<usize>, mut hit: impl FnMut(T, usize)) {
        for group in &self.groups {
            let mut at = range.start;
            // Searched from one byte behind each match, so that a literal inside of another one
            // is not lost.
            while let Some(found) = group.searcher.find_in(bytes, Span { start: at, end: bytes.len() }) {
                let start = found.start();
                if start >= range.end {
                    break;
                }
                let pattern = &group.patterns[found.pattern().as_usize()];
                hit(pattern.tag, start);
                for sibling in pattern.siblings.iter().map(|sibling| &group.patterns[*sibling]) {
                    if bytes[start..].starts_with(&sibling.bytes) {
                        hit(sibling.tag, start);
                    }
                }
                at = start + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(literals: &[&str], text: &str) -> Vec<(usize, usize)> {
        let literals = Literals::new(literals.iter().enumerate().map(|(i, l)| (l.as_bytes().to_vec(), i)).collect());
        let mut all = Vec::new();
        literals.each(text.as_bytes(), 0..text.len(), |tag, at| all.push((at, tag)));
        all.sort_unstable();
        all
    }

    #[test]
    fn literals_that_contain_begin_or_equal_one_another_are_all_told_of() {
        let literals = ["abcdef", "abc", "bcd", "cdefg", "abc", "xyz"];
        let expected = vec![(2, 0), (2, 1), (2, 4), (3, 2), (4, 3), (20, 1), (20, 4), (23, 5)];
        assert_eq!(hits(&literals, "..abcdefg...........abcxyz"), expected);
    }

    #[test]
    fn more_literals_than_one_search_takes_are_all_found() {
        for count in [1, GROUP - 1, GROUP, GROUP + 1, 3 * GROUP + 5, 1_000] {
            let literals: Vec<String> = (0..count).map(|i| format!("<{i:03}>")).collect();
            let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
            let text = literals.join("--");
            let expected: Vec<_> = (0..count).map(|i| (i * 7, i)).collect();
            assert_eq!(hits(&literals, &text), expected, "{count}");
        }
    }

    #[test]
    fn an_empty_literal_or_none_at_all_finds_nothing() {
        assert_eq!(hits(&[], "anything"), []);
        assert_eq!(hits(&["", "any"], "anything"), [(0, 1)]);
    }

    #[test]
    fn what_begins_outside_of_the_range_is_not_told_of() {
        let literals = Literals::new(vec![(b"abc".to_vec(), ())]);
        for (range, expected) in [(0..2, 0), (0..3, 1), (2..3, 1), (3..9, 0)] {
            let mut count = 0;
            literals.each(b"..abc....", range, |(), _| count += 1);
            assert_eq!(count, expected);
        }
    }
}
