//! Deltas of Git's packs: an object as copies out of another one and bytes of its own
//! (gitformat-pack(5), "Deltified representation").

use std::io::{self, Read};
use std::rc::Rc;

use super::{Unpacks, invalid};

/// A number of 7 bits a byte, the lowest first.
fn size(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The object that a delta describes, as a reader.
pub(super) struct Delta {
    base: Rc<[u8]>,
    instructions: Vec<u8>,
    at: usize,
    /// What is being given: of the base, or of the instructions.
    copy: std::ops::Range<usize>,
    of_base: bool,
    left: u64,
}

impl Delta {
    /// Of a delta and its base, whose length must be the one that the delta says.
    pub(super) fn new(base: Rc<[u8]>, delta: Vec<u8>) -> io::Result<Self> {
        let mut rest = &delta[..];
        let sizes = size(&mut rest).zip(size(&mut rest));
        let Some((_, left)) = sizes.filter(|(of_base, _)| *of_base == base.len() as u64) else {
            return Err(invalid("a delta does not fit its base"));
        };
        let at = delta.len() - rest.len();
        Ok(Self { base, instructions: delta, at, copy: 0..0, of_base: false, left })
    }

    /// Bytes of the object.
    pub(super) fn length(&self) -> u64 {
        self.left
    }

    fn instruction(&mut self) -> Option<()> {
        let rest = self.instructions.get(self.at..)?;
        let (first, mut rest) = rest.split_first()?;
        if *first & 0x80 == 0 {
            // 0 is reserved.
            let start = self.at + 1;
            self.at = start + usize::from(*first);
            self.copy = start..self.at;
            self.of_base = false;
            return (*first > 0 && self.at <= self.instructions.len()).then_some(());
        }
        let mut field = |bits: std::ops::Range<u32>| {
            let mut number = 0_usize;
            for (shift, bit) in bits.enumerate() {
                if first >> bit & 1 == 1 {
                    let (byte, behind) = rest.split_first()?;
                    number |= usize::from(*byte) << (8 * shift);
                    rest = behind;
                }
            }
            Some(number)
        };
        let (start, count) = (field(0..4)?, field(4..7)?);
        let count = if count == 0 { 0x10000 } else { count };
        self.at = self.instructions.len() - rest.len();
        self.copy = start..start.checked_add(count)?;
        self.of_base = true;
        (self.copy.end <= self.base.len()).then_some(())
    }
}

impl Read for Delta {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        if self.copy.is_empty() {
            self.instruction().ok_or_else(|| invalid("an instruction of a delta is wrong"))?;
        }
        let source = if self.of_base { &self.base[..] } else { &self.instructions };
        let next = &source[self.copy.clone()];
        let count = next.len().min(out.len()).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        out[..count].copy_from_slice(&next[..count]);
        self.copy.start += count;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Unpacks for Delta {
    fn eaten(&self) -> u64 {
        u64::MAX
    }

    fn memory(&self) -> u64 {
        0
    }

    fn proven(&self) -> bool {
        true
    }
}
