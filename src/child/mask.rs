//! Takes secrets out of a stream of bytes: wherever one of the patterns stands, `***` goes out
//! instead. PURE: no file, no clock.
//!
//! Whatever overlaps or touches is one `***`, so of a secret inside of a longer one the longest is
//! what goes, and what is seen does not depend on where the stream is cut. Everything goes out at
//! once but a tail that is the beginning of a pattern, and where nothing follows a tail of a letter
//! or three goes out as well ([`Mask::release`]): progress without an end of line is not held back,
//! whatever it ends with. No more than the longest pattern is ever kept.

pub mod forms;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::keys::written::Wiped;

/// The fewest bytes of a pattern: of fewer, the output of any program is full.
pub const MIN_PATTERN: usize = 6;
/// What stands in place of a secret.
pub const MASKED: &[u8] = b"***";
/// The most bytes that go out though a secret begins with them: a prompt may well end with them, and
/// they tell nothing of it.
pub const MAX_RELEASED: usize = 3;
/// Bytes that are loaded at once, of which the first [`MIN_PATTERN`] are looked at.
const WORD: usize = 8;
/// Bits of the filter for each pattern, which has two of them: of other bytes, one in some thousand
/// passes. The fewest and the most that it has as powers of two: it is to stay in the cache.
const BITS_PER_PATTERN: usize = 128;
const FILTER_BITS: std::ops::RangeInclusive<u32> = 12..=22;
/// Multipliers of the two hashes: 2^64 divided by the golden ratio (Knuth), and by the square root
/// of two.
const MULTIPLIERS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xb504_f333_f9de_6485];

/// The state of one stream. A clone is of the same patterns, for another stream.
#[derive(Clone)]
pub struct Mask {
    patterns: Arc<Patterns>,
    /// What may be the beginning of a pattern.
    held: Wiped,
    /// How much of it went out all the same.
    released: usize,
    /// How far what was masked last reaches beyond what was read so far; none where the last byte
    /// was no part of a secret.
    covered: Option<usize>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").field("patterns", &self.patterns.sorted.len()).finish_non_exhaustive()
    }
}

impl Mask {
    /// Of these patterns; those of fewer than [`MIN_PATTERN`] bytes are left out.
    #[must_use]
    pub fn new(patterns: Vec<Wiped>) -> Self {
        Self { patterns: Arc::new(Patterns::new(patterns)), held: Zeroizing::default(), released: 0, covered: None }
    }

    /// Of these secret texts in every form; also says how many of them are too short to be masked.
    /// What is a part of one of the `public` texts is no secret: a private key's text may have whole
    /// lines of its public half.
    pub fn of_texts<'t>(texts: impl IntoIterator<Item = &'t [u8]>, public: &[Wiped]) -> (Self, usize) {
        let (mut patterns, mut short) = (Vec::new(), 0);
        for text in texts {
            let mut forms = forms::of(text);
            short += usize::from(forms.is_empty());
            patterns.append(&mut forms);
        }
        let is_public = |pattern: &Wiped| public.iter().any(|text| memchr::memmem::find(text, pattern).is_some());
        patterns.retain(|pattern| !is_public(pattern));
        (Self::new(patterns), short)
    }

    /// Whether nothing would be masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.sorted.is_empty()
    }

    /// A text without the secrets, if one is in it.
    #[must_use]
    pub fn without(&self, text: &str) -> Option<String> {
        let (mut mask, mut out) = (self.clone(), Vec::with_capacity(text.len()));
        mask.push(text.as_bytes(), &mut out);
        mask.finish(&mut out);
        (out != text.as_bytes()).then(|| String::from_utf8_lossy(&out).into_owned())
    }

    /// Takes the next bytes, and appends to `out` what can be told of.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.take(bytes, false, out);
    }

    /// Whether [`Mask::release`] would give something out.
    #[must_use]
    pub fn has_to_release(&self) -> bool {
        self.covered.is_none() && self.released < self.held.len() && self.held.len() <= MAX_RELEASED
    }

    /// Nothing has followed for a while: gives out what is held where that is no more than
    /// [`MAX_RELEASED`] bytes. Where it was the beginning of a secret after all, the rest of that is
    /// masked when it comes.
    pub fn release(&mut self, out: &mut Vec<u8>) {
        if self.has_to_release() {
            out.extend_from_slice(self.held.get(self.released..).unwrap_or_default());
            self.released = self.held.len();
        }
    }

    /// The stream has ended: what was held back is no secret, because the rest of it did not come.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.take(&[], true, out);
        self.covered = None;
    }

    fn take(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) {
        if self.held.is_empty() {
            return self.see(bytes, last, out);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        self.see(&held, last, out);
    }

    /// Looks at bytes that follow what was looked at before.
    fn see(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) {
        let (mut at, mut settled) = (0, self.released);
        let end = loop {
            at = self.patterns.next(bytes, at);
            let Some(text) = bytes.get(at..).filter(|text| !text.is_empty()) else { break bytes.len() };
            match self.patterns.at(text, last) {
                Seen::Nothing => {}
                Seen::Unknown => break at,
                Seen::Pattern(length) => {
                    self.plain(bytes, &mut settled, at, out);
                    if self.covered.is_none() {
                        out.extend_from_slice(MASKED);
                    }
                    self.covered = self.covered.max(Some(at + length));
                }
            }
            at += 1;
        };
        self.plain(bytes, &mut settled, end, out);
        self.covered = self.covered.map(|covered| covered.saturating_sub(end));
        self.released = self.released.saturating_sub(end);
        self.held.extend_from_slice(bytes.get(end..).unwrap_or_default());
    }

    /// Gives out what lies before `end` and is covered by no pattern.
    fn plain(&mut self, bytes: &[u8], settled: &mut usize, end: usize, out: &mut Vec<u8>) {
        let start = self.covered.unwrap_or(*settled);
        if start < end {
            out.extend_from_slice(bytes.get(start..end).unwrap_or_default());
            (self.covered, *settled) = (None, end);
        }
    }
}

/// What stands at a place.
enum Seen {
    Nothing,
    /// A pattern of so many bytes.
    Pattern(usize),
    /// What comes next will tell.
    Unknown,
}

/// Patterns, and a filter over the first bytes of each.
struct Patterns {
    /// In order, each once.
    sorted: Vec<Wiped>,
    /// For each, the longest other one that it begins with.
    inside: Vec<Option<usize>>,
    filter: Filter,
}

/// Two bits for the first [`MIN_PATTERN`] bytes of each pattern.
struct Filter {
    bits: Zeroizing<Vec<u64>>,
    shift: u32,
}

impl Patterns {
    fn new(mut sorted: Vec<Wiped>) -> Self {
        sorted.retain(|pattern| pattern.len() >= MIN_PATTERN);
        sorted.sort_unstable_by(|a, b| a.as_slice().cmp(b));
        sorted.dedup();
        let mut inside: Vec<Option<usize>> = Vec::with_capacity(sorted.len());
        for (index, pattern) in sorted.iter().enumerate() {
            // What it begins with comes before it, and is the one before or inside of that.
            let mut shorter = index.checked_sub(1);
            while let Some(other) = shorter.filter(|other| !begins(pattern, &sorted, *other)) {
                shorter = inside.get(other).copied().flatten();
            }
            inside.push(shorter);
        }
        let mut filter = Filter::new(sorted.len());
        sorted.iter().for_each(|pattern| filter.add(pattern));
        Self { sorted, inside, filter }
    }

    /// The next place from `at` on that has to be looked at closer; behind the last one, the end.
    fn next(&self, bytes: &[u8], at: usize) -> usize {
        if self.sorted.is_empty() {
            return bytes.len();
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let maybe = |window: &[u8]| window.first_chunk().is_none_or(|word| self.filter.has(*word));
        // The last few bytes are fewer than a word.
        let whole = rest.len().saturating_sub(WORD - 1);
        at + rest.windows(WORD).position(maybe).unwrap_or(whole)
    }

    /// What stands at the beginning of `text`, the longest.
    fn at(&self, text: &[u8], last: bool) -> Seen {
        let behind = self.sorted.partition_point(|pattern| pattern.as_slice() <= text);
        if !last && self.sorted.get(behind).is_some_and(|pattern| pattern.starts_with(text)) {
            return Seen::Unknown;
        }
        let mut index = behind.checked_sub(1);
        while let Some(other) = index.filter(|other| !begins(text, &self.sorted, *other)) {
            index = self.inside.get(other).copied().flatten();
        }
        index.and_then(|index| self.sorted.get(index)).map_or(Seen::Nothing, |pattern| Seen::Pattern(pattern.len()))
    }
}

fn begins(text: &[u8], patterns: &[Wiped], index: usize) -> bool {
    patterns.get(index).is_some_and(|pattern| text.starts_with(pattern))
}

impl Filter {
    fn new(patterns: usize) -> Self {
        let wanted = (patterns * BITS_PER_PATTERN).next_power_of_two().trailing_zeros();
        let bits = wanted.clamp(*FILTER_BITS.start(), *FILTER_BITS.end());
        Self { bits: Zeroizing::new(vec![0; 1 << (bits - 6)]), shift: u64::BITS - bits }
    }

    fn add(&mut self, pattern: &[u8]) {
        let mut word = [0; WORD];
        word.iter_mut().zip(pattern).for_each(|(to, from)| *to = *from);
        for multiplier in MULTIPLIERS {
            let hash = self.hash(word, multiplier);
            if let Some(part) = self.bits.get_mut(hash / 64) {
                *part |= 1 << (hash % 64);
            }
        }
    }

    /// Whether a pattern may begin with the first bytes of a word.
    fn has(&self, word: [u8; WORD]) -> bool {
        MULTIPLIERS.iter().all(|multiplier| {
            let hash = self.hash(word, *multiplier);
            self.bits.get(hash / 64).is_none_or(|part| part >> (hash % 64) & 1 != 0)
        })
    }

    fn hash(&self, word: [u8; WORD], multiplier: u64) -> usize {
        const UNUSED: u32 = 8 * (WORD - MIN_PATTERN) as u32;
        ((u64::from_le_bytes(word) << UNUSED).wrapping_mul(multiplier) >> self.shift) as usize
    }
}

#[cfg(test)]
mod tests;
