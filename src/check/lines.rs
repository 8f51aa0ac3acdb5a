//! PURE: bytes as lines and columns.

/// Bytes between two places whose characters are counted beforehand: a line may have millions.
const STEP: usize = 256;

/// Where the lines of a text begin.
pub struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<usize>,
    /// The characters in front of every [`STEP`]th byte.
    characters: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of a text.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|at| at + 1)).collect();
        let mut sum = 0;
        let mut characters = vec![0];
        for chunk in text.chunks(STEP) {
            sum += count(chunk);
            characters.push(sum);
        }
        Self { text, starts, characters }
    }

    /// Line and column of a byte, both from 1. Columns count characters (SARIF's `unicodeCodePoints`).
    #[must_use]
    pub fn place(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        (line, self.before(at) - self.before(start) + 1)
    }

    /// The characters in front of a byte.
    fn before(&self, at: usize) -> usize {
        let step = at / STEP;
        let rest = self.text.get(step * STEP..at).unwrap_or_default();
        self.characters.get(step).copied().unwrap_or(0) + count(rest)
    }
}

/// The bytes that begin a character of UTF-8, or belong to none.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_columns_are_characters() {
        let lines = Lines::new("a\näb\n\nc".as_bytes());
        let places: Vec<_> = [0, 1, 2, 4, 5, 6, 7, 8, 99].into_iter().map(|at| lines.place(at)).collect();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1), (4, 2), (4, 2)]);
        assert_eq!(Lines::new(b"").place(0), (1, 1));
        assert_eq!(Lines::new(b"\xffab").place(2), (1, 3));
        for length in [STEP - 1, STEP, STEP + 1, 3 * STEP] {
            let text = format!("a\n{}x", "ä".repeat(length));
            assert_eq!(Lines::new(text.as_bytes()).place(text.len() - 1), (2, length + 1));
        }
    }
}
