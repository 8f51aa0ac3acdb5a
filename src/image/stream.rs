//! A reader whose every byte is shown, in windows and in order, to a [`Sink`].
//!
//! Whoever reads through it (the tar reader, a decompressor) takes what it needs; what it skips
//! is shown as well. That is how an audit covers every byte: headers, padding, what lies behind
//! the end of an archive. Memory is one window, whatever the size of the stream.
//!
//! An archive that is stored as it is (a tar in a tar) is shown twice: as bytes of the stream
//! that it lies in, and as a stream of its own, where its members have names. [`Span::opened`]
//! marks the first, so that nothing needs to be looked at twice: the second is complete, also
//! when the archive turns out to be damaged. What was compressed is shown as it is stored, and
//! unpacked in a stream of its own.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::ops::Range;

use super::limits::Gap;

/// Bytes of a window that are new to it: small enough for the processor's cache.
pub const FRESH: usize = 256 * 1024;
/// Bytes before the new ones that a window still shows: where an armour or a name begins.
pub const BEHIND: usize = 4 * 1024;
/// Bytes behind the new ones that a window shows already. What begins in the new part and is
/// no longer than this is seen whole, in one piece, once.
pub const AHEAD: usize = 64 * 1024;
/// Bytes of the first buffer of a stream.
const FIRST: usize = 16 * 1024;

/// A part of a stream: an entry of an archive that is stored as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where its content begins in the stream.
    pub start: u64,
    /// Bytes of its content.
    pub length: u64,
    /// Its name, as the archive has it.
    pub name: Vec<u8>,
    /// Whether its bytes are shown again as a stream of their own, with the names in it.
    pub opened: bool,
}

/// What a sink is shown.
pub struct Window<'a> {
    /// The bytes, with up to [`BEHIND`] old ones first and up to [`AHEAD`] that come again.
    pub bytes: &'a [u8],
    /// The new ones: what begins here belongs to this window, and to no other.
    pub fresh: Range<usize>,
    /// Where `bytes` begins in the stream.
    pub offset: u64,
    /// Whether the stream ends with `bytes`.
    pub last: bool,
    /// The entries that overlap `bytes`, in order; bytes in none are the archive's own.
    pub spans: &'a [Span],
}

impl Window<'_> {
    /// The entry that the byte at `at` of `bytes` belongs to, and the offset in it.
    #[must_use]
    pub fn entry(&self, at: usize) -> Option<(&Span, u64)> {
        let at = self.offset + at as u64;
        let index = self.spans.partition_point(|span| span.start <= at).checked_sub(1)?;
        let span = &self.spans[index];
        (at - span.start < span.length).then(|| (span, at - span.start))
    }
}

/// An entry of an archive, without its content.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name, as the archive has it.
    pub name: &'a [u8],
    /// Bytes of content.
    pub length: u64,
    /// What it is.
    pub kind: Kind,
    /// What it links to, if it is a link.
    pub link: &'a [u8],
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A hard or symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Special,
}

/// Sees everything of a layer. `trail` names where: the path of the entry in the layer, then
/// the names in the archives inside of it; empty for the layer itself.
pub trait Sink {
    /// The next bytes of the stream at `trail`.
    fn window(&mut self, trail: &[Vec<u8>], window: &Window<'_>);
    /// One entry of the archive at `trail`, before its content.
    fn entry(&mut self, trail: &[Vec<u8>], entry: &Entry<'_>);
    /// Something at `trail` that was not read as what it is.
    fn gap(&mut self, trail: &[Vec<u8>], gap: Gap);
}

/// See the module.
pub struct Stream<'a> {
    source: &'a mut dyn Read,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    /// What `buffer` holds: `..filled`; the reader is at `position`, the sink saw `..shown`.
    filled: usize,
    position: usize,
    shown: usize,
    offset: u64,
    ended: bool,
    failed: Option<(io::ErrorKind, String)>,
    spans: VecDeque<Span>,
}

impl<'a> Stream<'a> {
    /// Over `source`, from its beginning, which lies at `trail`: see [`Sink`].
    pub fn new(source: &'a mut dyn Read, sink: &'a RefCell<dyn Sink + 'a>, trail: Vec<Vec<u8>>) -> Self {
        Self {
            source,
            sink,
            trail,
            // Grows to the need: layers hold thousands of small archives.
            buffer: Vec::new(),
            filled: 0,
            position: 0,
            shown: 0,
            offset: 0,
            ended: false,
            failed: None,
            spans: VecDeque::new(),
        }
    }

    /// Where the reader is in the stream.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.offset + self.position as u64
    }

    /// Says that an entry's content is next.
    pub fn span(&mut self, name: Vec<u8>, length: u64) {
        let start = self.at();
        self.spans.push_back(Span { start, length, name, opened: false });
    }

    /// Says which entry is next, before its content.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        self.sink.borrow_mut().entry(&self.trail, entry);
    }

    /// Says what was not read as what it is, in the entry of that name if there is one.
    pub fn gap(&mut self, name: Option<&[u8]>, gap: Gap) {
        match name {
            None => self.sink.borrow_mut().gap(&self.trail, gap),
            Some(name) => self.sink.borrow_mut().gap(&self.below(name), gap),
        }
    }

    /// The trail of what lies in the entry of that name.
    #[must_use]
    pub fn below(&self, name: &[u8]) -> Vec<Vec<u8>> {
        self.trail.iter().cloned().chain([name.to_vec()]).collect()
    }

    /// The trail of this stream itself.
    #[must_use]
    pub fn here(&self) -> Vec<Vec<u8>> {
        self.trail.clone()
    }

    /// Who sees it.
    #[must_use]
    pub fn sink(&self) -> &'a RefCell<dyn Sink + 'a> {
        self.sink
    }

    /// Says that the content of the entry that was named last is shown once more as a stream,
    /// from here to its end. What of it lies before stays an entry of its own.
    pub fn opened(&mut self) {
        let here = self.at();
        let Some(span) = self.spans.back_mut() else { return };
        if span.start == here {
            span.opened = true;
            return;
        }
        let end = span.start.saturating_add(span.length);
        span.length = here - span.start;
        let name = span.name.clone();
        self.spans.push_back(Span { start: here, length: end.saturating_sub(here), name, opened: true });
    }

    /// The next `count` bytes, taken; `None` if the stream ends before. The caller caps `count`.
    ///
    /// # Errors
    /// The source's.
    pub fn bytes(&mut self, count: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let next = self.buffered()?;
            let step = next.len().min(count - bytes.len());
            if step == 0 {
                return Ok(None);
            }
            bytes.extend_from_slice(&next[..step]);
            self.take(step);
        }
        Ok(Some(bytes))
    }

    /// Up to `count` bytes that come next (fewer at the end and before an error), without taking
    /// them.
    ///
    /// # Errors
    /// The source's, where nothing comes before it.
    ///
    /// # Panics
    /// When `count` is more than [`AHEAD`].
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        assert!(count <= AHEAD, "a peek is no longer than what a window shows ahead");
        while self.filled - self.position < count && !self.ended {
            if let Err(error) = self.more() {
                if self.position == self.filled {
                    return Err(error);
                }
                // What came before it can be looked at; behind that it comes again.
                break;
            }
        }
        Ok(&self.buffer[self.position..self.filled.min(self.position + count)])
    }

    /// What is buffered next; empty at the end alone.
    ///
    /// # Errors
    /// The source's.
    pub fn buffered(&mut self) -> io::Result<&[u8]> {
        while self.position == self.filled && !self.ended {
            self.more()?;
        }
        Ok(&self.buffer[self.position..self.filled])
    }

    /// Takes `count` of the bytes that [`Self::buffered`] or [`Self::peek`] gave.
    pub fn take(&mut self, count: usize) {
        self.position = self.filled.min(self.position + count);
    }

    /// Passes over `count` bytes; the sink sees them. Gives how many there were.
    ///
    /// # Errors
    /// The source's.
    pub fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let here = self.buffered()?.len();
            if here == 0 {
                break;
            }
            let step = usize::try_from(left).map_or(here, |left| here.min(left));
            self.take(step);
            left -= step as u64;
        }
        Ok(count - left)
    }

    /// Reads to the end of the source, and shows the sink what it has not seen.
    ///
    /// # Errors
    /// The source's.
    pub fn finish(mut self) -> io::Result<u64> {
        let read = self.skip(u64::MAX);
        self.show(true);
        read.map(|_| self.at())
    }

    fn more(&mut self) -> io::Result<()> {
        // A decompressor inside may have taken the error for its own.
        if let Some((kind, message)) = &self.failed {
            return Err(io::Error::new(*kind, message.clone()));
        }
        if self.filled == self.buffer.len() {
            if self.buffer.len() < FRESH + AHEAD {
                self.buffer.resize((self.buffer.len() * 4).clamp(FIRST, FRESH + AHEAD), 0);
            } else {
                self.show(false);
                self.shift();
            }
        }
        // A decompressor gives little at a time: fill what is there before anything is shown.
        match self.source.read(&mut self.buffer[self.filled..]) {
            Ok(0) => self.ended = true,
            Ok(count) => self.filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.failed = Some((error.kind(), error.to_string()));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Shows what is new. All entries that begin in it are known, because the reader is past it
    /// or the stream has ended.
    fn show(&mut self, last: bool) {
        let end = if last { self.filled } else { self.position.min(self.filled.saturating_sub(AHEAD)) };
        if end <= self.shown && !last {
            return;
        }
        let window = Window {
            bytes: &self.buffer[..self.filled],
            fresh: self.shown..end,
            offset: self.offset,
            last,
            spans: self.spans.make_contiguous(),
        };
        self.sink.borrow_mut().window(&self.trail, &window);
        self.shown = end;
    }

    /// Makes room, keeping what a later window shows again.
    fn shift(&mut self) {
        let keep = self.shown.saturating_sub(BEHIND);
        self.buffer.copy_within(keep..self.filled, 0);
        self.filled -= keep;
        self.position -= keep;
        self.shown -= keep;
        self.offset += keep as u64;
        while self.spans.front().is_some_and(|span| span.start.saturating_add(span.length) < self.offset) {
            self.spans.pop_front();
        }
    }
}

/// The next `left` bytes of a stream as a reader of their own, for a decompressor.
pub struct Part<'s, 'a> {
    /// The stream.
    pub stream: &'s mut Stream<'a>,
    /// How many bytes are its.
    pub left: u64,
}

impl Part<'_, '_> {
    /// See [`Stream::peek`].
    ///
    /// # Errors
    /// The source's.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.stream.peek(count.min(most))
    }
}

impl BufRead for Part<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let next = self.stream.buffered()?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        Ok(&next[..next.len().min(most)])
    }

    fn consume(&mut self, count: usize) {
        self.stream.take(count);
        self.left = self.left.saturating_sub(count as u64);
    }
}

impl Read for Part<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let next = self.fill_buf()?;
        let count = next.len().min(out.len());
        out[..count].copy_from_slice(&next[..count]);
        self.consume(count);
        Ok(count)
    }
}
