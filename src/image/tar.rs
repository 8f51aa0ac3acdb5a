//! Tar as layers use it: ustar, GNU long names and sparse files, PAX (POSIX.1-2017, pax,
//! "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format").
//!
//! Names every entry and its content; extracts nothing and follows no link. What is no tar
//! header is an error that says where: the stream goes on showing the bytes.

use std::io;

use super::inner::{self, Nest};
use super::limits::{Gap, MAX_ENTRIES, MAX_NAME, MAX_PAX};
use super::stream::{Entry, Kind, Stream};

/// Bytes of a block; headers and contents fill whole ones.
pub const BLOCK: usize = 512;

/// Whether these first bytes begin a tar: a header whose checksum is right.
#[must_use]
pub fn is_tar(head: &[u8]) -> bool {
    head.get(..BLOCK).is_some_and(|block| {
        checksum_is_right(block) && (&block[257..262] == b"ustar" || block[100..108].iter().all(|c| octal_digit(*c)))
    })
}

fn octal_digit(c: u8) -> bool {
    matches!(c, b'0'..=b'7' | b' ' | 0)
}

pub(super) fn checksum_is_right(block: &[u8]) -> bool {
    let sum: u64 =
        block.iter().enumerate().map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte })).sum();
    // Old writers summed signed bytes.
    let signed: i64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| i64::from(if (148..156).contains(&at) { b' ' } else { *byte }.cast_signed()))
        .sum();
    let said = number(&block[148..156]);
    block[0] != 0 && (said == Some(sum) || said.and_then(|said| i64::try_from(said).ok()) == Some(signed))
}

/// An octal number, or a binary one of GNU's, which has the first bit set.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        // Negative, or more than 64 bits: no size of ours.
        if high.iter().skip(1).any(|byte| *byte != 0) || high.first().is_some_and(|first| *first != 0x80) {
            return None;
        }
        return Some(low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let mut digits = field.iter().skip_while(|c| **c == b' ').take_while(|c| **c != b' ' && **c != 0);
    digits.try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

pub(super) fn text(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|c| *c == 0).unwrap_or(field.len())]
}

/// The name that a header itself has.
pub(super) fn name_in(block: &[u8; BLOCK]) -> Vec<u8> {
    let (prefix, name) = (text(&block[345..500]), text(&block[..100]));
    // The prefix is ustar's own; GNU and older formats have other things there.
    if &block[257..263] == b"ustar\0" && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
}

/// What the headers before an entry say of it.
#[derive(Default)]
pub(super) struct Said {
    /// Whether there was such a header at all.
    something: bool,
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// GNU sparse, as PAX: the name that the file has in truth.
    sparse_name: Option<Vec<u8>>,
}

impl Said {
    /// Takes the records of a PAX header: `LENGTH KEY=VALUE\n` each.
    pub(super) fn take(&mut self, mut records: &[u8]) -> Result<(), Gap> {
        let bad = || Gap::Damaged("a PAX header that is none".into());
        while !records.is_empty() && records[0] != 0 {
            let space = records.iter().take(20).position(|c| *c == b' ').ok_or_else(bad)?;
            let length = std::str::from_utf8(&records[..space]).ok().and_then(|text| text.parse::<usize>().ok());
            let length = length.filter(|length| *length > space + 1).ok_or_else(bad)?;
            let record = records.get(space + 1..length).ok_or_else(bad)?;
            let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
            let equals = record.iter().position(|c| *c == b'=').ok_or_else(bad)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or_else(bad)?);
                }
                b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
                _ => {}
            }
            records = &records[length..];
        }
        Ok(())
    }
}

/// Reads a tar to its end marker, or to the end of the stream.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] where there is no header, else the stream's own.
pub fn walk(stream: &mut Stream<'_>, nest: Nest<'_>) -> io::Result<()> {
    let mut global = Said::default();
    let mut said = Said::default();
    let mut entries = 0;
    loop {
        let at = stream.at();
        let Ok(block) = <[u8; BLOCK]>::try_from(stream.peek(BLOCK)?) else {
            // Writers may leave out the end marker; a part of a header is damage.
            let rest = stream.peek(BLOCK)?.len();
            let whole = rest == 0 && !said.something;
            return if whole { Ok(()) } else { Err(invalid(format!("the tar is cut off at {at}"))) };
        };
        if block.iter().all(|byte| *byte == 0) {
            if end(stream)? {
                continue;
            }
            return Ok(());
        }
        if !checksum_is_right(&block) {
            return Err(invalid(format!("no tar header at {at}")));
        }
        stream.take(BLOCK);
        let typeflag = block[156];
        let header_size =
            number(&block[124..136]).ok_or_else(|| invalid(format!("no size in the tar header at {at}")))?;
        match typeflag {
            b'x' | b'g' | b'L' | b'K' => {
                let content = small(stream, header_size)?;
                said.something |= typeflag != b'g';
                match (typeflag, content) {
                    (_, None) => stream.gap(None, Gap::Long("a header of an entry", MAX_PAX)),
                    (b'x', Some(records)) => said.take(&records).unwrap_or_else(|gap| stream.gap(None, gap)),
                    (b'g', Some(records)) => global.take(&records).unwrap_or_else(|gap| stream.gap(None, gap)),
                    (b'L', Some(name)) => said.path = Some(text(&name).to_vec()),
                    (_, Some(name)) => said.link = Some(text(&name).to_vec()),
                }
                continue;
            }
            _ => {}
        }
        entries += 1;
        if entries > MAX_ENTRIES {
            stream.gap(None, Gap::Entries);
            return Ok(());
        }
        entry(stream, nest, &block, std::mem::take(&mut said), &global, at)?;
    }
}

/// One entry and its content.
fn entry(
    stream: &mut Stream<'_>,
    nest: Nest<'_>,
    block: &[u8; BLOCK],
    said: Said,
    global: &Said,
    at: u64,
) -> io::Result<()> {
    let typeflag = block[156];
    let mut name = said.sparse_name.or(said.path).or_else(|| global.path.clone()).unwrap_or_else(|| name_in(block));
    if name.len() > MAX_NAME {
        stream.gap(None, Gap::Long("a name", MAX_NAME as u64));
        name.truncate(MAX_NAME);
    }
    let link = said.link.or_else(|| global.link.clone()).unwrap_or_else(|| text(&block[157..257]).to_vec());
    let kind = match typeflag {
        b'1' | b'2' => Kind::Link,
        b'3' | b'4' | b'6' => Kind::Special,
        b'5' => Kind::Folder,
        _ => Kind::File,
    };
    let size = match said.size.or(global.size) {
        Some(size) => size,
        None => number(&block[124..136]).ok_or_else(|| invalid(format!("no size in the tar header at {at}")))?,
    };
    // Links, folders and devices have no content, whatever their size says (POSIX). A hard link
    // with PAX may have one, which no writer of layers uses.
    let size = if kind == Kind::File { size } else { 0 };
    let link = if kind == Kind::Link { &link[..link.len().min(MAX_NAME)] } else { &[][..] };
    stream.entry(&Entry { name: &name, length: size, kind, link });
    if typeflag == b'S' && block[482] != 0 {
        // More of the map of a sparse file, in blocks of its own.
        loop {
            let more = stream.peek(BLOCK)?.get(504).copied();
            stream.take(BLOCK);
            if more.is_none_or(|more| more == 0) {
                break;
            }
        }
    }
    if size == 0 {
        return Ok(());
    }
    stream.span(name.clone(), size);
    let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    let read = inner::content(stream, &name, size, nest)?;
    if read < size || stream.skip(padding)? < padding {
        return Err(invalid(format!("the tar is cut off in the entry whose header is at {at}")));
    }
    Ok(())
}

/// The content of a header of a header, if it is no longer than [`MAX_PAX`].
fn small(stream: &mut Stream<'_>, size: u64) -> io::Result<Option<Vec<u8>>> {
    let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    let cut = || invalid("the tar is cut off in a header".to_owned());
    let content = if size > MAX_PAX {
        if stream.skip(size)? < size {
            return Err(cut());
        }
        None
    } else {
        Some(stream.bytes(usize::try_from(size).unwrap_or(usize::MAX))?.ok_or_else(cut)?)
    };
    if stream.skip(padding)? < padding {
        return Err(cut());
    }
    Ok(content)
}

/// Behind the end marker there may be zeros, for whole records; another tar is read as well
/// (as `tar --ignore-zeros` does), and anything else is said. Gives whether to go on.
fn end(stream: &mut Stream<'_>) -> io::Result<bool> {
    loop {
        let block = stream.peek(BLOCK)?;
        if block.is_empty() {
            return Ok(false);
        }
        if block.iter().any(|byte| *byte != 0) {
            if block.len() == BLOCK && checksum_is_right(block) {
                return Ok(true);
            }
            stream.gap(None, Gap::Damaged("bytes behind the end of the tar".into()));
            return Ok(false);
        }
        let count = block.len();
        stream.take(count);
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
