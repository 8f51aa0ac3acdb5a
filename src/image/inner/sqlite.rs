//! SQLite databases (<https://sqlite.org/fileformat2.html>, 1.5 and 1.6): values that span
//! several pages are put together. Everything else of a database lies in its pages in one
//! piece, and is seen there.
//!
//! A stream does not go back, so the pages that are at hand are those of one window. A value
//! whose pages are not all in it is counted, and a gap says how many.

use std::cell::RefCell;
use std::io::{self, Read};

use super::super::limits::{Gap, MAX_SQLITE};
use super::super::stream::{Part, Sink};
use super::{Nest, Unpacks, damaged, member};

/// Bytes of the database's header, on its first page.
const HEADER: usize = 100;

/// The pages that are at hand.
struct Pages {
    bytes: Vec<u8>,
    /// Bytes of a page, and how many of them hold content.
    size: usize,
    usable: usize,
    /// The number of the first page, from 0.
    first: usize,
}

impl Pages {
    /// The content of the page of that number, counted from 1 as in the file.
    fn get(&self, number: u32) -> Option<&[u8]> {
        let index = usize::try_from(number).ok()?.checked_sub(self.first + 1)?;
        self.bytes.get(index.checked_mul(self.size)?..)?.get(..self.usable)
    }
}

/// Reads a database to its end.
pub(super) fn walk<'a>(
    mut part: Part<'_, '_>,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: &[Vec<u8>],
    nest: Nest<'_>,
) -> Result<(), Gap> {
    let head = part.peek(HEADER).map_err(damaged)?;
    let Some(fields) = head.get(16..21) else { return Err(Gap::Damaged("it is cut off".into())) };
    let size = match u16::from_be_bytes([fields[0], fields[1]]) {
        1 => 65536,
        size => usize::from(size),
    };
    let usable = size.saturating_sub(fields[4].into());
    if !size.is_power_of_two() || size < 512 || usable < 480 {
        return Err(Gap::Damaged("its page size is none".into()));
    }
    let most = usize::try_from((nest.memory / 2).min(MAX_SQLITE)).unwrap_or(usize::MAX) / size * size;
    let nest = nest.holding(most as u64);
    let mut pages = Pages { bytes: Vec::new(), size, usable, first: 0 };
    let (mut missing, mut done) = (0, 0);
    loop {
        let room = most.saturating_sub(pages.bytes.len()) as u64;
        let read = (&mut part).take(room).read_to_end(&mut pages.bytes).map_err(damaged)?;
        let last = (read as u64) < room || part.left == 0;
        let count = pages.bytes.len() / size;
        // The values of the first half can have their pages in all of it.
        let now = if last { count } else { (count / 2).max(1) };
        // A page belongs to one value, so looking for pages takes no more steps than there are.
        let mut steps = count as u64 * 2;
        for index in done..now {
            missing += page(&pages, index, sink, trail, nest, &mut steps)?;
        }
        if last {
            return if missing > 0 { Err(Gap::Pages(missing)) } else { Ok(()) };
        }
        // A quarter stays, for later values with pages in it.
        let drop = (now - now / 2).max(1);
        done = now - drop;
        pages.bytes.drain(..drop * size);
        pages.first += drop;
    }
}

/// Puts together the values of one page; gives how many could not be.
fn page<'a>(
    pages: &Pages,
    index: usize,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: &[Vec<u8>],
    nest: Nest<'_>,
    steps: &mut u64,
) -> Result<u64, Gap> {
    let number = pages.first + index + 1;
    let page = &pages.bytes[index * pages.size..][..pages.usable];
    let start = if number == 1 { HEADER } else { 0 };
    // A leaf of a table, a leaf and an inner page of an index.
    let (table, pointers) = match page[start] {
        0x0d => (true, 8),
        0x0a => (false, 8),
        0x02 => (false, 12),
        _ => return Ok(0),
    };
    let short = |at: usize| page.get(at..at + 2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
    let mut missing = 0;
    for cell in 0..short(start + 3).unwrap_or(0) {
        let Some(at) = short(start + pointers + cell * 2) else { break };
        // Inner pages have the number of a child first.
        let Some(value) = Value::begin(pages, page, if pointers == 12 { at + 4 } else { at }, table) else { continue };
        if !value.whole(steps) {
            missing += 1;
            continue;
        }
        member(value, sink, trail.to_vec(), format!("page {number}, cell {cell}").as_bytes(), nest)?;
    }
    Ok(missing)
}

/// A value over several pages, as a reader.
#[derive(Clone)]
struct Value<'p> {
    pages: &'p Pages,
    piece: &'p [u8],
    next: u32,
    left: u64,
}

impl<'p> Value<'p> {
    /// Of the cell at `at` of `page`, if it does not end on that page.
    fn begin(pages: &'p Pages, page: &'p [u8], at: usize, table: bool) -> Option<Self> {
        let (length, mut bytes) = varint(page.get(at..)?)?;
        if table {
            bytes = varint(bytes)?.1;
        }
        let usable = pages.usable as u64;
        let most = if table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if length <= most || length > u64::from(u32::MAX) {
            return None;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let best = least + (length - least) % (usable - 4);
        let here = usize::try_from(if best <= most { best } else { least }).ok()?;
        let (piece, rest) = bytes.split_at_checked(here)?;
        let next = u32::from_be_bytes(*rest.first_chunk()?);
        Some(Self { pages, piece, next, left: length })
    }

    /// Whether all its pages are at hand, which takes one of `steps` for each.
    fn whole(&self, steps: &mut u64) -> bool {
        let mut value = self.clone();
        // No more than there are pages: they may be a circle.
        if value.left > value.pages.bytes.len() as u64 {
            return false;
        }
        while value.left > value.piece.len() as u64 {
            value.left -= value.piece.len() as u64;
            let Some(fewer) = steps.checked_sub(1) else { return false };
            *steps = fewer;
            if value.turn().is_none() {
                return false;
            }
        }
        true
    }

    fn turn(&mut self) -> Option<()> {
        let (next, content) = self.pages.get(self.next)?.split_first_chunk()?;
        self.next = u32::from_be_bytes(*next);
        self.piece = content;
        Some(())
    }
}

impl Read for Value<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || out.is_empty() {
            return Ok(0);
        }
        if self.piece.is_empty() {
            self.turn().ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = self.piece.len().min(out.len()).min(most);
        out[..count].copy_from_slice(&self.piece[..count]);
        self.piece = &self.piece[count..];
        self.left -= count as u64;
        Ok(count)
    }
}

impl Unpacks for Value<'_> {
    fn eaten(&self) -> u64 {
        u64::MAX
    }

    fn memory(&self) -> u64 {
        0
    }

    fn proven(&self) -> bool {
        true
    }
}

/// A number of up to 9 bytes, the highest first.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for at in 0..9 {
        let byte = *bytes.get(at)?;
        if at == 8 {
            return Some((number << 8 | u64::from(byte), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}
