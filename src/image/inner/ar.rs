//! ar(5), with GNU's and BSD's long names: Debian packages and static libraries.
//!
//! A thin archive (`!<thin>`) has no content of its own, and is not opened.

use std::io;

use super::super::limits::{Gap, MAX_ENTRIES, MAX_NAME, MAX_PAX};
use super::super::stream::{Kind, Stream};
use super::{Nest, invalid, named};

/// What it begins with.
pub(super) const MAGIC: &[u8] = b"!<arch>\n";

/// Bytes of a member's header.
const HEADER: usize = 60;

fn decimal(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.trim_end().parse().ok()
}

/// Reads an archive to its end.
pub(super) fn walk(stream: &mut Stream<'_>, nest: Nest<'_>) -> io::Result<()> {
    stream.skip(MAGIC.len() as u64)?;
    let mut long_names = Vec::new();
    for _ in 0..MAX_ENTRIES {
        let at = stream.at();
        let bad = || invalid(format!("no header of ar at {at}"));
        let head = stream.peek(HEADER)?;
        if head.is_empty() || head == b"\n" {
            return Ok(());
        }
        let header = <[u8; HEADER]>::try_from(head).map_err(|_| bad())?;
        if &header[58..] != b"`\n" {
            return Err(bad());
        }
        stream.take(HEADER);
        let mut size = decimal(&header[48..58]).ok_or_else(bad)?;
        let odd = size % 2;
        let field = header[..16].trim_ascii_end();
        let name = match field {
            b"//" => {
                if size > MAX_PAX {
                    stream.gap(None, Gap::Long("the table of its names", MAX_PAX));
                } else {
                    let count = usize::try_from(size).unwrap_or(usize::MAX);
                    long_names = stream.bytes(count)?.ok_or_else(|| invalid("it is cut off in its names"))?;
                    size = 0;
                }
                b"//".to_vec()
            }
            [b'#', b'1', b'/', length @ ..] => {
                let length = decimal(length).filter(|length| *length <= size && *length <= MAX_NAME as u64);
                let length = length.ok_or_else(bad)?;
                size -= length;
                let count = usize::try_from(length).unwrap_or(usize::MAX);
                let name = stream.bytes(count)?.ok_or_else(|| invalid("it is cut off in a name"))?;
                name.into_iter().take_while(|c| *c != 0).collect()
            }
            [b'/', offset @ ..] if offset.first().is_some_and(u8::is_ascii_digit) => {
                let offset = decimal(offset).and_then(|offset| usize::try_from(offset).ok());
                let name = offset.and_then(|offset| long_names.get(offset..)).unwrap_or(field);
                name.split(|c| *c == b'\n').next().unwrap_or(name).strip_suffix(b"/").unwrap_or(name).to_vec()
            }
            name => name.strip_suffix(b"/").filter(|name| !name.is_empty()).unwrap_or(name).to_vec(),
        };
        let read = named(stream, &name[..name.len().min(MAX_NAME)], size, Kind::File, nest)?;
        if read < size {
            return Err(invalid(format!("it is cut off in the member whose header is at {at}")));
        }
        stream.skip(odd)?;
    }
    stream.gap(None, Gap::Entries);
    Ok(())
}
