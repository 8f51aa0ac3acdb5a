//! What a file is, by its first bytes.
//!
//! A format whose magic is short is asked for more: fields that can only have a few values, a
//! checksum, the first bytes unpacked. Brotli and raw Deflate have nothing to be known by.

use flate2::{Decompress, FlushDecompress};

use super::super::tar;
use super::{ar, cpio, zip_header};

/// Bytes that [`sniff`] looks at.
pub const HEAD: usize = 512;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The .xz file format, 1.2.
    Xz,
    /// bzip2 and libbzip2, 1.0.8.
    Bzip2,
    /// LZMA alone, as LZMA Utils write it.
    Lzma,
    /// LZ4 Frame Format 1.6.4, and the legacy frames before it.
    Lz4,
    /// POSIX.1, or older.
    Tar,
    /// PKWARE's APPNOTE, 6.3.10: zip, jar, whl, nupkg, apk.
    Zip,
    /// ar(5): Debian packages and libraries.
    Ar,
    /// cpio(5): newc and odc.
    Cpio,
    /// RPM, version 3 and later.
    Rpm,
    /// gitformat-pack(5).
    Pack,
    /// A loose object of Git.
    GitObject,
    /// SQLite 3.
    Sqlite,
    /// Another one, of that name, that cannot be read.
    Other(&'static str),
}

/// What cannot be read, by its magic.
const OTHERS: [(&[u8], &str); 10] = [
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"LZIP\x01", "lzip"),
    (b"\x89LZO\x00\r\n\x1a\n", "lzop"),
    (b"hsqs", "squashfs"),
    (b"MSCF\x00\x00\x00\x00", "cab"),
    (b"xar!\x00\x1c", "xar"),
    (b"\xed\xab\xee\xdb\x01", "rpm, version 1"),
    (b"\xed\xab\xee\xdb\x02", "rpm, version 2"),
    (b"QFI\xfb\x00\x00\x00", "qcow2"),
];

/// What begins with these bytes, if it is something that is or should be opened.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<Format> {
    match head {
        // Deflate is the one method, three flags are reserved; the system is 13 or less, or 255.
        [0x1f, 0x8b, 8, flags, _, _, _, _, _, 0..=13 | 255, ..] if flags & 0xe0 == 0 => return Some(Format::Gzip),
        [0xfd, b'7', b'z', b'X', b'Z', 0, 0, 0..=15, ..] => return Some(Format::Xz),
        [0x04, 0x22, 0x4d, 0x18, flags, ..] if flags & 0xc2 == 0x40 => return Some(Format::Lz4),
        [0x02, 0x21, 0x4c, 0x18, ..] => return Some(Format::Lz4),
        [b'B', b'Z', b'h', b'1'..=b'9', block @ ..]
            if block.starts_with(b"1AY&SY") || block.starts_with(&[0x17, 0x72, 0x45, 0x38, 0x50, 0x90]) =>
        {
            return Some(Format::Bzip2);
        }
        // compress(1): one reserved pair of bits, codes of 9 to 16 bits.
        [0x1f, 0x9d, bits, ..] if bits & 0x60 == 0 && (9..=16).contains(&(bits & 0x1f)) => {
            return Some(Format::Other("compress (.Z)"));
        }
        [0xed, 0xab, 0xee, 0xdb, 3 | 4, ..] if head.len() > 100 => return Some(Format::Rpm),
        [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] if head.len() >= 12 => return Some(Format::Pack),
        _ => {}
    }
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(Format::Other(name));
    }
    if is_zstd(head) {
        return Some(Format::Zstd);
    }
    if zip_header::begins_zip(head) {
        return Some(Format::Zip);
    }
    if head.starts_with(b"SQLite format 3\0") {
        return Some(Format::Sqlite);
    }
    if head.starts_with(ar::MAGIC) {
        return Some(Format::Ar);
    }
    if cpio::is_cpio(head) {
        return Some(Format::Cpio);
    }
    if tar::is_tar(head) {
        return Some(Format::Tar);
    }
    if is_git_object(head) {
        return Some(Format::GitObject);
    }
    is_lzma(head).then_some(Format::Lzma)
}

/// A frame, or a skippable one with a frame behind it (RFC 8878, 3.1).
fn is_zstd(mut head: &[u8]) -> bool {
    loop {
        match head {
            // A bit of the descriptor is reserved.
            [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..] => return descriptor & 0x08 == 0,
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] => {
                let length = u32::from_le_bytes([*a, *b, *c, *d]);
                match usize::try_from(length).ok().and_then(|length| rest.get(length..)) {
                    Some(behind) if !behind.is_empty() => head = behind,
                    _ => return true,
                }
            }
            _ => return false,
        }
    }
}

/// LZMA alone has no magic. All writers use these literal bits, a dictionary of 2^n or
/// 2^n + 2^(n-1) bytes, and a length that is unknown or plausible; its first coded byte is 0.
fn is_lzma(head: &[u8]) -> bool {
    let [0x5d, a, b, c, d, size @ ..] = head else { return false };
    let dictionary = u32::from_le_bytes([*a, *b, *c, *d]);
    let Some((size, [0, ..])) = size.split_first_chunk::<8>() else { return false };
    let size = u64::from_le_bytes(*size);
    let steps = dictionary >> dictionary.trailing_zeros().min(31);
    dictionary >= 1 << 12 && matches!(steps, 1 | 3) && (size == u64::MAX || (1..1 << 38).contains(&size))
}

/// A zlib stream (RFC 1950) that holds the header of an object.
fn is_git_object(head: &[u8]) -> bool {
    let [method @ (0x78 | 0x68 | 0x58 | 0x48), flags, ..] = head else { return false };
    if (u16::from(*method) << 8 | u16::from(*flags)) % 31 != 0 || flags & 0x20 != 0 {
        return false;
    }
    let mut out = [0; 32];
    let mut inflate = Decompress::new(true);
    // An error behind the header matters when it is opened.
    let _ = inflate.decompress(head, &mut out, FlushDecompress::None);
    let count = usize::try_from(inflate.total_out()).unwrap_or(0).min(out.len());
    super::git::header(&out[..count]).is_some()
}
