//! Compressed data inside of an encoding: gzip (RFC 1952), zlib (RFC 1950), Zstandard (RFC 8878).

use std::io::{ErrorKind, Read};

/// Bytes that one compressed part of an encoded text is unpacked to.
pub(super) const MAX_UNPACKED: usize = 4 << 20;

/// The fewest bytes of a compressed part of which it counts that its end is missing: a window
/// shows more of every encoding, so what lost its end to the window is longer.
pub(super) const MIN_CUT: usize = 8 * 1024;

/// What the bytes unpack to, its name, and whether there was more: past the limit, or past what
/// was shown of a long part. Other damage ends it without a word: what came before is looked at.
pub(super) fn unpack(bytes: &[u8]) -> Option<(Vec<u8>, &'static str, bool)> {
    let ((out, cut), name) = match bytes {
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => {
            (most(|| Ok(flate2::bufread::MultiGzDecoder::new(bytes))), "gzip")
        }
        [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31) => {
            (most(|| Ok(flate2::bufread::ZlibDecoder::new(bytes))), "zlib")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => (most(|| zstd::stream::read::Decoder::with_buffer(bytes)), "zstd"),
        _ => return None,
    };
    let more = out.len() > MAX_UNPACKED || (cut && bytes.len() >= MIN_CUT);
    let mut out = out;
    out.truncate(MAX_UNPACKED);
    (!out.is_empty()).then_some((out, name, more))
}

/// What comes out, and whether the end of what went in is missing.
fn most<R: Read>(open: impl Fn() -> std::io::Result<R>) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let read = open().and_then(|reader| reader.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut out));
    let Err(error) = read else { return (out, false) };
    // A cut-off stream gives what it has; a damaged one loses what it wrote in the call that
    // failed. Byte by byte, that is nothing.
    if error.kind() == ErrorKind::UnexpectedEof {
        return (out, true);
    }
    out.clear();
    if let Ok(mut reader) = open() {
        let mut byte = [0];
        while out.len() <= MAX_UNPACKED && matches!(reader.read(&mut byte), Ok(1)) {
            out.push(byte[0]);
        }
    }
    (out, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn all_of_it_comes_out_up_to_the_limit_and_one_past_it_is_said() {
        for (length, more) in [(1, false), (MAX_UNPACKED, false), (MAX_UNPACKED + 1, true)] {
            let (out, name, cut) = unpack(&gzip(&vec![7; length])).unwrap();
            assert_eq!((out.len(), name, cut), (length.min(MAX_UNPACKED), "gzip", more));
        }
    }

    #[test]
    fn a_damaged_stream_gives_what_came_before_the_damage() {
        let plain = b"abcdabbbacdcdcbabcbd".repeat(30);
        let (mut gzip, mut zstd) = (gzip(&plain), zstd::encode_all(&plain[..], 3).unwrap());
        let at = gzip.len() - 8;
        gzip[at] ^= 1;
        zstd.extend_from_slice(&zstd.clone());
        let at = zstd.len() - 5;
        zstd[at] ^= 0xff;
        for packed in [gzip, zstd] {
            let (out, name, more) = unpack(&packed).unwrap();
            assert!(out.starts_with(&plain), "{name}: {}", out.len());
            assert!(!more, "{name}");
        }
    }

    #[test]
    fn a_cut_off_stream_gives_what_it_has() {
        let plain: Vec<u8> = (0..50_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let packed = zstd::encode_all(&plain[..], 3).unwrap();
        for packed in [&gzip(&plain), &packed] {
            let (out, ..) = unpack(&packed[..packed.len() / 2]).unwrap();
            assert!(!out.is_empty() && plain.starts_with(&out));
        }
    }

    #[test]
    fn a_long_part_that_lost_its_end_is_said_and_a_short_or_damaged_one_is_not() {
        let plain: Vec<u8> = (0..50_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for packed in [gzip(&plain), zstd::encode_all(&plain[..], 3).unwrap()] {
            for (length, more) in [(MIN_CUT - 1, false), (MIN_CUT, true), (packed.len(), false)] {
                // Zstandard gives nothing before its first block is whole.
                let said = unpack(&packed[..length]).is_some_and(|(.., more)| more);
                let first = unpack(&packed[..length]).is_some();
                assert_eq!(said, more && first, "{length} of {}", packed.len());
            }
            assert!(unpack(&packed[..packed.len() - 9]).unwrap().2, "the end alone is missing");
        }
        let mut damaged = gzip(&plain);
        let middle = damaged.len() / 2;
        damaged[middle..].fill(0xff);
        assert!(!unpack(&damaged).is_some_and(|(.., more)| more));
    }

    #[test]
    fn anything_else_is_left_alone() {
        for bytes in [&b""[..], b"x", b"\x1f\x8b\x08\xff", b"\x78\x00", b"x\x9c", b"plain text"] {
            assert_eq!(unpack(bytes), None);
        }
    }
}
