//! All families' literals, in as few searches as they fit in: those of text where there is text,
//! those with a control byte where there is one, the rest everywhere.

use std::ops::Range;

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::survey::{Survey, is_control, is_text};

/// The most patterns that one packed search takes.
pub(super) const GROUP: usize = 64;

/// Where a literal may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In text of 15 bytes or more, of which the survey sees one word.
    Text,
    /// Where it has a control byte.
    Control,
    /// Anywhere.
    Anywhere,
}

/// A byte string and what it stands for.
pub(super) struct Literal<T> {
    /// An empty one is never found.
    pub(super) bytes: Vec<u8>,
    pub(super) tag: T,
    pub(super) place: Place,
}

impl<T> Literal<T> {
    /// One that lies in text if it is text: see [`crate::audit::rule::Family::literals`].
    pub(super) fn of(bytes: Vec<u8>, tag: T) -> Self {
        let place = match () {
            () if bytes.iter().any(|byte| is_control(*byte)) => Place::Control,
            () if bytes.iter().all(|byte| is_text(*byte)) => Place::Text,
            () => Place::Anywhere,
        };
        Self { bytes, tag, place }
    }
}

/// A search for many literals, each of which is told of wherever it begins.
pub(super) struct Literals<T> {
    groups: Vec<Group<T>>,
}

struct Group<T> {
    place: Place,
    searcher: Searcher,
    /// Bytes of the longest.
    longest: usize,
    patterns: Vec<Pattern<T>>,
}

struct Pattern<T> {
    bytes: Vec<u8>,
    tag: T,
    /// Patterns of the group of which one begins with the other: the search tells of one.
    siblings: Vec<usize>,
}

impl<T: Copy> Literals<T> {
    /// Of these.
    pub(super) fn new(literals: Vec<Literal<T>>) -> Self {
        let mut places = [(Place::Text, Vec::new()), (Place::Control, Vec::new()), (Place::Anywhere, Vec::new())];
        for literal in literals.into_iter().filter(|literal| !literal.bytes.is_empty()) {
            places.iter_mut().filter(|(place, _)| *place == literal.place).for_each(|(_, all)| {
                all.push((literal.bytes.clone(), literal.tag));
            });
        }
        Self { groups: places.into_iter().flat_map(|(place, literals)| groups(place, literals)).collect() }
    }

    /// Every literal that begins in `range`, group by group, in order inside of each. `survey` is of
    /// the same bytes, up to a block behind the range at least.
    pub(super) fn each(&self, bytes: &[u8], range: Range<usize>, survey: &Survey, mut hit: impl FnMut(T, usize)) {
        for group in &self.groups {
            match group.place {
                Place::Text => survey.texts(range.clone(), |range| group.each(bytes, range, &mut hit)),
                Place::Control => survey.controls(range.clone(), |range| group.each(bytes, range, &mut hit)),
                Place::Anywhere => group.each(bytes, range.clone(), &mut hit),
            }
        }
    }
}

fn groups<T: Copy>(place: Place, mut literals: Vec<(Vec<u8>, T)>) -> Vec<Group<T>> {
    // The shortest of a group says how many of the first bytes the search looks at.
    literals.sort_by_key(|(bytes, _)| std::cmp::Reverse(bytes.len().min(4)));
    let count = literals.len().div_ceil(GROUP).max(1);
    let mut groups = Vec::new();
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
        let longest = part.iter().map(|(bytes, _)| bytes.len()).max().unwrap_or(0);
        if let Some(searcher) = searcher {
            groups.push(Group { place, searcher, longest, patterns: patterns.collect() });
        }
    }
    groups
}

impl<T: Copy> Group<T> {
    fn each(&self, bytes: &[u8], range: Range<usize>, hit: &mut impl FnMut(T, usize)) {
        let end = bytes.len().min(range.end.saturating_add(self.longest - 1));
        let mut at = range.start;
        // Searched from one byte behind each match, so that a literal inside of another one is
        // not lost.
        while let Some(found) = self.searcher.find_in(bytes, Span { start: at, end }) {
            let start = found.start();
            if start >= range.end {
                break;
            }
            let pattern = &self.patterns[found.pattern().as_usize()];
            hit(pattern.tag, start);
            for sibling in pattern.siblings.iter().map(|sibling| &self.patterns[*sibling]) {
                if bytes[start..].starts_with(&sibling.bytes) {
                    hit(sibling.tag, start);
                }
            }
            at = start + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::survey::MIN_TEXT;
    use super::*;

    fn hits(literals: &[&str], text: &str) -> Vec<(usize, usize)> {
        let literals = literals.iter().enumerate();
        let literals = Literals::new(literals.map(|(i, l)| Literal::of(l.as_bytes().to_vec(), i)).collect());
        let mut all = Vec::new();
        let text = [text.as_bytes(), &[b'.'; MIN_TEXT]].concat();
        literals.each(&text, 0..text.len(), &Survey::of(&text, text.len()), |tag, at| all.push((at, tag)));
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
        let text = b"..abc...............";
        let literals = Literals::new(vec![Literal::of(b"abc".to_vec(), ())]);
        for (range, expected) in [(0..2, 0), (0..3, 1), (2..3, 1), (3..9, 0)] {
            let mut count = 0;
            literals.each(text, range, &Survey::of(text, text.len()), |(), _| count += 1);
            assert_eq!(count, expected);
        }
    }

    #[test]
    fn a_literal_is_found_wherever_it_lies_between_bytes_of_any_other_kind() {
        use super::super::survey::BLOCK;
        let text = b"a literal of text";
        let cases: [(&[u8], Place); 3] =
            [(text, Place::Text), (b"\x02key", Place::Control), (b"\xff\xfe\xfd", Place::Anywhere)];
        for (literal, place) in cases {
            let made = Literal::of(literal.to_vec(), ());
            assert_eq!(made.place, place);
            let literals = Literals::new(vec![made]);
            for around in [b'a', 0, 2, 0x80, b'\n'] {
                for at in (0..40).chain(BLOCK - 40..BLOCK + 40).chain(2 * BLOCK - 20..2 * BLOCK - literal.len()) {
                    let mut bytes = vec![around; 2 * BLOCK];
                    bytes[at..at + literal.len()].copy_from_slice(literal);
                    for end in [at + 1, bytes.len()] {
                        let mut all = Vec::new();
                        let survey = Survey::of(&bytes, end + 2 * BLOCK);
                        literals.each(&bytes, 0..end, &survey, |(), at| all.push(at));
                        assert_eq!(all, [at], "{place:?} among {around} up to {end}");
                    }
                }
            }
        }
    }
}
