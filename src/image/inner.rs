//! Archives and compressed files inside of entries, opened as streams of their own.
//!
//! The first bytes say what a file is ([`sniff`]), never its name. What cannot be opened is a
//! [`Gap`], and its raw bytes are shown all the same.
//!
//! What merely begins like an archive must not make an audit incomplete. So where the beginning
//! alone proves little, an error is a gap only once [`PROVEN`] bytes were unpacked, or a whole
//! member; what was unpacked before the error is shown in any case.

mod ar;
mod compressed;
mod cpio;
mod delta;
mod git;
mod pack;
mod rpm;
pub mod sniff;
mod sqlite;
mod zip;
mod zip_directory;
mod zip_header;

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

use memchr::memmem;

use self::sniff::{Format, HEAD, sniff};
use super::limits::{FREE_UNPACKED, Gap, MAX_DEPTH, MAX_MEMORY, MAX_RATIO, MAX_UNPACKED, MAX_UNPACKED_LAYER, PROVEN};
use super::stream::{Entry, Kind, Part, Sink, Stream};
use super::tar;

/// How deep we are, what was unpacked so far, and what memory is left for the rest.
#[derive(Clone, Copy)]
pub struct Nest<'a> {
    depth: usize,
    /// Bytes that all entries of the layer unpacked to.
    unpacked: &'a Cell<u64>,
    /// The same, when the entry of the layer began that we are in.
    before: u64,
    /// Bytes that dictionaries and bases may take, here and deeper.
    memory: u64,
}

impl<'a> Nest<'a> {
    /// In the layer itself. `unpacked` counts the bytes that its entries unpack to, and is the
    /// layer's alone.
    #[must_use]
    pub fn outermost(unpacked: &'a Cell<u64>) -> Self {
        Self { depth: 0, unpacked, before: unpacked.get(), memory: MAX_MEMORY }
    }

    /// One archive deeper.
    #[must_use]
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// With that many bytes in use.
    #[must_use]
    fn holding(self, bytes: u64) -> Self {
        Self { memory: self.memory.saturating_sub(bytes), ..self }
    }
}

/// Passes over the content of the entry `name`, opening it if it is an archive, and what follows
/// the archive if that is one as well. Gives how many bytes there were.
///
/// # Errors
/// The stream's own: what is wrong inside of the content is a gap.
pub fn content(stream: &mut Stream<'_>, name: &[u8], length: u64, nest: Nest<'_>) -> io::Result<u64> {
    let start = stream.at();
    let nest = if nest.depth == 0 { Nest { before: nest.unpacked.get(), ..nest } } else { nest };
    let mut left = length;
    while left > 0 {
        let here = stream.at();
        let head = stream.peek(usize::try_from(left).unwrap_or(HEAD).min(HEAD))?;
        let Some(format) = sniff(head) else {
            if here == start && carries_zip(head) {
                embedded(stream, name, left, nest)?;
            }
            break;
        };
        let called = if here == start { stem(name) } else { b"rest".to_vec() };
        let whole = attempt(format, stream, name, &called, left, nest);
        left -= stream.at() - here;
        // Behind an error, where the next one may begin is anyone's guess.
        if !whole || stream.at() == here {
            break;
        }
        left -= zeros(stream, left)?;
    }
    let read = stream.at() - start;
    Ok(read + stream.skip(length - read)?)
}

/// Opens what lies here, and is called `called` if it is one file; what goes wrong is a gap.
/// Gives whether nothing did.
fn attempt(format: Format, stream: &mut Stream<'_>, name: &[u8], called: &[u8], length: u64, nest: Nest<'_>) -> bool {
    let whole = match format {
        Format::Other(kind) => Err(Gap::Unknown(kind.to_owned())),
        _ if nest.depth == MAX_DEPTH => Err(Gap::Depth),
        _ => open(format, stream, name, called, length, nest.deeper()),
    };
    whole.unwrap_or_else(|gap| {
        stream.gap(Some(name), gap);
        false
    })
}

/// Gives whether it was read to its end: what seemed to be an archive may be none.
fn open(
    format: Format,
    stream: &mut Stream<'_>,
    name: &[u8],
    called: &[u8],
    length: u64,
    nest: Nest<'_>,
) -> Result<bool, Gap> {
    match format {
        Format::Tar => stored(stream, name, length, nest, tar::walk),
        Format::Zip => stored(stream, name, length, nest, zip::walk),
        Format::Ar => stored(stream, name, length, nest, ar::walk),
        Format::Cpio => stored(stream, name, length, nest, cpio::walk),
        Format::Rpm => stored(stream, name, length, nest, rpm::walk),
        Format::Pack => {
            let (trail, sink) = (stream.below(name), stream.sink());
            pack::walk(Part { stream, left: length }, sink, trail, nest)
        }
        Format::Sqlite => {
            let (trail, sink) = (stream.below(name), stream.sink());
            sqlite::walk(Part { stream, left: length }, sink, &trail, nest)
        }
        Format::GitObject => return git::loose(stream, name, length, nest),
        Format::Gzip | Format::Zstd | Format::Xz | Format::Bzip2 | Format::Lzma | Format::Lz4 => {
            let (trail, sink) = (stream.below(name), stream.sink());
            let mut decoder = compressed::Decoder::new(format, Part { stream, left: length }, nest.memory)?;
            unpack(&mut decoder, sink, trail, called, nest)?;
            return Ok(decoder.ended());
        }
        Format::Other(kind) => Err(Gap::Unknown(kind.to_owned())),
    }
    .map(|()| true)
}

/// Shows an archive that is stored as it is as a stream of its own.
fn stored(
    stream: &mut Stream<'_>,
    name: &[u8],
    length: u64,
    nest: Nest<'_>,
    walk: fn(&mut Stream<'_>, Nest<'_>) -> io::Result<()>,
) -> Result<(), Gap> {
    let (trail, sink) = (stream.below(name), stream.sink());
    stream.opened();
    let mut part = Part { stream, left: length };
    let mut inside = Stream::new(&mut part, sink, trail);
    let walked = walk(&mut inside, nest);
    inside.finish().and(walked).map_err(damaged)
}

/// What gives unpacked bytes.
trait Unpacks: Read {
    /// Packed bytes that were taken for what was given so far; `u64::MAX` where it does not
    /// matter.
    fn eaten(&self) -> u64;
    /// Bytes of memory that it holds.
    fn memory(&self) -> u64;
    /// Whether it is what it was taken for: see the module.
    fn proven(&self) -> bool;
}

impl<D: Unpacks + ?Sized> Unpacks for &mut D {
    fn eaten(&self) -> u64 {
        (**self).eaten()
    }

    fn memory(&self) -> u64 {
        (**self).memory()
    }

    fn proven(&self) -> bool {
        (**self).proven()
    }
}

/// Shows what a decompressor gives as a stream of its own: an archive, or one file `name`.
fn unpack<'a>(
    decoder: impl Unpacks,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    name: &[u8],
    nest: Nest<'_>,
) -> Result<(), Gap> {
    let nest = nest.holding(decoder.memory());
    capped(decoder, sink, trail, nest, |inside| {
        let head = inside.peek(HEAD)?;
        match sniff(head) {
            Some(Format::Tar) => tar::walk(inside, nest),
            Some(Format::Cpio) => cpio::walk(inside, nest),
            _ => file(inside, name, nest),
        }
    })
}

/// Shows one member of an archive, unpacked, under the archive's trail and the member's name.
fn member<'a>(
    decoder: impl Unpacks,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    name: &[u8],
    nest: Nest<'_>,
) -> Result<(), Gap> {
    let nest = nest.holding(decoder.memory());
    capped(decoder, sink, trail, nest, |inside| file(inside, name, nest))
}

/// The whole of a stream is one file of unknown length.
fn file(stream: &mut Stream<'_>, name: &[u8], nest: Nest<'_>) -> io::Result<()> {
    stream.span(name.to_vec(), u64::MAX);
    content(stream, name, u64::MAX, nest).map(|_| ())
}

fn capped<'a>(
    decoder: impl Unpacks,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    nest: Nest<'_>,
    walk: impl FnOnce(&mut Stream<'_>) -> io::Result<()>,
) -> Result<(), Gap> {
    let mut unpacked = Capped { decoder, out: 0, nest, over: None };
    let read = {
        let mut inside = Stream::new(&mut unpacked, sink, trail);
        let read = walk(&mut inside);
        inside.finish().and(read)
    };
    match (unpacked.over, read) {
        (Some(gap), _) => Err(gap),
        (None, Err(error)) if error.kind() == io::ErrorKind::OutOfMemory => Err(Gap::Memory),
        (None, Err(error)) if unpacked.decoder.proven() || unpacked.out >= PROVEN => Err(damaged(error)),
        _ => Ok(()),
    }
}

/// A decompressor under the caps.
struct Capped<'n, D> {
    decoder: D,
    out: u64,
    nest: Nest<'n>,
    over: Option<Gap>,
}

impl<D: Unpacks> Read for Capped<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Before anything is unpacked: once an entry is over a cap, the rest of it costs nothing.
        let (all, before) = (self.nest.unpacked.get(), self.nest.before);
        let left = (MAX_UNPACKED + before).min(MAX_UNPACKED_LAYER).checked_sub(all);
        self.over = match left {
            None if all - before > MAX_UNPACKED => Some(Gap::Size),
            None => Some(Gap::Layer),
            _ if self.out > FREE_UNPACKED && self.out / MAX_RATIO > self.decoder.eaten() => Some(Gap::Ratio),
            _ => None,
        };
        let (None, Some(left)) = (&self.over, left) else { return Ok(0) };
        // One byte more than there may be says that there is more.
        let most = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1).min(buffer.len());
        let count = self.decoder.read(&mut buffer[..most])?;
        self.out += count as u64;
        self.nest.unpacked.set(all + count as u64);
        Ok(count)
    }
}

/// What a file is called once it is unpacked: `a/b.tar.gz` holds `b.tar`.
fn stem(name: &[u8]) -> Vec<u8> {
    let name = name.rsplit(|c| *c == b'/').next().unwrap_or(name);
    match name.iter().rposition(|c| *c == b'.') {
        Some(dot) if dot > 0 => name[..dot].to_vec(),
        _ => name.to_vec(),
    }
}

/// Names what the archive around it names, and passes over it. Gives how many bytes there were.
fn named(stream: &mut Stream<'_>, name: &[u8], length: u64, kind: Kind, nest: Nest<'_>) -> io::Result<u64> {
    stream.entry(&Entry { name, length, kind, link: &[] });
    if length == 0 {
        return Ok(0);
    }
    stream.span(name.to_vec(), length);
    content(stream, name, length, nest)
}

/// Passes over zeros, as between two parts of an initial RAM disk.
fn zeros(stream: &mut Stream<'_>, most: u64) -> io::Result<u64> {
    let mut passed = 0;
    while passed < most {
        let next = stream.buffered()?;
        let here = next.iter().take(usize::try_from(most - passed).unwrap_or(usize::MAX));
        let count = here.take_while(|byte| **byte == 0).count();
        let stop = count < next.len();
        stream.take(count);
        passed += count as u64;
        if stop || count == 0 {
            break;
        }
    }
    Ok(passed)
}

/// Whether a file with this beginning may be a program or script that carries a zip: Python's
/// zipapps, executable jars, self-extracting archives.
fn carries_zip(head: &[u8]) -> bool {
    head.starts_with(b"#!") || head.starts_with(b"\x7fELF") || head.starts_with(b"MZ")
}

/// Looks for the first member of a zip, and opens what begins there.
fn embedded(stream: &mut Stream<'_>, name: &[u8], length: u64, nest: Nest<'_>) -> io::Result<()> {
    let finder = memmem::Finder::new(zip_header::LOCAL);
    let end = stream.at().saturating_add(length);
    while stream.at() < end {
        let most = usize::try_from(end - stream.at()).unwrap_or(usize::MAX);
        // More than a signature, so that one between two reads is seen.
        let four = stream.peek(most.min(4))?.len();
        if four < 4 {
            return Ok(());
        }
        let next = stream.buffered()?;
        let next = &next[..next.len().min(most)];
        let Some(found) = finder.find(next) else {
            let passed = next.len() - 3;
            stream.take(passed);
            continue;
        };
        stream.take(found);
        let left = end - stream.at();
        let head = stream.peek(usize::try_from(left).unwrap_or(HEAD).min(HEAD))?;
        if sniff(head) == Some(Format::Zip) {
            attempt(Format::Zip, stream, name, b"", left, nest);
            return Ok(());
        }
        stream.take(4);
    }
    Ok(())
}

fn damaged(error: io::Error) -> Gap {
    match error.kind() {
        io::ErrorKind::OutOfMemory => Gap::Memory,
        _ => Gap::Damaged(error.to_string()),
    }
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
