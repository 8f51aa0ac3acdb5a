//! The tar that an image is saved as: its members by name, in the order they come.
//!
//! Works on a stream (`docker image save`, standard input) and on a file, where what is not
//! wanted is sought over. Contents are the caller's to read; members never become files.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use super::limits::{MAX_NAME, MAX_PAX};
use super::tar::{BLOCK, Said, checksum_is_right, name_in, number, text};

/// Something to read that can be skipped in.
pub trait Source: Read {
    /// Passes over `count` bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when there are fewer, as far as it can be told now.
    fn skip(&mut self, count: u64) -> io::Result<()>;
}

impl Source for File {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let count = i64::try_from(count).map_err(|_| invalid("a size beyond every file".into()))?;
        self.seek(SeekFrom::Current(count)).map(|_| ())
    }
}

/// Of what can only be read.
pub struct Unseekable<R>(pub R);

impl<R: Read> Read for Unseekable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Source for Unseekable<R> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let copied = io::copy(&mut (&mut self.0).take(count), &mut io::sink())?;
        if copied == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// A member of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name without `./` in front. What is no UTF-8 is replaced: no member of an image has
    /// such a name.
    pub name: String,
    /// Where its content begins in the archive.
    pub offset: u64,
    /// Bytes of content.
    pub size: u64,
    /// What it links to: older engines save a layer that comes again as a link.
    pub link: Option<String>,
}

/// Calls `each` with every regular file and link. What `each` leaves of a content is skipped.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] where the archive is none, [`io::ErrorKind::UnexpectedEof`]
/// where it is cut off, else the source's or `each`'s.
pub fn walk<S: Source>(
    source: &mut S,
    each: &mut dyn FnMut(&Member, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut at = 0;
    let mut said = Said::default();
    let mut zeros = 0;
    loop {
        let mut block = [0; BLOCK];
        let read = fill(source, &mut block)?;
        if read == 0 {
            return Ok(());
        }
        if read < BLOCK {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut off in a header"));
        }
        at += BLOCK as u64;
        if block.iter().all(|byte| *byte == 0) {
            zeros += 1;
            if zeros == 2 {
                return Ok(());
            }
            continue;
        }
        zeros = 0;
        if !checksum_is_right(&block) {
            return Err(invalid(format!("no tar header at {}", at - BLOCK as u64)));
        }
        let size = number(&block[124..136]).ok_or_else(|| invalid("a header without a size".into()))?;
        let padded = |size: u64| {
            size.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| invalid("a size beyond every file".into()))
        };
        let typeflag = block[156];
        if matches!(typeflag, b'x' | b'g' | b'L' | b'K') {
            if size > MAX_PAX {
                return Err(invalid(format!("a header of {size} bytes")));
            }
            let mut content = vec![0; usize::try_from(padded(size)?).unwrap_or(usize::MAX)];
            source.read_exact(&mut content)?;
            at += content.len() as u64;
            content.truncate(usize::try_from(size).unwrap_or(usize::MAX));
            match typeflag {
                b'x' => said.take(&content).map_err(|gap| invalid(gap.to_string()))?,
                b'L' => said.path = Some(text(&content).to_vec()),
                b'K' => said.link = Some(text(&content).to_vec()),
                _ => {}
            }
            continue;
        }
        let said = std::mem::take(&mut said);
        // A type that nobody knows is a file (POSIX.1, "ustar Interchange Format").
        let regular = !matches!(typeflag, b'1'..=b'6');
        let link = matches!(typeflag, b'1' | b'2');
        let size = if regular { said.size.unwrap_or(size) } else { 0 };
        if regular || link {
            let member = Member {
                name: name_of(&said.path.unwrap_or_else(|| name_in(&block))),
                offset: at,
                size,
                link: link.then(|| name_of(&said.link.unwrap_or_else(|| text(&block[157..257]).to_vec()))),
            };
            let mut content = source.by_ref().take(size);
            each(&member, &mut content)?;
            let left = content.limit();
            source.skip(left)?;
        }
        source.skip(padded(size)? - size)?;
        at = at.checked_add(padded(size)?).ok_or_else(|| invalid("a size beyond every file".into()))?;
    }
}

fn name_of(bytes: &[u8]) -> String {
    let name = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_NAME)]).into_owned();
    name.trim_start_matches("./").to_owned()
}

fn fill<S: Read + ?Sized>(source: &mut S, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match source.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
