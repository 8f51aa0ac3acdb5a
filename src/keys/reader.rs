//! Reads the SSH encodings inside a private key file (RFC 4251 section 5).
//!
//! Owns bounds: every read either lies inside the buffer or says that the key was cut.

use super::rejected::{Cut, Rejected};

/// A cursor over bytes that never leaves them.
pub(super) struct Reader<'a>(&'a [u8]);

const SHORT: Rejected = Rejected::Truncated(Cut::Inside);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Rejected> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Rejected> {
        let (head, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*head))
    }

    /// An SSH `string`. An `mpint` that is not negative reads the same.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Rejected> {
        let length = usize::try_from(self.u32()?).map_err(|_| SHORT)?;
        self.take(length)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }
}
