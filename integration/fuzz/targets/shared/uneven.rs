//! A source that gives little at a time, and sometimes nothing yet, as a pipe does.

use std::io::{self, Read};

pub(crate) struct Uneven {
    bytes: Vec<u8>,
    at: usize,
    dice: u64,
}

impl Uneven {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        // Every length has its own pieces.
        Self { bytes: bytes.to_vec(), at: 0, dice: bytes.len() as u64 ^ 0x9e37_79b9_7f4a_7c15 }
    }

    /// Marsaglia's xorshift64.
    fn below(&mut self, most: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        usize::try_from(self.dice % most as u64).expect("less than a usize")
    }
}

impl Read for Uneven {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = match self.below(5) {
            0 => return Err(io::ErrorKind::Interrupted.into()),
            1 => 1,
            2 => 1 + self.below(16),
            3 => 1 + self.below(700),
            _ => 1 + self.below(5_000),
        };
        let left = &self.bytes[self.at..];
        let count = most.min(out.len()).min(left.len());
        out[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}
