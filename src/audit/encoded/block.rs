//! One base64 or hexadecimal text, from its pieces: lines, strings that are concatenated,
//! characters that are escaped. It ends with its padding, or with what joins no pieces.

use super::glue::{escaped, glue};
use super::map::Map;
use super::plausible;

/// The shortest line that others may follow, unless it is as long as the first one.
const MIN_PIECE: usize = 16;
/// A line's length from which a `=` at its end is a soft line break (RFC 2045, section 6.7).
const QUOTED_PRINTABLE: usize = 74;

/// The characters of a text, and where they are.
pub(super) struct Block {
    /// Without what lies between the pieces.
    pub(super) characters: Vec<u8>,
    /// Index of a piece's first character, and its place.
    pub(super) pieces: Vec<(usize, usize)>,
    /// Whether all characters are hexadecimal digits.
    pub(super) hex: bool,
    /// Behind the last character and its padding.
    pub(super) end: usize,
}

impl Block {
    /// The text that begins at `start`, with no more than `most` characters.
    pub(super) fn read(bytes: &[u8], start: usize, most: usize) -> Self {
        let mut block = Self { characters: Vec::new(), pieces: Vec::new(), hex: false, end: start };
        let (mut at, mut first) = (start, 0);
        loop {
            let before = block.characters.len();
            let padded = block.piece(bytes, &mut at, most);
            let length = block.characters.len() - before;
            if before == 0 {
                first = length;
                block.hex = block.characters.iter().all(u8::is_ascii_hexdigit);
            } else if block.hex && !block.characters[before..].iter().all(u8::is_ascii_hexdigit) {
                block.drop_from(before);
                break;
            }
            block.end = at;
            if padded || block.characters.len() >= most || (length < MIN_PIECE && length != first) {
                break;
            }
            match glue(bytes, at) {
                Some(next) if !bytes[next..].starts_with(b"--") => at = next,
                _ => break,
            }
        }
        block
    }

    fn drop_from(&mut self, length: usize) {
        self.characters.truncate(length);
        self.pieces.retain(|piece| piece.0 < length);
    }

    /// Takes the characters at `at` up to what is none; gives whether padding ended them.
    fn piece(&mut self, bytes: &[u8], at: &mut usize, most: usize) -> bool {
        let (line, limit) = (*at, most.saturating_add(*at));
        loop {
            let start = *at;
            while *at < bytes.len().min(limit) && is_character(bytes[*at]) && !is_armour(bytes, *at) {
                *at += 1;
            }
            if *at > start {
                self.pieces.push((self.characters.len(), start));
                self.characters.extend_from_slice(&bytes[start..*at]);
            }
            match bytes.get(*at) {
                Some(b'=') => {
                    if let Some(length) = soft_break(&bytes[*at..], *at - line) {
                        *at += length;
                        continue;
                    }
                    // `=3D` is quoted-printable for `=`.
                    while let Some(length) = padding(&bytes[*at..]) {
                        *at += length;
                    }
                    return true;
                }
                Some(b'\\' | b'%') => match escaped(&bytes[*at..]) {
                    Some((b'=', length)) => {
                        *at += length;
                        while let Some((b'=', length)) = escaped(&bytes[*at..]) {
                            *at += length;
                        }
                        return true;
                    }
                    Some((character, length)) => {
                        self.pieces.push((self.characters.len(), *at));
                        self.characters.push(character);
                        *at += length;
                    }
                    None => return false,
                },
                _ => return false,
            }
        }
    }

    /// What it decodes to from the character `from` on, no more than `most` of them.
    pub(super) fn decode(&self, from: usize, most: usize) -> (Vec<u8>, Map) {
        let end = self.characters.len().min(from.saturating_add(most));
        let characters = &self.characters[from.min(end)..end];
        let decoded = if self.hex { super::text::hex(characters) } else { super::text::base64(characters) };
        let first = self.pieces.partition_point(|piece| piece.0 <= from).saturating_sub(1);
        let mut pieces: Vec<_> =
            self.pieces[first..].iter().map(|(index, at)| (index.saturating_sub(from), *at)).collect();
        if let (Some(cut), Some(piece)) = (pieces.first_mut(), self.pieces.get(first)) {
            cut.1 += from.saturating_sub(piece.0);
        }
        (decoded, Map::Pieces { bits: if self.hex { 4 } else { 6 }, pieces })
    }

    /// The characters at which a later piece begins with what begins a key or an archive.
    pub(super) fn later_beginnings(&self) -> impl Iterator<Item = usize> {
        let pieces = self.pieces.iter().skip(1).map(|piece| piece.0);
        pieces.filter(|from| {
            let head = &self.characters[*from..self.characters.len().min(from + 32)];
            let head = if self.hex { super::text::hex(head) } else { super::text::base64(head) };
            plausible::beginning(&head)
        })
    }
}

fn is_character(byte: u8) -> bool {
    super::text::value(byte).is_some()
}

/// Five dashes are armour, or a ruler.
fn is_armour(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'-' && bytes[at..].starts_with(b"-----")
}

fn padding(text: &[u8]) -> Option<usize> {
    match text {
        [b'=', b'3', b'D', ..] => Some(3),
        [b'=', ..] => Some(1),
        _ => None,
    }
}

fn soft_break(text: &[u8], column: usize) -> Option<usize> {
    let length = match text {
        [b'=', b'\r', b'\n', ..] => 3,
        [b'=', b'\n', ..] => 2,
        _ => return None,
    };
    let next = text.get(length).copied().is_some_and(is_character);
    (next && column >= QUOTED_PRINTABLE).then_some(length)
}
