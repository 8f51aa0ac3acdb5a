//! Compressed data inside of an encoding: gzip (RFC 1952), zlib (RFC 1950), Zstandard (RFC 8878).

use std::io::Read;

/// Bytes that one compressed part of an encoded text is unpacked to.
pub(super) const MAX_UNPACKED: usize = 4 << 20;

/// What the bytes unpack to, its name, and whether there was more. Damage ends it without a
/// word: what came before is looked at.
pub(super) fn unpack(bytes: &[u8]) -> Option<(Vec<u8>, &'static str, bool)> {
    let (out, name) = match bytes {
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => (most(flate2::bufread::MultiGzDecoder::new(bytes)), "gzip"),
        [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31) => {
            (most(flate2::bufread::ZlibDecoder::new(bytes)), "zlib")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => (most(zstd::stream::read::Decoder::with_buffer(bytes).ok()?), "zstd"),
        _ => return None,
    };
    let more = out.len() > MAX_UNPACKED;
    let mut out = out;
    out.truncate(MAX_UNPACKED);
    (!out.is_empty()).then_some((out, name, more))
}

fn most(reader: impl Read) -> Vec<u8> {
    let mut out = Vec::new();
    // An error is the end: a cut-off stream gives what it has.
    let _ = reader.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut out);
    out
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
    fn a_cut_off_stream_gives_what_it_has() {
        let plain: Vec<u8> = (0..50_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let packed = zstd::encode_all(&plain[..], 3).unwrap();
        for packed in [&gzip(&plain), &packed] {
            let (out, ..) = unpack(&packed[..packed.len() / 2]).unwrap();
            assert!(!out.is_empty() && plain.starts_with(&out));
        }
    }

    #[test]
    fn anything_else_is_left_alone() {
        for bytes in [&b""[..], b"x", b"\x1f\x8b\x08\xff", b"\x78\x00", b"x\x9c", b"plain text"] {
            assert_eq!(unpack(bytes), None);
        }
    }
}
