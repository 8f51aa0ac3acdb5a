//! The central directory of a zip, which comes last (APPNOTE 6.3.10, 4.3.12 to 4.3.16): it must
//! name nothing that was not seen before it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;

use super::super::limits::{Gap, MAX_ZIP_NAMES};
use super::super::stream::Stream;
use super::invalid;

/// What the records of the directory begin with.
pub(super) const CENTRAL: &[u8; 4] = b"PK\x01\x02";
/// What the end of the directory begins with.
pub(super) const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";

/// The members that were seen, by name, and not yet found in the directory.
pub(super) struct Directory {
    hasher: RandomState,
    seen: HashMap<u64, u32>,
    full: bool,
    ended: bool,
    missing: Vec<u8>,
    missing_count: u64,
}

impl Directory {
    pub(super) fn new() -> Self {
        let seen = HashMap::new();
        Self { hasher: RandomState::new(), seen, full: false, ended: false, missing: Vec::new(), missing_count: 0 }
    }

    /// A member of that name was seen.
    pub(super) fn saw(&mut self, name: &[u8]) {
        if self.seen.len() < MAX_ZIP_NAMES {
            *self.seen.entry(self.hasher.hash_one(name)).or_default() += 1;
        } else {
            self.full = true;
        }
    }

    /// Takes a record of the directory, if one begins here.
    pub(super) fn record(&mut self, stream: &mut Stream<'_>) -> io::Result<bool> {
        let cut = || invalid("it is cut off in its directory");
        let head = stream.peek(46)?;
        if head.starts_with(CENTRAL) {
            let head = <[u8; 46]>::try_from(head).map_err(|_| cut())?;
            let length = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
            stream.take(46);
            let name = stream.bytes(length(28).into())?.ok_or_else(cut)?;
            stream.skip(u64::from(length(30)) + u64::from(length(32)))?;
            match self.seen.get_mut(&self.hasher.hash_one(&name[..])) {
                Some(count) if *count > 0 => *count -= 1,
                _ => {
                    self.missing_count += 1;
                    if self.missing.is_empty() {
                        self.missing = name;
                    }
                }
            }
        } else if head.starts_with(END_64) && head.len() >= 12 {
            let size = head[4..12].iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
            stream.take(12);
            stream.skip(size.min(u64::from(u16::MAX)))?;
        } else if head.starts_with(LOCATOR_64) {
            stream.take(20);
        } else if head.starts_with(END) {
            self.ended = true;
            let comment = head.get(20..22).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
            stream.take(22);
            stream.skip(comment.into())?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Says what is wrong with the archive as a whole.
    pub(super) fn check(self, stream: &mut Stream<'_>) -> io::Result<()> {
        if self.full {
            stream.gap(None, Gap::Long("its list of members", MAX_ZIP_NAMES as u64));
        } else if self.missing_count > 0 {
            let name = String::from_utf8_lossy(&self.missing[..self.missing.len().min(200)]).escape_debug().to_string();
            let count = self.missing_count;
            stream.gap(None, Gap::Damaged(format!("its directory has {count} members that are not there, as {name}")));
        }
        if self.ended { Ok(()) } else { Err(invalid("it is cut off before the end of its directory")) }
    }
}
