//! PURE: a text that was put together from pieces of a file (continued lines, a block of YAML, what
//! stands in quotes), each byte of which knows where it came from.

use std::ops::Range;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The text.
    pub text: Vec<u8>,
    /// Where pieces begin in the text, and where they begin in the file; in order.
    pieces: Vec<(usize, usize)>,
    /// Whether every byte of the text is that of the file. Where not, places are near and no fix is
    /// made.
    pub is_exact: bool,
}

impl Mapped {
    /// A text that stands in the file as it is.
    #[must_use]
    pub fn whole(text: &[u8], at: usize) -> Self {
        Self { text: text.to_vec(), pieces: vec![(0, at)], is_exact: true }
    }

    /// A text of pieces that stand in the file, as [`crate::builder::instruction`] gives them.
    #[must_use]
    pub fn pieces(text: Vec<u8>, pieces: Vec<(usize, usize)>) -> Self {
        Self { text, pieces, is_exact: true }
    }

    /// A text that was decoded from what stands at this place: only the place is known.
    #[must_use]
    pub fn near(text: &[u8], at: usize) -> Self {
        Self { text: text.to_vec(), pieces: vec![(0, at)], is_exact: false }
    }

    /// The same text from there on.
    #[must_use]
    pub fn from(&self, at: usize) -> Self {
        self.part(at..self.text.len())
    }

    /// A part of the text.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let first = (0, self.place(range.start));
        let from = self.pieces.partition_point(|(at, _)| *at <= range.start);
        let to = self.pieces.partition_point(|(at, _)| *at < range.end);
        let inside = self.pieces.get(from..to).unwrap_or_default();
        let inside = inside.iter().map(|(at, place)| (at - range.start, *place));
        let pieces = std::iter::once(first).chain(inside).collect();
        let text = self.text.get(range).unwrap_or_default().to_vec();
        Self { text, pieces, is_exact: self.is_exact }
    }

    /// Puts another text behind.
    pub fn push(&mut self, text: &[u8], at: usize) {
        self.pieces.push((self.text.len(), at));
        self.text.extend_from_slice(text);
    }

    /// Where this byte of the text stands in the file.
    #[must_use]
    pub fn place(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|(from, _)| *from <= at).saturating_sub(1);
        let Some(&(from, place)) = self.pieces.get(index) else { return 0 };
        if self.is_exact { place + at.saturating_sub(from) } else { place }
    }

    /// Where a part stands in the file: from its first byte to behind its last one.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        let end = if range.end > range.start { self.place(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_text_of_pieces_knows_its_place() {
        let mut text = Mapped::whole(b"abc", 10);
        text.push(b"def", 20);
        assert_eq!((0..7).map(|at| text.place(at)).collect::<Vec<_>>(), [10, 11, 12, 20, 21, 22, 23]);
        assert_eq!(text.span(1..5), 11..22);
        assert_eq!(text.span(1..3), 11..13);
        let part = text.part(2..5);
        assert_eq!((part.text.as_slice(), part.place(0), part.place(1)), (&b"cde"[..], 12, 20));
        assert_eq!(text.from(4).place(0), 21);
        assert_eq!(Mapped::near(b"abc", 7).place(2), 7);
        assert_eq!(Mapped::default().place(3), 0);
    }
}
