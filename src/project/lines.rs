//! PURE: the line of a byte, found fast in texts of any length.

use std::ops::Range;

use super::Place;

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    file: &'a str,
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of this file's text.
    pub(super) fn new(file: &'a str, text: &str) -> Self {
        Self { file, ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect() }
    }

    /// The place where these bytes begin.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        Place::new(self.file, self.ends.partition_point(|end| *end < span.start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_on_the_line_that_a_person_counts() {
        let text = "a\n\nbc\n";
        let lines = Lines::new("f", text);
        for at in 0..=text.len() {
            assert_eq!(lines.place(&(at..at)).line, crate::document::line_at(text, at), "{at}");
        }
    }
}
