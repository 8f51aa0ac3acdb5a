//! PURE bytes ↔ types: frames, agent messages, signed data.
//!
//! Nothing here opens a socket or a file, decides anything, or decodes a key: key blobs are
//! compared as the bytes they are, because they come from whatever runs inside a build.

pub mod agent;
pub mod certificate;
pub mod frame;
pub mod sshsig;
pub mod text;
pub mod tunnel;
pub mod tunnel_host;
pub mod userauth;

/// Why bytes are not what they should be. Carries none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end inside a field.
    #[error("the message ends too early")]
    Truncated,
    /// Bytes are left over behind the last field.
    #[error("the message has trailing bytes")]
    Trailing,
    /// A field has a value that its specification does not allow.
    #[error("the message has an invalid {0}")]
    Field(&'static str),
}

/// A cursor over the fields of an SSH message (RFC 4251 section 5).
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// One `byte`.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] at the end.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    /// One `uint32`, big-endian.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] when fewer than four bytes are left.
    pub fn uint32(&mut self) -> Result<u32, Malformed> {
        let (first, rest) = self.0.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*first))
    }

    /// One `string`: a `uint32` length and that many bytes.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] when fewer bytes are left than the length says.
    pub fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.uint32()?).map_err(|_| Malformed::Truncated)?;
        if length > self.0.len() {
            return Err(Malformed::Truncated);
        }
        let (first, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(first)
    }

    /// One `uint64`, big-endian.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] when fewer than eight bytes are left.
    pub fn uint64(&mut self) -> Result<u64, Malformed> {
        let (first, rest) = self.0.split_first_chunk::<8>().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(u64::from_be_bytes(*first))
    }

    /// One `mpint` that is not negative, without its leading zero bytes.
    ///
    /// # Errors
    /// [`Malformed`] for a negative number, or a string that is cut.
    pub fn unsigned(&mut self) -> Result<&'a [u8], Malformed> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|first| first & 0x80 != 0) {
            return Err(Malformed::Field("number"));
        }
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes.get(zeros..).ok_or(Malformed::Truncated)
    }

    /// What was not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether every byte was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Accepts the end, and nothing but the end.
    ///
    /// # Errors
    /// [`Malformed::Trailing`] when bytes are left.
    pub fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Trailing) }
    }
}

/// Appends a `string` field. Lengths beyond `u32` cannot occur: every caller's data is bounded
/// far below by [`frame::MAX_REQUEST`] or by a key's size.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Appends a `string` field of what `body` appends.
pub fn put_string_of(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let head = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = u32::try_from(out.len() - head - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(head..head + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// The key type that a key blob or certificate blob begins with, where it is one.
#[must_use]
pub fn key_type(blob: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(Fields::new(blob).string().ok()?).ok()?;
    // It is shown to people and written to files: nothing but what RFC 4251 section 6 allows.
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_longer_than_its_message_is_truncated() {
        assert_eq!(Fields::new(&[0, 0, 0, 2, 1]).string(), Err(Malformed::Truncated));
        assert_eq!(Fields::new(&[0xff; 4]).string(), Err(Malformed::Truncated));
        assert_eq!(Fields::new(&[0, 0, 0, 2, 1, 2]).string(), Ok(&[1, 2][..]));
    }

    #[test]
    fn a_negative_number_is_refused_and_leading_zeros_are_not_part_of_one() {
        assert_eq!(Fields::new(&[0, 0, 0, 1, 0x80]).unsigned(), Err(Malformed::Field("number")));
        assert_eq!(Fields::new(&[0, 0, 0, 2, 0, 0x80]).unsigned(), Ok(&[0x80][..]));
        assert_eq!(Fields::new(&[0, 0, 0, 0]).unsigned(), Ok(&[][..]));
    }

    #[test]
    fn bytes_behind_the_last_field_are_an_error() {
        let mut fields = Fields::new(&[7, 8]);
        assert_eq!(fields.byte(), Ok(7));
        assert_eq!(fields.end(), Err(Malformed::Trailing));
    }
}
