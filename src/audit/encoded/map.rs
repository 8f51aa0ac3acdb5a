//! Where decoded bytes came from.

use std::ops::Range;

/// From offsets in a decoded buffer to those in what it was decoded from.
#[derive(Debug)]
pub(super) enum Map {
    /// Characters that hold `bits` bits each, in pieces of consecutive ones.
    Pieces {
        /// Bits of a character: 6 or 4.
        bits: usize,
        /// Index of a piece's first character, counted from where decoding began, and where
        /// that is. In order; the first is for index 0.
        pieces: Vec<(usize, usize)>,
    },
    /// Units of `width` bytes from `start` on.
    Units {
        /// Where the first is.
        start: usize,
        /// Bytes of each.
        width: usize,
    },
    /// Where the unit of each byte is: start, and bytes it takes.
    Each(Vec<(usize, u8)>),
    /// All of it came out of all of this.
    Whole(Range<usize>),
    /// Another one without its first bytes.
    Behind(usize, Box<Map>),
}

impl Map {
    /// Where the unit begins that holds (the first bit of) the byte at `at`.
    fn start(&self, at: usize) -> usize {
        match self {
            Self::Pieces { bits, pieces } => character(pieces, at * 8 / bits),
            Self::Units { start, width } => start + at * width,
            Self::Each(units) => units.get(at).or(units.last()).map_or(0, |unit| unit.0),
            Self::Whole(range) => range.start,
            Self::Behind(bytes, map) => map.start(at + bytes),
        }
    }

    /// Where the unit ends that holds the last bit of the byte at `at`.
    fn end(&self, at: usize) -> usize {
        match self {
            Self::Pieces { bits, pieces } => character(pieces, (at * 8 + 7) / bits) + 1,
            Self::Units { start, width } => start + (at + 1) * width,
            Self::Each(units) => units.get(at).or(units.last()).map_or(0, |unit| unit.0 + usize::from(unit.1)),
            Self::Whole(range) => range.end,
            Self::Behind(bytes, map) => map.end(at + bytes),
        }
    }

    /// Where `length` bytes at `at` came from, as offset and length; the length stays 0 where
    /// it is not known.
    pub(super) fn range(&self, at: usize, length: usize) -> (usize, usize) {
        let start = self.start(at);
        if length == 0 {
            return (start, 0);
        }
        (start, self.end(at + length - 1).saturating_sub(start))
    }
}

impl Map {
    /// The same without the first `bytes` decoded ones.
    pub(super) fn behind(self, bytes: usize) -> Self {
        Self::Behind(bytes, Box::new(self))
    }
}

fn character(pieces: &[(usize, usize)], index: usize) -> usize {
    let piece = pieces.partition_point(|piece| piece.0 <= index).saturating_sub(1);
    pieces.get(piece).map_or(0, |piece| piece.1 + (index - piece.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_lies_in_the_characters_that_hold_its_bits() {
        // Two pieces of four characters, at 10 and at 20: three bytes each.
        let map = Map::Pieces { bits: 6, pieces: vec![(0, 10), (4, 20)] };
        let ranges: Vec<_> = (0..6).map(|at| map.range(at, 1)).collect();
        assert_eq!(ranges, [(10, 2), (11, 2), (12, 2), (20, 2), (21, 2), (22, 2)]);
        assert_eq!(map.range(0, 6), (10, 14));
        assert_eq!(map.range(2, 0), (12, 0));
    }

    #[test]
    fn units_and_wholes_are_what_they_say() {
        assert_eq!(Map::Units { start: 5, width: 2 }.range(3, 4), (11, 8));
        assert_eq!(Map::Each(vec![(3, 4), (9, 2)]).range(0, 2), (3, 8));
        assert_eq!(Map::Whole(7..50).range(1_000, 3), (7, 43));
        assert_eq!(Map::Each(vec![]).range(1, 1), (0, 0));
    }
}
