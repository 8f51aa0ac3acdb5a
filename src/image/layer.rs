//! One blob, read from its first byte to its last: a layer is decompressed and walked, a
//! document is kept, anything else is shown as it is. The digests are taken on the way.
//!
//! What a blob is, its first bytes say; whether that is what a manifest says it is, is decided
//! where both are known.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Read};

use super::digest::{Digest, Digesting};
use super::inner::Nest;
use super::inner::sniff::{Format, HEAD, sniff};
use super::limits::{Gap, MAX_DOCUMENT};
use super::stream::{Sink, Stream};
use super::tar;

/// Bytes that are read ahead for a decompressor. A tar that is not compressed is read past them,
/// because a stream asks for more than these at a time.
const CHUNK: usize = 128 * 1024;

/// How a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// RFC 1952, estargz included.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// What a blob turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A tar.
    Layer {
        /// How it is stored.
        compression: Compression,
        /// SHA-256 of the tar.
        diff_id: Digest,
        /// Bytes of the tar.
        unpacked: u64,
    },
    /// JSON, by its first byte, and no longer than [`MAX_DOCUMENT`]. The sink did not see it.
    Document(Vec<u8>),
    /// Anything else; the sink saw its bytes.
    Other,
}

/// A blob that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
    /// What it is.
    pub content: Content,
}

/// Reads a blob to its end.
///
/// # Errors
/// The reader's, and [`io::ErrorKind::InvalidData`] or [`io::ErrorKind::UnexpectedEof`] where a
/// layer cannot be decompressed. A damaged tar is a gap: its bytes were shown.
pub fn read(reader: &mut dyn Read, sink: &RefCell<dyn Sink + '_>) -> io::Result<Blob> {
    let mut digesting = Digesting::new(reader);
    // A pipe may give less than this at a time.
    let mut head = Vec::with_capacity(HEAD);
    digesting.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let mut stored = BufReader::with_capacity(CHUNK, head.as_slice().chain(&mut digesting));
    let content = match sniff(&head) {
        Some(Format::Gzip) => {
            let mut decoder = flate2::bufread::MultiGzDecoder::new(&mut stored);
            layer(&mut decoder, Compression::Gzip, sink)?
        }
        Some(Format::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&mut stored)?;
            layer(&mut decoder, Compression::Zstd, sink)?
        }
        Some(Format::Tar) => layer(&mut stored, Compression::None, sink)?,
        _ if head.iter().all(|byte| *byte == 0) && head.len() == HEAD => {
            // A tar without entries: an empty layer.
            layer(&mut stored, Compression::None, sink)?
        }
        _ if head.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'{' | b'[')) => {
            document(&mut stored, sink)?
        }
        _ => {
            Stream::new(&mut stored, sink, Vec::new()).finish()?;
            Content::Other
        }
    };
    // A decompressor may stop before the end of what is stored, which is part of the digest.
    io::copy(&mut stored, &mut io::sink())?;
    drop(stored);
    let (digest, size) = digesting.finish();
    let content = match content {
        Content::Layer { compression: Compression::None, unpacked, .. } => {
            Content::Layer { compression: Compression::None, diff_id: digest, unpacked }
        }
        content => content,
    };
    Ok(Blob { digest, size, content })
}

fn layer(tar: &mut dyn Read, compression: Compression, sink: &RefCell<dyn Sink + '_>) -> io::Result<Content> {
    let (diff_id, unpacked) = match compression {
        // The digest of what is stored is that of the tar: it is put in when it is known.
        Compression::None => (Digest([0; 32]), walk(tar, sink)?),
        Compression::Gzip | Compression::Zstd => {
            let mut digesting = Digesting::new(tar);
            walk(&mut digesting, sink)?;
            digesting.finish()
        }
    };
    Ok(Content::Layer { compression, diff_id, unpacked })
}

/// Walks a layer's tar, and gives how many bytes it has.
fn walk(tar: &mut dyn Read, sink: &RefCell<dyn Sink + '_>) -> io::Result<u64> {
    let unpacked = Cell::new(0);
    let mut stream = Stream::new(tar, sink, Vec::new());
    let walked = tar::walk(&mut stream, Nest::outermost(&unpacked));
    let size = stream.finish()?;
    if let Err(error) = walked {
        sink.borrow_mut().gap(&[], Gap::Damaged(error.to_string()));
    }
    Ok(size)
}

fn document(stored: &mut dyn Read, sink: &RefCell<dyn Sink + '_>) -> io::Result<Content> {
    let mut document = Vec::new();
    stored.take(MAX_DOCUMENT + 1).read_to_end(&mut document)?;
    if document.len() as u64 <= MAX_DOCUMENT {
        return Ok(Content::Document(document));
    }
    let mut whole = document.as_slice().chain(stored);
    Stream::new(&mut whole, sink, Vec::new()).finish()?;
    Ok(Content::Other)
}
