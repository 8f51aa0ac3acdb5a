//! Binary packets (RFC 4253 section 6), in the clear and under AES-GCM (RFC 5647, as OpenSSH
//! names it).

use std::io::{self, BufReader, Read, Write};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use super::TransportError;

/// Longest packet that is read, in bytes (RFC 4253 section 6.1).
const MAX_PACKET: usize = 35_000;
/// What lengths are a multiple of: AES's block, which is more than the 8 that is asked for in
/// the clear.
const BLOCK: usize = 16;
/// Bytes of AES-GCM's tag.
const TAG: usize = 16;

/// One direction under AES-GCM.
pub(super) struct Cipher {
    pub(super) key: LessSafeKey,
    pub(super) nonce: [u8; NONCE_LEN],
}

impl Cipher {
    /// The next nonce: four fixed bytes and a counter (RFC 5647 section 7.1).
    fn step(&mut self) -> Nonce {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let (_, counter) = self.nonce.split_at_mut(4);
        for byte in counter.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        nonce
    }
}

/// A stream of packets.
pub(super) struct Packets<S> {
    stream: BufReader<S>,
    ciphers: Option<(Cipher, Cipher)>,
}

impl<S: Read + Write> Packets<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), ciphers: None }
    }

    /// From here on both directions are encrypted.
    pub(super) fn encrypt(&mut self, sealing: Cipher, opening: Cipher) {
        self.ciphers = Some((sealing, opening));
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }

    /// A line without its ending; `None` where it is longer than `limit` bytes.
    pub(super) fn line(&mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            if byte == *b"\n" {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if line.len() > limit {
                return Ok(None);
            }
            line.push(byte[0]);
        }
    }

    /// Sends one message.
    pub(super) fn send(&mut self, message: &[u8]) -> Result<(), TransportError> {
        // In the clear the length field counts towards the block, under GCM it does not.
        let counted = if self.ciphers.is_some() { 1 } else { 5 };
        let mut padding = BLOCK - (counted + message.len()) % BLOCK;
        if padding < 4 {
            padding += BLOCK;
        }
        let length = 1 + message.len() + padding;
        let header = u32::try_from(length).map_err(|_| TransportError::Protocol)?.to_be_bytes();
        let mut body = vec![u8::try_from(padding).map_err(|_| TransportError::Protocol)?];
        body.extend_from_slice(message);
        body.resize(length, 0);
        if let Some((sealing, _)) = &mut self.ciphers {
            let nonce = sealing.step();
            let sealed = sealing.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut body);
            sealed.map_err(|_| TransportError::Protocol)?;
        }
        let mut packet = header.to_vec();
        packet.append(&mut body);
        Ok(self.write_all(&packet)?)
    }

    /// Receives one message.
    pub(super) fn receive(&mut self) -> Result<Vec<u8>, TransportError> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        let length = usize::try_from(u32::from_be_bytes(header)).map_err(|_| TransportError::Protocol)?;
        if !(2..=MAX_PACKET).contains(&length) {
            return Err(TransportError::Protocol);
        }
        let tag = if self.ciphers.is_some() { TAG } else { 0 };
        let mut body = vec![0; length + tag];
        self.stream.read_exact(&mut body)?;
        if let Some((_, opening)) = &mut self.ciphers {
            let nonce = opening.step();
            opening.key.open_in_place(nonce, Aad::from(header), &mut body).map_err(|_| TransportError::Protocol)?;
            body.truncate(length);
        }
        let padding = usize::from(body[0]);
        let end = length.checked_sub(padding).filter(|&end| end > 1).ok_or(TransportError::Protocol)?;
        Ok(body[1..end].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::aead::{AES_128_GCM, UnboundKey};

    fn cipher() -> Cipher {
        Cipher { key: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).unwrap()), nonce: [0xff; NONCE_LEN] }
    }

    #[test]
    fn a_message_of_any_length_comes_back_in_the_clear_and_encrypted() {
        for encrypted in [false, true] {
            let mut out = Packets::new(io::Cursor::new(Vec::new()));
            if encrypted {
                out.encrypt(cipher(), cipher());
            }
            for length in 1..70 {
                out.send(&vec![9; length]).unwrap();
            }
            let bytes = out.stream.into_inner().into_inner();
            let mut back = Packets::new(io::Cursor::new(bytes));
            if encrypted {
                back.encrypt(cipher(), cipher());
            }
            for length in 1..70 {
                assert_eq!(back.receive().unwrap(), vec![9; length]);
            }
        }
    }

    #[test]
    fn a_changed_byte_of_an_encrypted_packet_is_noticed() {
        let mut out = Packets::new(io::Cursor::new(Vec::new()));
        out.encrypt(cipher(), cipher());
        out.send(b"message").unwrap();
        let bytes = out.stream.into_inner().into_inner();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let mut back = Packets::new(io::Cursor::new(changed));
            back.encrypt(cipher(), cipher());
            assert!(back.receive().is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_longest_packet_is_read_and_one_byte_more_is_not() {
        let packet = |length: usize| {
            let mut bytes = u32::try_from(length).unwrap().to_be_bytes().to_vec();
            bytes.push(4);
            bytes.resize(4 + length, 0);
            Packets::new(io::Cursor::new(bytes)).receive()
        };
        assert_eq!(packet(MAX_PACKET).unwrap().len(), MAX_PACKET - 5);
        assert!(matches!(packet(MAX_PACKET + 1), Err(TransportError::Protocol)));
        assert!(matches!(packet(5), Err(TransportError::Protocol)), "padding and no message");
    }
}
