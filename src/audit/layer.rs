//! What one blob is found to hold: every window goes through the scanner, every entry is noted
//! for [`super::hidden`], every gap is kept.

use super::encoded::LIMIT_RULE;
use super::exact::texts;
use super::finding::Found;
use super::hidden::{Hashing, Paths, normal};
use super::residue;
use super::rule::Text;
use super::scan::Scanner;
use crate::image::limits::{Gap, MAX_GAPS};
use crate::image::stream::{Entry, Kind, Sink, Window};

/// Findings of one blob that are kept; more are a gap, so that a blob full of keys does not fill
/// the memory.
pub const MAX_FINDINGS: usize = 10_000;
/// Bytes of a file that are shown to rules which asked for it by name.
pub const MAX_NAMED: usize = 64 * 1024;

/// A finding and where in the blob it is.
#[derive(Clone, Debug)]
pub struct Placed {
    /// What.
    pub found: Found,
    /// The path in the layer; none for bytes of the tar itself, and of a blob that is no layer.
    pub path: Option<Vec<u8>>,
    /// Names inside of archives in that file.
    pub inner: Vec<Vec<u8>>,
    /// Offset in the innermost of these.
    pub offset: u64,
}

/// See the module.
pub struct LayerSink<'a> {
    scanner: &'a Scanner,
    hashing: &'a Hashing,
    /// What was found.
    pub placed: Vec<Placed>,
    /// What the layer does to those below it.
    pub paths: Paths,
    /// What was not read as what it is, by place.
    pub gaps: Vec<(Vec<Vec<u8>>, String)>,
    /// Gaps beyond [`MAX_GAPS`].
    pub gaps_more: u64,
    /// Entries of the layer's own tar.
    pub entries: u64,
    /// Regular files, those in archives included.
    pub files: u64,
    /// Bytes that were shown, those in archives included.
    pub bytes: u64,
    found: Vec<Found>,
    overflow: bool,
}

impl<'a> LayerSink<'a> {
    /// Nothing was shown yet.
    #[must_use]
    pub fn new(scanner: &'a Scanner, hashing: &'a Hashing) -> Self {
        Self {
            scanner,
            hashing,
            placed: Vec::new(),
            paths: Paths::default(),
            gaps: Vec::new(),
            gaps_more: 0,
            entries: 0,
            files: 0,
            bytes: 0,
            found: Vec::new(),
            overflow: false,
        }
    }

    fn place(&mut self, trail: &[Vec<u8>], window: &Window<'_>) {
        for found in std::mem::take(&mut self.found) {
            // Not everything was taken out of its encoding: that is nothing found, and not all read.
            if found.rule == LIMIT_RULE {
                let name = window.entry(found.at).map(|(span, _)| span.name.clone());
                let place: Vec<_> = trail.iter().cloned().chain(name).collect();
                self.unread(&place, found.message);
                continue;
            }
            let entry = window.entry(found.at);
            // Shown once more as a stream of its own, where it has its name.
            if entry.is_some_and(|(span, _)| span.opened) {
                continue;
            }
            if entry.is_some_and(|(span, offset)| is_cut_off(&found, window.bytes, span.length - offset)) {
                continue;
            }
            let offset = entry.map_or(window.offset + found.at as u64, |(_, offset)| offset);
            let mut names = trail.iter().cloned().chain(entry.map(|(span, _)| span.name.clone()));
            let placed = Placed { path: names.next(), inner: names.collect(), offset, found };
            self.keep(placed);
        }
    }

    fn unread(&mut self, trail: &[Vec<u8>], reason: String) {
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push((trail.to_vec(), reason));
        } else {
            self.gaps_more += 1;
        }
    }

    fn keep(&mut self, placed: Placed) {
        if self.placed.iter().rev().take(64).any(|other| same(other, &placed)) {
            return;
        }
        if self.placed.len() == MAX_FINDINGS {
            self.overflow = true;
            return;
        }
        self.placed.push(placed);
    }

    /// What stands over when all was shown.
    pub fn end(&mut self) {
        if self.overflow {
            self.gaps.push((Vec::new(), format!("has more than {MAX_FINDINGS} findings")));
        }
    }
}

/// Whether a binary block says that it is longer than what is left of its file: bytes of the next
/// file were taken for its end. The length of a text is only ever estimated.
fn is_cut_off(found: &Found, bytes: &[u8], left: u64) -> bool {
    /// DER's SEQUENCE and the name of a PKCS#12 bag, and the first bytes of JKS and JCEKS.
    const BINARY: [u8; 4] = [0x30, 0x06, 0xfe, 0xce];
    let is_binary = bytes.get(found.at).is_some_and(|first| BINARY.contains(first));
    is_binary && found.wrapped.is_empty() && found.length as u64 > left
}

/// Whether two rules saw the same thing: a block within a block, a file's name and its content.
fn same(a: &Placed, b: &Placed) -> bool {
    let end = |placed: &Placed| placed.offset + placed.found.length.max(1) as u64;
    let overlap = a.offset < end(b) && b.offset < end(a);
    // A build secret is told of once in each file, however many of its parts are there.
    if a.found.rule == texts::RULE {
        return texts::same(&a.found, &b.found) && a.path == b.path && a.inner == b.inner;
    }
    let what = match (&a.found.key, &b.found.key) {
        (Some(a), Some(b)) => a.kind == b.kind && a.fingerprint == b.fingerprint,
        (None, None) => a.found.rule == b.found.rule,
        _ => false,
    };
    what && overlap
        && a.path == b.path
        && a.inner == b.inner
        && !(a.found.rule != b.found.rule && b.found.rule == "lent-key")
}

impl Sink for LayerSink<'_> {
    fn window(&mut self, trail: &[Vec<u8>], window: &Window<'_>) {
        self.bytes += window.fresh.len() as u64;
        let text = Text { bytes: window.bytes, name: b"", depth: 0 };
        self.scanner.scan(&text, window.fresh.clone(), &mut self.found);
        for span in window.spans {
            let Some(start) = span.start.checked_sub(window.offset).and_then(|start| usize::try_from(start).ok())
            else {
                continue;
            };
            if !window.fresh.contains(&start) {
                continue;
            }
            self.files += 1;
            let end = usize::try_from(span.length).unwrap_or(usize::MAX).min(MAX_NAMED);
            let bytes = &window.bytes[start..window.bytes.len().min(start.saturating_add(end))];
            let before = self.found.len();
            self.scanner.file(&span.name, &Text { bytes, name: &span.name, depth: 0 }, &mut self.found);
            for found in &mut self.found[before..] {
                found.at += start;
            }
        }
        if !self.found.is_empty() {
            self.place(trail, window);
        }
    }

    fn entry(&mut self, trail: &[Vec<u8>], entry: &Entry<'_>) {
        if trail.is_empty() {
            self.entries += 1;
            self.paths.take(entry, self.hashing);
            residue::entry(normal(entry.name), entry, &mut self.found);
            for found in std::mem::take(&mut self.found) {
                self.keep(Placed { path: Some(entry.name.to_vec()), inner: Vec::new(), offset: 0, found });
            }
        }
        // Files with content are counted where they are shown.
        if entry.kind == Kind::File && entry.length == 0 {
            self.files += 1;
        }
    }

    fn gap(&mut self, trail: &[Vec<u8>], gap: Gap) {
        self.unread(trail, gap.to_string());
    }
}
