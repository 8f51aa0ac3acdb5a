//! cpio(5) as packages and initial RAM disks use it: newc, with or without checksum, and odc.
//!
//! What lies behind the end of an archive is opened as well: an initial RAM disk is several, the
//! last of them compressed.

use std::io;

use super::super::limits::{Gap, MAX_ENTRIES, MAX_NAME};
use super::super::stream::{Kind, Stream};
use super::{Nest, file, invalid, named, zeros};

/// What a header says.
struct Header {
    mode: u64,
    name: u64,
    size: u64,
    /// Bytes of the header, and what the parts are padded to.
    length: usize,
    align: u64,
}

/// Bytes of the longer header.
const NEWC: usize = 110;
const ODC: usize = 76;

fn header(head: &[u8]) -> Option<Header> {
    let field = |from: usize, length: usize, radix: u32| {
        let digits = head.get(from..from + length)?;
        // Rust's own parsing takes a sign.
        let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
    };
    match head.get(..6)? {
        b"070701" | b"070702" => {
            let all: Option<Vec<u64>> = (0..13).map(|at| field(6 + at * 8, 8, 16)).collect();
            let all = all?;
            Some(Header { mode: all[1], name: all[11], size: all[6], length: NEWC, align: 4 })
        }
        b"070707" => {
            let short: Option<Vec<u64>> = (0..7).map(|at| field(6 + at * 6, 6, 8)).collect();
            let (short, _time) = (short?, field(48, 11, 8)?);
            Some(Header { mode: short[2], name: field(59, 6, 8)?, size: field(65, 11, 8)?, length: ODC, align: 1 })
        }
        _ => None,
    }
}

/// Whether these first bytes begin an archive.
pub(super) fn is_cpio(head: &[u8]) -> bool {
    header(head).is_some()
}

/// Reads an archive to its trailer, and opens what is behind it.
pub(super) fn walk(stream: &mut Stream<'_>, nest: Nest<'_>) -> io::Result<()> {
    for _ in 0..MAX_ENTRIES {
        let at = stream.at();
        let header = header(stream.peek(NEWC)?).ok_or_else(|| invalid(format!("no header of cpio at {at}")))?;
        stream.take(header.length);
        if header.name > MAX_NAME as u64 {
            return Err(invalid(format!("a name of {} bytes at {at}", header.name)));
        }
        let count = usize::try_from(header.name).unwrap_or(usize::MAX);
        let name = stream.bytes(count)?.ok_or_else(|| invalid("it is cut off in a name"))?;
        let name = name.strip_suffix(b"\0").unwrap_or(&name);
        pad(stream, at, header.align)?;
        if name == b"TRAILER!!!" {
            zeros(stream, u64::MAX)?;
            return if stream.buffered()?.is_empty() { Ok(()) } else { file(stream, b"rest", nest) };
        }
        let kind = match header.mode & 0o170_000 {
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Link,
            0o020_000 | 0o060_000 | 0o010_000 | 0o140_000 => Kind::Special,
            _ => Kind::File,
        };
        let read = named(stream, name, header.size, kind, nest)?;
        if read < header.size {
            return Err(invalid(format!("it is cut off in the entry whose header is at {at}")));
        }
        pad(stream, at, header.align)?;
    }
    stream.gap(None, Gap::Entries);
    Ok(())
}

/// To the next multiple of `align`, counted from the header at `from`.
fn pad(stream: &mut Stream<'_>, from: u64, align: u64) -> io::Result<()> {
    let over = (stream.at() - from) % align;
    stream.skip((align - over) % align).map(|_| ())
}
