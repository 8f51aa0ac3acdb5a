//! Takes out what is wrapped in an encoding, and shows it to all rules, as text one level
//! deeper: base64 and hexadecimal in one line or many ([`block`]), UTF-16 ([`wide`]), arrays
//! and lists of numbers ([`numbers`]), dumps ([`dump`]), escaped strings ([`escapes`]),
//! compressed data in any of these ([`packed`]), and each of them in each other.
//!
//! Nothing here says what a key is. Decoding costs far more than looking, so each encoding has
//! a look that says no to ordinary bytes at once; what it says yes to is decoded once for each
//! level, whole, so that a key is found in the middle of a tar as well. A finding belongs to the
//! window in whose fresh part it begins, as everything does. A text that begins more than
//! [`crate::image::stream::BEHIND`] before is decoded at every alignment, because where it began
//! is not seen; compressed data that goes on there is not.

mod block;
mod budget;
mod dump;
mod escapes;
mod glue;
mod map;
mod numbers;
mod packed;
mod plausible;
pub(super) mod text;
mod wide;

use std::ops::Range;

use self::block::Block;
pub(super) use self::budget::{Budget, LIMIT_RULE};
use self::map::Map;
use super::finding::Found;
use super::rule::Text;
use super::scan::Scanner;
use super::scan::survey::Survey;

/// How many encodings are taken off, one after the other.
pub const MAX_WRAPPED: usize = 5;
/// Bytes that the encodings of one window may decode to, all levels together. A window's own
/// text decodes to less than its size at each level and alignment.
pub const MAX_DECODED: usize = 64 << 20;
/// Characters of a text that are decoded again because a key seems to begin in its middle:
/// an RSA key of 16,384 bits has 12,700.
const MAX_KEY_TEXT: usize = 16 * 1024;
/// The fewest characters that are decoded though they do not begin as something known: the
/// shortest private key in DER (Ed25519, RFC 8410) has 64.
const MIN_UNKNOWN: usize = 64;
/// The fewest characters that are decoded at all.
const MIN_CHARACTERS: usize = 20;
/// The same for hexadecimal digits: a digest of 32 bytes is none.
const MIN_UNKNOWN_HEX: usize = 96;

/// The same for more than one line, in which no literal of a lent key may be whole: 30 bytes.
const MIN_UNKNOWN_LINES: usize = 40;
/// The same for hexadecimal digits.
const MIN_UNKNOWN_HEX_LINES: usize = 60;

/// Begins what may lie in base64 at any alignment, and how far in front of it a key begins.
const ARMOUR: [(&[u8], usize); 5] = [
    (b"-----BEGIN", 0),
    (b"openssh-key-v1", 0),
    // The object identifiers of RSA, EC and Ed25519 keys in PKCS#8.
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 16),
    (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", 16),
    (b"\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16),
];
/// Characters of a literal in base64: few enough for a short line.
const ARMOUR_CHARACTERS: usize = 9;

/// Bytes between the beginning of something encoded and what tells of it: a literal that stands
/// for the middle of a key's header, or the first piece of a text that is long enough for a run.
pub(super) const NEAR: usize = 256;

/// What a literal of this module stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// In base64: the first of four characters is so many before it, a key may begin so many
    /// fours before that.
    Base64 {
        /// Characters between the four's first one and the literal.
        inside: usize,
        /// How many fours may come before.
        fours: usize,
    },
    /// In an escaped string.
    Escaped,
}

/// Where what was decoded for one literal ends, so that the next one in it is not decoded again.
#[derive(Default)]
pub(super) struct Hinted {
    /// Of base64, for each place of its first character modulo 4.
    base64: [usize; 4],
    /// Of strings.
    escaped: usize,
}

/// The literals that this module wants to be told of.
pub(super) fn literals() -> Vec<(Vec<u8>, Hint)> {
    let mut all: Vec<_> = escapes::LITERALS.iter().map(|literal| (literal.to_vec(), Hint::Escaped)).collect();
    for (armour, before) in ARMOUR {
        for phase in 0..3 {
            for literal in at_phase(armour, phase) {
                let inside = [0, 2, 3][phase];
                all.push((literal, Hint::Base64 { inside, fours: before.div_ceil(3) }));
            }
        }
    }
    all
}

/// The characters of base64 that stand for `bytes` alone where `phase` bytes of a three come
/// before them, in both alphabets if they differ, no more than [`ARMOUR_CHARACTERS`].
fn at_phase(bytes: &[u8], phase: usize) -> Vec<Vec<u8>> {
    text::base64_of(bytes, phase)
        .into_iter()
        .map(|mut characters| {
            characters.truncate(ARMOUR_CHARACTERS);
            characters
        })
        .fold(Vec::new(), |mut all, characters| {
            if !all.contains(&characters) {
                all.push(characters);
            }
            all
        })
}

/// One level: the bytes of a window, or what one of them decodes to.
pub(super) struct Level<'l> {
    /// Shows what is decoded.
    pub(super) scanner: &'l Scanner,
    /// The bytes.
    pub(super) text: &'l Text<'l>,
    /// Where findings may begin.
    pub(super) fresh: Range<usize>,
    /// Whether the bytes may begin inside of a text.
    pub(super) cut: bool,
    /// Common to all levels.
    pub(super) budget: &'l Budget,
}

impl Level<'_> {
    /// Looks at a run of base64-like characters, none of which lies before `covered`; gives
    /// what is covered then.
    pub(super) fn run(&self, run: &Range<usize>, covered: usize, found: &mut Vec<Found>) -> usize {
        let bytes = self.text.bytes;
        let mut start = if covered > run.start { covered } else { self.begin(run.start, covered) };
        let mut covered = covered;
        while start + MIN_CHARACTERS <= run.end || (start < run.start) {
            let cut = self.cut && start <= glue::MAX_GLUE;
            let end = match segment(&bytes[start.max(run.start)..run.end]) {
                Some(length) => start.max(run.start) + length,
                None => run.end,
            };
            if start >= run.start && !cut && !worth(bytes, start, end) {
                start = end + 1;
                continue;
            }
            let block = Block::read(bytes, start, usize::MAX);
            covered = covered.max(block.end);
            if block.end > self.fresh.start {
                self.block(&block, cut, found);
            }
            start = block.end.max(start + 1);
        }
        covered
    }

    /// Where the text of a run begins: behind an escape, or with pieces that are too short for a
    /// run, because an escaped character cuts them off.
    fn begin(&self, start: usize, covered: usize) -> usize {
        let bytes = self.text.bytes;
        if start == 0 || !matches!(bytes[start - 1], b'\\' | b'%') {
            return glue::begin(bytes, start);
        }
        let limit = start.saturating_sub(glue::MAX_GLUE).max(covered);
        let mut at = start;
        while at > limit && matches!(bytes[at - 1], b'\\' | b'%') {
            if glue::escaped(&bytes[at - 1..]).is_none_or(|(byte, _)| byte == b'=') {
                break;
            }
            at -= 1;
            while at > limit && text::value(bytes[at - 1]).is_some() {
                at -= 1;
            }
        }
        glue::begin(bytes, at)
    }

    fn block(&self, block: &Block, cut: bool, found: &mut Vec<Found>) {
        let (encoding, alignments, enough) = match (block.hex, block.pieces.len() > 1) {
            (true, false) => ("hex", 2, MIN_UNKNOWN_HEX),
            (true, true) => ("hex", 2, MIN_UNKNOWN_HEX_LINES),
            (false, false) => ("base64", 4, MIN_UNKNOWN),
            (false, true) => ("base64", 4, MIN_UNKNOWN_LINES),
        };
        let length = block.characters.len();
        if cut {
            for from in 0..alignments {
                let (decoded, map) = block.decode(from, usize::MAX);
                self.show(&decoded, &map, encoding, false, found);
            }
            return;
        }
        if length < enough && !self.short(block) {
            return;
        }
        let (decoded, map) = block.decode(0, usize::MAX);
        self.show(&decoded, &map, encoding, true, found);
        for from in block.later_beginnings() {
            let (decoded, map) = block.decode(from, MAX_KEY_TEXT);
            self.show(&decoded, &map, encoding, true, found);
        }
    }

    fn short(&self, block: &Block) -> bool {
        if block.hex { plausible::short_hex(&block.characters) } else { plausible::short(&block.characters) }
    }

    /// Looks where a literal of [`literals`] is.
    pub(super) fn hint(&self, hint: Hint, at: usize, hinted: &mut Hinted, found: &mut Vec<Found>) {
        let bytes = self.text.bytes;
        match hint {
            Hint::Escaped if at < hinted.escaped => {}
            Hint::Escaped => {
                hinted.escaped =
                    escapes::strings(bytes, at, |decoded, map| self.show(&decoded, &map, "escapes", true, found));
            }
            Hint::Base64 { inside, fours } => {
                let Some(mut start) = at.checked_sub(inside) else { return };
                if bytes[start..at].iter().any(|byte| text::value(*byte).is_none()) {
                    return;
                }
                for _ in 0..fours {
                    let before = start.checked_sub(4).map(|from| &bytes[from..start]);
                    if !before.is_some_and(|four| four.iter().all(|byte| text::value(*byte).is_some())) {
                        break;
                    }
                    start -= 4;
                    // A key that begins here is known by its first bytes.
                    let head: Vec<u8> = text::base64(&bytes[start..(start + 24).min(at + 4)]);
                    if plausible::beginning(&head) {
                        break;
                    }
                }
                // The literal may begin inside of a three.
                let phase = inside.saturating_sub(1);
                if at < hinted.base64[start % 4] {
                    return;
                }
                let block = Block::read(bytes, start, MAX_KEY_TEXT);
                hinted.base64[start % 4] = block.first_end();
                let (decoded, map) = block.decode(0, MAX_KEY_TEXT);
                if fours == 0 && phase > 0 && decoded.len() > phase {
                    let map = map.behind(phase);
                    return self.show(&decoded[phase..], &map, "base64", true, found);
                }
                self.show(&decoded, &map, "base64", true, found);
            }
        }
    }

    /// Everything that has no literal and no run.
    pub(super) fn rest(&self, survey: &Survey, found: &mut Vec<Found>) {
        let bytes = self.text.bytes;
        // A look that falls into a text may be some bytes behind its beginning.
        let range = 0..(self.fresh.end + 64).min(bytes.len());
        wide::texts(bytes, range.clone(), survey, |characters, map, place| {
            if place.end > self.fresh.start {
                self.show(&characters, &map, "utf-16", place.start > 1 || !self.cut, found);
            }
        });
        let mut covered = 0;
        numbers::looks(bytes, range, survey, |at| {
            let dump = dump::read(bytes, covered, at, |decoded, map| {
                self.show(&decoded, &map, "dump", true, found);
            });
            covered = dump.unwrap_or_else(|| {
                numbers::lists(bytes, covered, at, self.cut, |decoded, map| {
                    self.show(&decoded, &map, "numbers", true, found);
                })
            });
            covered
        });
    }

    /// Shows what something decoded to; `whole` says that it begins where that began.
    fn show(&self, decoded: &[u8], map: &Map, encoding: &'static str, whole: bool, found: &mut Vec<Found>) {
        if !self.budget.take(decoded.len()) {
            return;
        }
        let text = Text { bytes: decoded, name: self.text.name, depth: self.text.depth + 1 };
        let mut inner = Vec::new();
        let fresh = 0..decoded.len();
        let level = Level { scanner: self.scanner, text: &text, fresh, cut: !whole, budget: self.budget };
        if whole {
            self.scanner.decoded(&text, &mut inner);
            level.unpack(&mut inner);
        }
        level.scan(&mut inner);
        for mut one in inner {
            (one.at, one.length) = map.range(one.at, one.length);
            if self.fresh.contains(&one.at) {
                one.wrapped.insert(0, encoding);
                found.push(one);
            }
        }
    }

    fn unpack(&self, found: &mut Vec<Found>) {
        if self.text.depth >= MAX_WRAPPED {
            return;
        }
        if let Some((unpacked, name, more)) = packed::unpack(self.text.bytes) {
            if more {
                self.budget.exceed();
            }
            self.show(&unpacked, &Map::Whole(0..self.text.bytes.len()), name, true, found);
        }
    }

    /// All rules, and what is encoded in turn.
    pub(super) fn scan(&self, found: &mut Vec<Found>) {
        self.scanner.level(self, found);
    }

    /// Whether one more encoding is taken off.
    pub(super) fn deeper(&self) -> bool {
        self.text.depth < MAX_WRAPPED
    }
}

/// Where a text ends inside of a run: at a `=` or at dashes, behind which another may begin.
fn segment(run: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'=', b'-', &run[from..]).map(|at| from + at) {
        if run[at] == b'=' || run[at..].starts_with(b"-----") {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Whether these characters are worth decoding: there are many, or they begin as something
/// known, or more of them follow in the next line.
fn worth(bytes: &[u8], start: usize, end: usize) -> bool {
    let run = &bytes[start..end.max(start)];
    let more = |same: fn(u8) -> bool| {
        run.len() >= MIN_CHARACTERS
            && glue::glue(bytes, end).is_some_and(|next| {
                let next = &bytes[next..bytes.len().min(next + MIN_CHARACTERS)];
                next.len() == MIN_CHARACTERS && next.iter().all(|byte| same(*byte))
            })
    };
    if run.iter().all(u8::is_ascii_hexdigit) {
        return run.len() >= MIN_UNKNOWN_HEX || plausible::short_hex(run) || more(|byte| byte.is_ascii_hexdigit());
    }
    (run.len() >= MIN_UNKNOWN && !is_integrity(run))
        || plausible::short(run)
        || more(|byte| text::value(byte).is_some())
}

/// Whether a run is a digest as Subresource Integrity writes it (section 3.1), of which package
/// managers' lock files have thousands; up to its padding.
fn is_integrity(run: &[u8]) -> bool {
    matches!((run.get(..7), run.len()), (Some(b"sha512-"), 93) | (Some(b"sha384-"), 71))
}

/// Of findings of the same key at the same place, keeps the one that is wrapped least.
pub(super) fn deduplicate(found: &mut Vec<Found>) {
    let range = |one: &Found| one.at..one.at + one.length.max(1);
    let mut index = found.len();
    while index > 0 {
        index -= 1;
        let one = &found[index];
        let again = !one.wrapped.is_empty()
            && found.iter().enumerate().any(|(other, first)| {
                let overlap = range(first).start < range(one).end && range(one).start < range(first).end;
                let fewer = (first.wrapped.len(), other) < (one.wrapped.len(), index);
                overlap && fewer && same(first, one)
            });
        if again {
            found.remove(index);
        }
    }
}

/// Whether two findings are of one thing, as far as they say.
fn same(first: &Found, second: &Found) -> bool {
    match (&first.key, &second.key) {
        (Some(a), Some(b)) if a.fingerprint.is_some() || b.fingerprint.is_some() => {
            a.fingerprint == b.fingerprint
                && (first.rule == second.rule || first.rule != "lent-key" && second.rule != "lent-key")
        }
        _ => super::exact::texts::same(first, second),
    }
}

#[cfg(test)]
mod tests;
