//! Zip archives, read from their beginning by the local headers of their members (APPNOTE
//! 6.3.10): the directory comes last, and a stream does not go back. What the directory names
//! and no header does is a gap ([`super::zip_directory`]). Only a member that is stored as it is
//! is an entry of the archive's own stream; the name of another one stands in the stream of its
//! unpacked content.

use std::io::{self, BufRead, Read};

use flate2::Crc;

use super::super::limits::{Gap, MAX_ENTRIES, MAX_NAME};
use super::super::stream::{Entry, Kind, Part, Stream};
use super::compressed::{Decoder, Inflate};
use super::sniff::Format;
use super::zip_directory::{CENTRAL, Directory, END};
use super::zip_header::{LENGTH, LOCAL, Local, descriptor};
use super::{Nest, Unpacks, content, invalid, member};

/// Reads an archive to the end of the stream.
pub(super) fn walk(stream: &mut Stream<'_>, nest: Nest<'_>) -> io::Result<()> {
    let mut directory = Directory::new();
    let mut entries = 0;
    loop {
        let head = stream.peek(LENGTH + 200)?;
        if head.is_empty() {
            break;
        }
        if head.starts_with(LOCAL) && Local::plausible(head) {
            entries += 1;
            if entries > MAX_ENTRIES {
                stream.gap(None, Gap::Entries);
                return Ok(());
            }
            let name = one(stream, nest)?;
            directory.saw(&name);
        } else if !directory.record(stream)? {
            to_signature(stream)?;
        }
    }
    directory.check(stream)
}

/// Passes over what has no name (padding, a signing block, the content of a member of unknown
/// length) to where something may begin.
fn to_signature(stream: &mut Stream<'_>) -> io::Result<()> {
    stream.take(1);
    loop {
        let next = stream.buffered()?;
        match memchr::memchr(b'P', next) {
            None if next.is_empty() => return Ok(()),
            None => {
                let all = next.len();
                stream.take(all);
            }
            Some(at) => {
                stream.take(at);
                let four = stream.peek(4)?;
                if [LOCAL, CENTRAL, END, b"PK\x06\x06"].iter().any(|signature| four == *signature) {
                    return Ok(());
                }
                stream.take(1);
            }
        }
    }
}

/// One member; gives its name.
fn one(stream: &mut Stream<'_>, nest: Nest<'_>) -> io::Result<Vec<u8>> {
    let at = stream.at();
    let cut = || invalid(format!("it is cut off in the member whose header is at {at}"));
    let head = stream.bytes(LENGTH)?.ok_or_else(cut)?;
    let mut local = Local::parse(&head).ok_or_else(cut)?;
    let full = stream.bytes(local.name)?.ok_or_else(cut)?;
    let extra = stream.bytes(local.extra)?.ok_or_else(cut)?;
    local.extend(&extra);
    let mut name = &full[..];
    if name.len() > MAX_NAME {
        stream.gap(None, Gap::Long("a name", MAX_NAME as u64));
        name = &name[..MAX_NAME];
    }
    let kind = if name.ends_with(b"/") { Kind::Folder } else { Kind::File };
    stream.entry(&Entry { name, length: local.unpacked, kind, link: &[] });
    let length = if local.sized() { local.packed } else { u64::MAX };
    if length == 0 {
        return Ok(full);
    }
    let start = stream.at();
    if local.encrypted() {
        stream.gap(Some(name), Gap::Encrypted);
    } else if local.method == 0 && local.sized() {
        stream.span(name.to_vec(), length);
        content(stream, name, length, nest)?;
    } else if let Err(gap) = packed(stream, name, &local, length, nest) {
        stream.gap(Some(name), gap);
    }
    if local.sized() {
        let read = stream.at() - start;
        if read + stream.skip(length - read)? < length {
            return Err(cut());
        }
    } else {
        // Where its end was not found, the next header or the directory says where it was.
        if !stream.peek(2)?.starts_with(b"PK") {
            to_signature(stream)?;
        }
    }
    Ok(full)
}

/// A member that is not stored as it is, or whose end has to be found.
fn packed(stream: &mut Stream<'_>, name: &[u8], local: &Local, length: u64, nest: Nest<'_>) -> Result<(), Gap> {
    let (trail, sink) = (stream.here(), stream.sink());
    let format = match local.method {
        0 | 8 => None,
        12 => Some(Format::Bzip2),
        93 => Some(Format::Zstd),
        95 => Some(Format::Xz),
        other => return Err(Gap::Unknown(format!("method {other} of zip"))),
    };
    let start = stream.at();
    let part = Part { stream, left: length };
    let (crc, unpacked) = match format {
        None if local.method == 0 => {
            let mut checked = Checked::new(Undescribed { part, count: 0, ended: false });
            member(&mut checked, sink, trail, name, nest)?;
            checked.sums()
        }
        None => {
            let mut checked = Checked::new(Inflate::raw(part));
            member(&mut checked, sink, trail, name, nest)?;
            checked.sums()
        }
        Some(format) => {
            let mut checked = Checked::new(Decoder::new(format, part, nest.memory)?);
            member(&mut checked, sink, trail, name, nest)?;
            checked.sums()
        }
    };
    let read = stream.at() - start;
    let right = if local.sized() {
        crc == local.crc && unpacked == local.unpacked && read == length
    } else {
        let head = stream.peek(24).map_err(super::damaged)?;
        let found = descriptor(head, Some(crc), read, unpacked);
        stream.take(found.unwrap_or(0));
        found.is_some()
    };
    if right { Ok(()) } else { Err(Gap::Damaged("its checksum or length is wrong".into())) }
}

/// Takes the checksum of what is unpacked.
struct Checked<D> {
    decoder: D,
    crc: Crc,
    count: u64,
}

impl<D> Checked<D> {
    fn new(decoder: D) -> Self {
        Self { decoder, crc: Crc::new(), count: 0 }
    }

    fn sums(self) -> (u32, u64) {
        (self.crc.sum(), self.count)
    }
}

impl<D: Read> Read for Checked<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(out)?;
        self.crc.update(&out[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

impl<D: Unpacks> Unpacks for Checked<D> {
    fn eaten(&self) -> u64 {
        self.decoder.eaten()
    }

    fn memory(&self) -> u64 {
        self.decoder.memory()
    }

    fn proven(&self) -> bool {
        true
    }
}

/// A member that is stored as it is, whose length only the descriptor behind it says.
struct Undescribed<'s, 'a> {
    part: Part<'s, 'a>,
    count: u64,
    ended: bool,
}

impl Read for Undescribed<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        let head = self.part.peek(24)?;
        if head.starts_with(b"PK\x07\x08") && descriptor(head, None, self.count, self.count).is_some() {
            self.ended = true;
            return Ok(0);
        }
        let next = self.part.fill_buf()?;
        if next.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut off"));
        }
        let most = next.len().min(out.len());
        let step = memchr::memchr(b'P', &next[1..most]).map_or(most, |at| at + 1);
        out[..step].copy_from_slice(&next[..step]);
        self.part.consume(step);
        self.count += step as u64;
        Ok(step)
    }
}

impl Unpacks for Undescribed<'_, '_> {
    fn eaten(&self) -> u64 {
        self.count
    }

    fn memory(&self) -> u64 {
        0
    }

    fn proven(&self) -> bool {
        true
    }
}
