//! Which byte strings stand for a secret text where a program prints it: whole, line by line, in
//! base64, in an address, in JSON.
//!
//! A long text is cut into pieces, so that what may have to be held back of the output is never
//! long, and a part of it that is printed is masked up to the ends of its pieces.

use crate::keys::written::{self, Wiped};

use super::MIN_PATTERN;

/// Bytes of a piece; the last one of a text has up to twice as many, less one.
pub const PIECE: usize = 128;
/// The fewest bytes of a line that is masked by itself, where the secret has several: shorter ones
/// are words that anything prints.
pub const MIN_LINE: usize = 8;
/// Characters in a line of base64: `base64` of coreutils and MIME, then PEM and `openssl`.
const WIDTHS: [usize; 2] = [76, 64];

/// All patterns of a text; none where it is too short to be masked.
#[must_use]
pub fn of(text: &[u8]) -> Vec<Wiped> {
    let whole = written::without_line_end(text);
    let mut forms = Forms(Vec::new());
    if whole.len() < MIN_PATTERN {
        return forms.0;
    }
    forms.take(whole);
    let lines = written::lines(whole).filter(|line| line.len() >= MIN_LINE && !written::is_pem_boundary(line));
    lines.for_each(|line| forms.take(line));
    forms.base64(whole);
    written::percent(whole).iter().for_each(|form| forms.take(form));
    written::json(whole).iter().for_each(|form| forms.take(form));
    forms.0
}

struct Forms(Vec<Wiped>);

impl Forms {
    /// A form, in pieces.
    fn take(&mut self, form: &[u8]) {
        let mut rest = form;
        while let Some((piece, behind)) = rest.split_at_checked(PIECE).filter(|_| rest.len() >= 2 * PIECE) {
            self.0.push(Wiped::new(piece.to_vec()));
            rest = behind;
        }
        if rest.len() >= MIN_PATTERN {
            self.0.push(Wiped::new(rest.to_vec()));
        }
    }

    fn base64(&mut self, whole: &[u8]) {
        let with_end = Wiped::new([whole, b"\n"].concat());
        for text in [whole, &with_end] {
            let characters = written::base64(text);
            self.both_alphabets(&characters);
            // Where something stands in front of each line, as a builder writes it.
            for width in WIDTHS.into_iter().filter(|width| characters.len() > *width) {
                characters.chunks(width).for_each(|line| self.take(line));
            }
        }
        for phase in 0..3 {
            self.both_alphabets(&written::base64_inside(whole, phase));
        }
    }

    fn both_alphabets(&mut self, characters: &[u8]) {
        self.take(characters);
        self.take(&written::url_safe(characters));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_masked_from_the_fewest_bytes_on_and_a_line_of_several_from_its_own() {
        let token = |length: usize| vec![b'x'; length];
        assert!(of(&token(MIN_PATTERN - 1)).is_empty());
        assert!(of(&[token(MIN_PATTERN - 1), b"\r\n\n".to_vec()].concat()).is_empty(), "the end of a line is no text");
        assert!(!of(&token(MIN_PATTERN)).is_empty());
        for (length, masked) in [(MIN_LINE - 1, false), (MIN_LINE, true)] {
            let line = vec![b'y'; length];
            let forms = of(&[b"some other line\n  ".to_vec(), line.clone(), b"\n-----END X-----\n".to_vec()].concat());
            assert_eq!(forms.iter().any(|form| **form == line), masked, "{length}");
            assert!(!forms.iter().any(|form| form.as_slice() == b"-----END X-----"));
        }
    }

    #[test]
    fn no_pattern_is_too_short_or_longer_than_two_pieces_and_nothing_of_a_long_text_is_left_out() {
        for length in [2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 3 * PIECE + 5, 500 * 1024] {
            let text: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
            let forms = of(&text);
            assert!(forms.iter().all(|form| (MIN_PATTERN..2 * PIECE).contains(&form.len())), "{length}");
            let whole = written::without_line_end(&text);
            let mut rest = whole;
            for piece in &forms {
                match rest.strip_prefix(piece.as_slice()) {
                    Some(behind) => rest = behind,
                    None => break,
                }
            }
            assert!(rest.is_empty(), "{length}: {} bytes are in no piece", rest.len());
        }
    }
}
