//! Strict DER (X.690 §10), from the front of a buffer or backwards from its middle.
//!
//! Owns lengths: minimal, definite, inside of the buffer. Refuses everything else, which is why
//! what parses here is hardly ever an accident.

/// Tag of an INTEGER.
const INTEGER: u8 = 0x02;
/// Tag of a BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// Tag of an OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// Tag of an OBJECT IDENTIFIER.
const OID: u8 = 0x06;
/// Tag of a SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// The most bytes that a tag and a length take here: enough for 16 MiB.
const MAX_HEADER: usize = 5;

/// A cursor over the content of one value.
#[derive(Clone, Copy)]
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value: its tag and content.
    pub(super) fn value(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                let minimal = digits[0] != 0 && length > 0x7f;
                (minimal.then_some(length)?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next value, which has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.peek()? != tag {
            return None;
        }
        self.value().map(|(_, content)| content)
    }

    /// The content of the next value if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.peek() == Some(tag) { self.expect(tag).map(Some) } else { Some(None) }
    }

    pub(super) fn sequence(&mut self) -> Option<Der<'a>> {
        self.expect(SEQUENCE).map(Der)
    }

    pub(super) fn oid(&mut self) -> Option<&'a [u8]> {
        self.expect(OID)
    }

    /// A number that is not negative, without its leading zero.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        match self.expect(INTEGER)? {
            [] => None,
            [0] => Some(&[]),
            [0, rest @ ..] => (rest[0] >= 0x80).then_some(rest),
            content => (content[0] < 0x80).then_some(content),
        }
    }

    /// A BIT STRING of whole bytes.
    pub(super) fn bytes_of_bits(content: &'a [u8]) -> Option<&'a [u8]> {
        content.split_first().and_then(|(unused, bytes)| (*unused == 0).then_some(bytes))
    }
}

/// Where a SEQUENCE may begin whose content begins at `at`: at most one place for each size
/// that its header can have.
pub(super) fn sequences_around(bytes: &[u8], at: usize) -> impl Iterator<Item = usize> + '_ {
    (2..=MAX_HEADER).filter_map(move |size| {
        let start = at.checked_sub(size)?;
        let header = bytes.get(start..at)?;
        let form = match size {
            2 => header[1] < 0x80,
            size => usize::from(header[1]) == 0x80 + size - 2,
        };
        (header[0] == SEQUENCE && form).then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_not_minimal_or_leaves_the_buffer_is_none() {
        let value = |bytes: &[u8]| Der::new(bytes).value().is_some();
        assert!(value(&[4, 1, 7]));
        assert!(!value(&[4, 2, 7]));
        assert!(!value(&[4, 0x81, 1, 7]));
        assert!(!value(&[4, 0x80, 7, 0, 0]));
        assert!(!value(&[4, 0x82, 0, 0x80]));
        let mut long = vec![4, 0x81, 0x80];
        long.extend([0; 0x80]);
        assert!(value(&long));
        assert!(!value(&long[..long.len() - 1]));
        assert!(!value(&[]) && !value(&[4]) && !value(&[4, 0x81]));
    }

    #[test]
    fn integers_are_minimal_and_not_negative() {
        let integer = |bytes: &'static [u8]| Der::new(bytes).integer();
        assert_eq!(integer(&[2, 1, 0]), Some(&[][..]));
        assert_eq!(integer(&[2, 2, 0, 0x80]), Some(&[0x80][..]));
        assert_eq!(integer(&[2, 2, 0, 0x7f]), None);
        assert_eq!(integer(&[2, 1, 0x80]), None);
        assert_eq!(integer(&[2, 0]), None);
    }
}
