//! Frames of the agent protocol: a `uint32` length and that many bytes (RFC 9987 section 3).
//!
//! Owns the only buffer that a client fills. It grows with the bytes that have arrived, never
//! with the length that was announced, and refuses an announcement over [`MAX_REQUEST`].

/// The longest request that is read, in bytes, as in OpenSSH's `AGENT_MAX_LEN`.
pub const MAX_REQUEST: usize = 256 * 1024;

/// How many bytes are asked for in one read.
pub const READ_SIZE: usize = 4096;

/// Bytes of the length in front of a frame.
const HEADER: usize = 4;

/// A buffer that is larger than this after a request is given back before the next one, so
/// that idle connections stay small.
const KEEP: usize = 16 * 1024;

/// A frame that announced more than [`MAX_REQUEST`] bytes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request of {0} bytes was announced; the limit is {MAX_REQUEST}")]
pub struct BadLength(pub u32);

/// Collects bytes and hands out whole frames.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP {
            self.buffer = Vec::new();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame without its length, or `None` until more bytes have arrived.
    ///
    /// # Errors
    /// [`BadLength`] as soon as the length is known; the connection is of no use after it.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, BadLength> {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let Some((header, body)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let announced = u32::from_be_bytes(*header);
        let length = usize::try_from(announced).map_err(|_| BadLength(announced))?;
        if length == 0 || length > MAX_REQUEST {
            return Err(BadLength(announced));
        }
        if body.len() < length {
            return Ok(None);
        }
        let start = self.taken + HEADER;
        self.taken = start + length;
        Ok(self.buffer.get(start..self.taken))
    }

    /// Whether the next call of [`Decoder::next_frame`] has something to say: a whole frame, or
    /// a length that is refused.
    #[must_use]
    pub fn has_frame(&self) -> bool {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        rest.split_first_chunk::<HEADER>().is_some_and(|(header, body)| {
            let length = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
            length == 0 || length > MAX_REQUEST || body.len() >= length
        })
    }

    /// Whether a frame has begun and is not complete.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.taken < self.buffer.len()
    }

    /// Bytes that the buffer holds on to.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        bytes.resize(4 + length, 7);
        bytes
    }

    #[test]
    fn a_request_at_the_limit_is_read_and_one_byte_more_is_refused() {
        let mut decoder = Decoder::default();
        decoder.push(&frame(MAX_REQUEST));
        assert_eq!(decoder.next_frame().unwrap().map(<[u8]>::len), Some(MAX_REQUEST));
        let mut decoder = Decoder::default();
        decoder.push(&frame(MAX_REQUEST + 1)[..4]);
        assert_eq!(decoder.next_frame(), Err(BadLength(262_145)));
    }

    #[test]
    fn a_four_gigabyte_header_is_refused_without_memory_for_it() {
        let mut decoder = Decoder::default();
        decoder.push(&[0xff; 4]);
        assert_eq!(decoder.next_frame(), Err(BadLength(u32::MAX)));
        assert!(decoder.capacity() < READ_SIZE);
    }

    #[test]
    fn an_empty_frame_is_refused() {
        let mut decoder = Decoder::default();
        decoder.push(&[0; 4]);
        assert_eq!(decoder.next_frame(), Err(BadLength(0)));
    }

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        let mut bytes = frame(3);
        bytes.extend(frame(5));
        let mut decoder = Decoder::default();
        let mut lengths = Vec::new();
        for byte in &bytes {
            decoder.push(std::slice::from_ref(byte));
            while let Some(frame) = decoder.next_frame().unwrap() {
                lengths.push(frame.len());
            }
        }
        assert_eq!(lengths, [3, 5]);
        assert!(!decoder.is_partial());
        decoder.push(&bytes);
        assert_eq!(decoder.next_frame().unwrap().map(<[u8]>::len), Some(3));
        assert!(decoder.is_partial());
        assert_eq!(decoder.next_frame().unwrap().map(<[u8]>::len), Some(5));
        assert_eq!(decoder.next_frame(), Ok(None));
    }

    #[test]
    fn a_large_request_does_not_stay_in_memory_behind_an_idle_connection() {
        let mut decoder = Decoder::default();
        decoder.push(&frame(MAX_REQUEST));
        decoder.next_frame().unwrap();
        decoder.push(&frame(1));
        assert!(decoder.capacity() <= KEEP);
    }
}
