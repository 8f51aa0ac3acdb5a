//! Decompressors, all of them as readers over a part of a stream: several members or frames
//! after one another are one file.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress};
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{Action, LzmaStream, XzReader};
use zstd::stream::raw::{DParameter, Operation};

use super::super::limits::Gap;
use super::super::stream::Part;
use super::sniff::{Format, HEAD, sniff};
use super::{Unpacks, damaged, invalid};

/// Bytes that inflating takes, about.
const INFLATE: u64 = 64 * 1024;
/// Bytes that bzip2 takes for its blocks, at most.
const BZIP2: u64 = 4 << 20;
/// Bytes that lz4 takes for its blocks, at most.
const LZ4: u64 = 16 << 20;
/// Bytes in front of every block of zstd (RFC 8878, 3.1.1.2).
const ZSTD_BLOCK_HEADER: usize = 3;
/// Bytes that are asked of xz at a time: so many may be lost where it is damaged.
const XZ_STEP: usize = 256;
/// Bytes that lzma is given at a time: what so many unpack to may be lost where it is damaged.
const LZMA_STEP: usize = 64;

/// What one call of a decoder did.
struct Step {
    eaten: usize,
    written: usize,
    ended: bool,
    /// What went wrong behind that: what was written is right.
    failed: Option<io::Error>,
}

enum Codec<'s, 'a> {
    Gzip(Decompress, Part<'s, 'a>),
    /// With the number of bytes that it asked for.
    Zstd(zstd::stream::raw::Decoder<'static>, usize, Part<'s, 'a>),
    Bzip2(bzip2::Decompress, Part<'s, 'a>),
    Lzma(Box<LzmaStream>, Part<'s, 'a>),
    Xz(Box<XzReader<Part<'s, 'a>>>),
    Lz4(Box<FrameDecoder<Ending<'s, 'a>>>),
}

/// Knows whether its end was read into: lz4's decoder takes that for the end of a frame.
struct Ending<'s, 'a> {
    part: Part<'s, 'a>,
    /// Whether frames end that way, as those of the legacy format do.
    legacy: bool,
    reached: bool,
}

impl Read for Ending<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.part.read(out)?;
        self.reached |= count == 0 && !out.is_empty();
        Ok(count)
    }
}

impl<'s, 'a> Codec<'s, 'a> {
    fn new(format: Format, mut part: Part<'s, 'a>, memory: u64) -> io::Result<Self> {
        let kib = u32::try_from(memory / 1024).unwrap_or(u32::MAX);
        Ok(match format {
            Format::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(memory.max(1024).ilog2()))?;
                Self::Zstd(decoder, 0, part)
            }
            Format::Bzip2 => Self::Bzip2(bzip2::Decompress::new(false), part),
            Format::Lzma => Self::Lzma(Box::new(LzmaStream::new_mem_limit(kib, None)), part),
            Format::Xz => Self::Xz(Box::new(XzReader::new_mem_limit(part, false, kib))),
            Format::Lz4 => {
                let legacy = part.peek(1)?.first() == Some(&2);
                Self::Lz4(Box::new(FrameDecoder::new(Ending { part, legacy, reached: false })))
            }
            // A window of 32 KiB, and RFC 1952's frame around it.
            _ => Self::Gzip(Decompress::new_gzip(15), part),
        })
    }

    fn part(&self) -> &Part<'s, 'a> {
        match self {
            Self::Gzip(_, part) | Self::Zstd(_, _, part) | Self::Bzip2(_, part) | Self::Lzma(_, part) => part,
            Self::Xz(reader) => reader.inner(),
            Self::Lz4(reader) => &reader.get_ref().part,
        }
    }

    fn into_part(self) -> Part<'s, 'a> {
        match self {
            Self::Gzip(_, part) | Self::Zstd(_, _, part) | Self::Bzip2(_, part) | Self::Lzma(_, part) => part,
            Self::Xz(reader) => reader.into_inner(),
            Self::Lz4(reader) => reader.into_inner().part,
        }
    }

    /// Some bytes, and whether the member ends with them. What goes wrong behind them is `failed`.
    fn read(&mut self, out: &mut [u8], failed: &mut Option<io::Error>) -> io::Result<(usize, bool)> {
        match self {
            Self::Gzip(codec, part) => pump(part, out, failed, |input, out| inflate(codec, input, out)),
            Self::Zstd(codec, hint, part) => pump(part, out, failed, |input, out| {
                // An error says nothing of what was written before it, so no call may do more
                // than one block: the hint has the header of the next one in it.
                let block = hint.saturating_sub(ZSTD_BLOCK_HEADER).max(1).min(input.len());
                let status = codec.run_on_buffers(&input[..block], out).map_err(|error| {
                    // Its errors have no kind.
                    let text = error.to_string();
                    if text.contains("memory") { io::Error::new(io::ErrorKind::OutOfMemory, text) } else { error }
                })?;
                *hint = status.remaining;
                let (eaten, written) = (status.bytes_read, status.bytes_written);
                Ok(Step { eaten, written, ended: status.remaining == 0, failed: None })
            }),
            Self::Bzip2(codec, part) => pump(part, out, failed, |input, out| {
                let before = (codec.total_in(), codec.total_out());
                let status = codec.decompress(input, out);
                Ok(Step {
                    eaten: difference(codec.total_in(), before.0),
                    written: difference(codec.total_out(), before.1),
                    ended: matches!(status, Ok(bzip2::Status::StreamEnd)),
                    failed: status.err().map(|error| invalid(error.to_string())),
                })
            }),
            Self::Lzma(codec, part) => pump(&mut Steps(part), out, failed, |input, out| {
                let action = if input.is_empty() { Action::Finish } else { Action::Run };
                let before = codec.total_out();
                let (eaten, ended, failed) = match codec.process(input, out, action) {
                    Ok(result) => (result.bytes_consumed, result.status == lzma_rust2::Status::StreamEnd, None),
                    Err(error) => (0, false, Some(error)),
                };
                Ok(Step { eaten, written: difference(codec.total_out(), before), ended, failed })
            }),
            Self::Xz(reader) => {
                let most = out.len().min(XZ_STEP);
                reader.read(&mut out[..most]).map(|count| (count, count == 0))
            }
            Self::Lz4(reader) => {
                let count = reader.read(out)?;
                if count == 0 && reader.get_ref().reached && !reader.get_ref().legacy {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut off"));
                }
                Ok((count, count == 0))
            }
        }
    }
}

/// The same bytes in pieces that do not depend on those that they came in.
struct Steps<'p, 's, 'a>(&'p mut Part<'s, 'a>);

impl Read for Steps<'_, '_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl BufRead for Steps<'_, '_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.peek(LZMA_STEP)
    }

    fn consume(&mut self, count: usize) {
        self.0.consume(count);
    }
}

fn difference(now: u64, before: u64) -> usize {
    usize::try_from(now - before).unwrap_or(usize::MAX)
}

fn inflate(codec: &mut Decompress, input: &[u8], out: &mut [u8]) -> io::Result<Step> {
    let before = (codec.total_in(), codec.total_out());
    let status = codec.decompress(input, out, FlushDecompress::None);
    Ok(Step {
        eaten: difference(codec.total_in(), before.0),
        written: difference(codec.total_out(), before.1),
        ended: matches!(status, Ok(flate2::Status::StreamEnd)),
        failed: status.err().map(|error| invalid(error.to_string())),
    })
}

/// Runs a decoder until it gives something, or its member ends. An error behind what it gave
/// is kept in `failed`, and given the next time.
fn pump(
    input: &mut impl BufRead,
    out: &mut [u8],
    failed: &mut Option<io::Error>,
    mut run: impl FnMut(&[u8], &mut [u8]) -> io::Result<Step>,
) -> io::Result<(usize, bool)> {
    if let Some(error) = failed.take() {
        return Err(error);
    }
    loop {
        let next = input.fill_buf()?;
        let last = next.is_empty();
        let step = run(next, out)?;
        input.consume(step.eaten);
        if step.written > 0 || step.ended {
            *failed = step.failed;
            return Ok((step.written, step.ended));
        }
        if let Some(error) = step.failed {
            return Err(error);
        }
        if last {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut off"));
        }
        if step.eaten == 0 {
            return Err(invalid("it does not go on"));
        }
    }
}

/// One compressed file: all members of the same format that follow one another.
pub(super) struct Decoder<'s, 'a> {
    format: Format,
    codec: Option<Codec<'s, 'a>>,
    /// Bytes of memory that a dictionary may take.
    memory: u64,
    all: u64,
    left: u64,
    /// Whether a member was read to its end.
    whole: bool,
    failed: Option<io::Error>,
}

impl<'s, 'a> Decoder<'s, 'a> {
    /// Of one of the six formats that are no archives, with a share of the memory that is left:
    /// a first dictionary may take 64 MiB of it, one inside of that 32 MiB, and so on.
    pub(super) fn new(format: Format, part: Part<'s, 'a>, left: u64) -> Result<Self, Gap> {
        let memory = match format {
            Format::Bzip2 => BZIP2,
            Format::Gzip => INFLATE,
            Format::Lz4 => LZ4,
            _ => left / 20 * 11,
        };
        if memory > left {
            return Err(Gap::Memory);
        }
        let all = part.left;
        let codec = Some(Codec::new(format, part, memory).map_err(damaged)?);
        Ok(Self { format, codec, memory, all, left: all, whole: false, failed: None })
    }

    /// Whether it came to the end of its last member.
    pub(super) fn ended(&self) -> bool {
        self.codec.is_none()
    }

    /// The next member, if there is one.
    fn next(&self, mut part: Part<'s, 'a>) -> io::Result<Option<Codec<'s, 'a>>> {
        if self.format == Format::Lzma || sniff(part.peek(HEAD)?) != Some(self.format) {
            return Ok(None);
        }
        Codec::new(self.format, part, self.memory).map(Some)
    }
}

impl Read for Decoder<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(codec) = &mut self.codec {
            let read = codec.read(out, &mut self.failed);
            self.left = codec.part().left;
            let (count, ended) = read?;
            if ended {
                self.whole = true;
                // What a decoder of frames holds is used again for the next one.
                self.codec = match self.codec.take() {
                    Some(Codec::Zstd(decoder, _, mut part)) => {
                        let more = sniff(part.peek(HEAD)?) == Some(Format::Zstd);
                        more.then_some(Codec::Zstd(decoder, 0, part))
                    }
                    Some(codec) => self.next(codec.into_part())?,
                    None => None,
                };
            }
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }
}

impl Unpacks for Decoder<'_, '_> {
    fn eaten(&self) -> u64 {
        self.all - self.left
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn proven(&self) -> bool {
        self.whole || matches!(self.format, Format::Xz | Format::Bzip2 | Format::Zstd | Format::Lz4)
    }
}

/// One Deflate stream: raw as in zip, or with zlib's frame as in Git.
pub(super) struct Inflate<R> {
    codec: Decompress,
    input: R,
    /// Whether it came to its end.
    pub(super) ended: bool,
    proven: bool,
    failed: Option<io::Error>,
}

impl<R: BufRead> Inflate<R> {
    /// With zlib's frame, of something that may be none.
    pub(super) fn zlib(input: R) -> Self {
        Self { codec: Decompress::new(true), input, ended: false, proven: false, failed: None }
    }

    /// Without a frame, where an archive says that it is one.
    pub(super) fn raw(input: R) -> Self {
        Self { codec: Decompress::new(false), input, ended: false, proven: true, failed: None }
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        let codec = &mut self.codec;
        let (count, ended) = pump(&mut self.input, out, &mut self.failed, |input, out| inflate(codec, input, out))?;
        self.ended = ended;
        Ok(count)
    }
}

impl<R: BufRead> Unpacks for Inflate<R> {
    fn eaten(&self) -> u64 {
        self.codec.total_in()
    }

    fn memory(&self) -> u64 {
        INFLATE
    }

    fn proven(&self) -> bool {
        self.proven
    }
}
