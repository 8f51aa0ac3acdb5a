//! Archives and compressed files inside of entries, opened as streams of their own.
//!
//! The first bytes say what a file is, never its name. What cannot be opened is a [`Gap`], and
//! its raw bytes are shown all the same.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

use super::limits::{FREE_UNPACKED, Gap, MAX_DEPTH, MAX_RATIO, MAX_UNPACKED};
use super::stream::{Part, Sink, Stream};
use super::tar;

/// Bytes that [`sniff`] looks at.
pub const HEAD: usize = 512;

/// How deep we are, and how much the entry of the layer that we are in has unpacked to.
#[derive(Clone, Copy)]
pub struct Nest<'a> {
    depth: usize,
    unpacked: &'a Cell<u64>,
}

impl<'a> Nest<'a> {
    /// In the layer itself.
    #[must_use]
    pub fn outermost(unpacked: &'a Cell<u64>) -> Self {
        Self { depth: 0, unpacked }
    }

    /// One archive deeper.
    #[must_use]
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// POSIX.1, or older.
    Tar,
}

/// What begins with these bytes, if it is something that can be opened.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<Format> {
    match head {
        // Deflate is the one method, and three flags are reserved.
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Some(Format::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Format::Zstd),
        head if tar::is_tar(head) => Some(Format::Tar),
        _ => None,
    }
}

/// Passes over the content of the entry `name`, opening it if it is an archive. Gives how many
/// bytes there were.
///
/// # Errors
/// The stream's own: what is wrong inside of the content is a gap.
pub fn content(stream: &mut Stream<'_>, name: &[u8], length: u64, nest: Nest<'_>) -> io::Result<u64> {
    let start = stream.at();
    let head = usize::try_from(length).unwrap_or(HEAD).min(HEAD);
    if nest.depth == 0 {
        nest.unpacked.set(0);
    }
    match sniff(stream.peek(head)?) {
        None => {}
        Some(_) if nest.depth == MAX_DEPTH => stream.gap(Some(name), Gap::Depth),
        Some(format) => {
            if let Err(gap) = open(format, stream, name, length, nest.deeper()) {
                stream.gap(Some(name), gap);
            }
        }
    }
    let read = stream.at() - start;
    Ok(read + stream.skip(length - read)?)
}

fn open(format: Format, stream: &mut Stream<'_>, name: &[u8], length: u64, nest: Nest<'_>) -> Result<(), Gap> {
    let (trail, sink) = (stream.below(name), stream.sink());
    match format {
        Format::Tar => {
            stream.opened();
            let mut part = Part { stream, left: length };
            let mut inside = Stream::new(&mut part, sink, trail);
            let walked = tar::walk(&mut inside, nest);
            inside.finish().and(walked).map_err(damaged)
        }
        Format::Gzip => {
            let decoder = flate2::bufread::MultiGzDecoder::new(Part { stream, left: length });
            unpack(decoder, sink, trail, name, nest)
        }
        Format::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(Part { stream, left: length });
            unpack(decoder.map_err(damaged)?, sink, trail, name, nest)
        }
    }
}

/// A decompressor over a part of a stream, which can say how much of it was not read yet.
trait Decoder: Read {
    fn left(&self) -> u64;
}

impl Decoder for flate2::bufread::MultiGzDecoder<Part<'_, '_>> {
    fn left(&self) -> u64 {
        self.get_ref().left
    }
}

impl Decoder for zstd::stream::read::Decoder<'_, Part<'_, '_>> {
    fn left(&self) -> u64 {
        self.get_ref().left
    }
}

/// Shows what a decompressor gives as a stream of its own: an archive, or one file.
fn unpack<'a>(
    decoder: impl Decoder,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    name: &[u8],
    nest: Nest<'_>,
) -> Result<(), Gap> {
    let all = decoder.left();
    let mut unpacked = Unpacked { decoder, all, out: 0, nest, over: None };
    let read = {
        let mut inside = Stream::new(&mut unpacked, sink, trail);
        let read = whole(&mut inside, &stem(name), nest);
        inside.finish().and(read)
    };
    match unpacked.over {
        Some(gap) => Err(gap),
        None => read.map_err(damaged),
    }
}

/// The whole of a stream that is no tar is one entry of it, of unknown length.
fn whole(stream: &mut Stream<'_>, name: &[u8], nest: Nest<'_>) -> io::Result<()> {
    if tar::is_tar(stream.peek(HEAD)?) {
        return tar::walk(stream, nest);
    }
    stream.span(name.to_vec(), u64::MAX);
    content(stream, name, u64::MAX, nest).map(|_| ())
}

/// What a file is called once it is unpacked: `a/b.tar.gz` holds `b.tar`.
fn stem(name: &[u8]) -> Vec<u8> {
    let name = name.rsplit(|c| *c == b'/').next().unwrap_or(name);
    match name.iter().rposition(|c| *c == b'.') {
        Some(dot) if dot > 0 => name[..dot].to_vec(),
        _ => name.to_vec(),
    }
}

/// A decompressor under the caps.
struct Unpacked<'n, D> {
    decoder: D,
    /// How many bytes it was given.
    all: u64,
    out: u64,
    nest: Nest<'n>,
    over: Option<Gap>,
}

impl<D: Decoder> Read for Unpacked<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.over.is_some() {
            return Ok(0);
        }
        let count = self.decoder.read(buffer)?;
        self.out += count as u64;
        self.nest.unpacked.set(self.nest.unpacked.get() + count as u64);
        let eaten = self.all - self.decoder.left();
        if self.nest.unpacked.get() > MAX_UNPACKED {
            self.over = Some(Gap::Size);
        } else if self.out > FREE_UNPACKED && self.out / MAX_RATIO > eaten {
            self.over = Some(Gap::Ratio);
        }
        Ok(count)
    }
}

fn damaged(error: io::Error) -> Gap {
    Gap::Damaged(error.to_string())
}
