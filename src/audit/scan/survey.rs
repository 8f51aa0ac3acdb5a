//! A first look at every byte of a window, before anything is searched for: which of its words
//! hold characters of base64 alone, or text alone, or text of two bytes a character, and which
//! blocks hold control bytes. What cannot be where these are not is not looked for there.
//!
//! The same twice: eight bytes at a time, and 32 with AVX2 where the processor has it.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;

use std::ops::Range;

/// Bytes of a word: whoever is longer than two of them, but for a byte, holds a whole one.
pub(crate) const WORD: usize = 8;
/// Bytes of a block.
pub(crate) const BLOCK: usize = 512;
/// Bytes of a part.
pub(crate) const PART: usize = 32;
/// Bytes at the beginning of a part that are looked at for numbers.
pub(crate) const LOOK: usize = 16;
/// In prose hardly any look has as many.
const MIN_DECIMALS: u32 = 3;
/// The fewest bytes of text in a row of which a word is seen wherever they lie.
#[cfg(test)]
pub(crate) const MIN_TEXT: usize = 2 * WORD - 1;

/// What a block holds, a bit for each of its bytes, words or parts; the lowest for the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    /// Bytes that are [`super::in_run`].
    pub(crate) runs: [u64; BLOCK / 64],
    /// Words of nothing but printable ASCII, tabs and ends of lines.
    pub(crate) text: u64,
    /// Words with a zero in every second byte, and in those alone.
    pub(crate) wide: u64,
    /// Parts whose first [`LOOK`] bytes are text with [`MIN_DECIMALS`] or more of `0` to `9` or `=`.
    pub(crate) decimals: u16,
    /// Whether there is a byte below 0x80 that is no text.
    pub(crate) control: bool,
}

/// Of a byte's low and high half: a byte has a kind if both have a bit of it in common.
const LOW: [u8; 16] = {
    let mut table = [TEXT_HIGH; 16];
    let mut low = 0;
    while low < 16 {
        // `+`, `-`, `/`
        if matches!(low, 0xb | 0xd | 0xf) {
            table[low] |= 1;
        }
        // Digits and `=`
        if low <= 9 || low == 0xd {
            table[low] |= 2;
        }
        // `A` to `O`, `a` to `o`
        if low >= 1 {
            table[low] |= 4;
        }
        // `P` to `Z` and `_`
        if low <= 0xa || low == 0xf {
            table[low] |= 8;
        }
        // `p` to `z`
        if low <= 0xa {
            table[low] |= 16;
        }
        // Tab, line feed, carriage return
        if matches!(low, 9 | 0xa | 0xd) {
            table[low] |= 32;
        }
        // Not delete
        if low < 0xf {
            table[low] |= 128;
        }
        low += 1;
    }
    table
};
const HIGH: [u8; 16] = [
    32,
    0,
    TEXT_HIGH | 1,
    TEXT_HIGH | 2,
    TEXT_HIGH | 4,
    TEXT_HIGH | 8,
    TEXT_HIGH | 4,
    128 | 16,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
];
/// Characters from space on, but for the last row.
const TEXT_HIGH: u8 = 64;
/// The kinds of [`super::in_run`].
const RUNS: u8 = 0x1f;
/// The kinds of text.
const TEXT: u8 = 0xe0;
/// The kind of digits and `=`.
const DECIMAL: u8 = 2;

/// The kinds of every byte.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = LOW[byte & 15] & HIGH[byte >> 4];
        byte += 1;
    }
    table
};

/// Whether a byte is text.
pub(crate) fn is_text(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TEXT != 0
}

/// Whether a byte is none, and below 0x80.
pub(crate) fn is_control(byte: u8) -> bool {
    byte < 0x80 && !is_text(byte)
}

/// What the blocks of a text hold.
pub(crate) struct Survey {
    blocks: Vec<Kinds>,
}

impl Survey {
    /// Of the blocks that begin in the first `length` bytes.
    pub(crate) fn of(bytes: &[u8], length: usize) -> Self {
        let length = length.next_multiple_of(BLOCK).min(bytes.len());
        let mut blocks = Vec::with_capacity(length.div_ceil(BLOCK));
        let (whole, rest) = bytes[..length].as_chunks::<BLOCK>();
        fill(whole, &mut blocks);
        if !rest.is_empty() {
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            fill(&[last], &mut blocks);
        }
        Self { blocks }
    }

    /// The place of the first word of two-byte text at or behind `from`.
    pub(crate) fn wide(&self, from: usize) -> Option<usize> {
        self.next::<WORD>(from, |kinds| kinds.wide)
    }

    /// The place of the first look at or behind `from` that may be a list of numbers.
    pub(crate) fn decimals(&self, from: usize) -> Option<usize> {
        self.next::<PART>(from, |kinds| u64::from(kinds.decimals))
    }

    fn next<const UNIT: usize>(&self, from: usize, kind: impl Fn(&Kinds) -> u64) -> Option<usize> {
        let mut block = from / BLOCK;
        let unit = (from % BLOCK).div_ceil(UNIT);
        let mut bits = kind(self.blocks.get(block)?) & u64::MAX.checked_shl(u32::try_from(unit).ok()?).unwrap_or(0);
        while bits == 0 {
            block += 1;
            bits = kind(self.blocks.get(block)?);
        }
        Some(block * BLOCK + bits.trailing_zeros() as usize * UNIT)
    }

    /// Which of 64 bytes are [`super::in_run`]; none where nothing was looked at.
    pub(crate) fn runs(&self, index: usize) -> Option<u64> {
        self.blocks.get(index / (BLOCK / 64)).map(|kinds| kinds.runs[index % (BLOCK / 64)])
    }

    /// The ranges of `range` in which text of 15 bytes or more may lie, or begin or end
    /// beyond.
    pub(crate) fn texts(&self, range: Range<usize>, each: impl FnMut(Range<usize>)) {
        self.ranges(range, each, |block| {
            let at =
                |block: Option<usize>| block.and_then(|block| self.blocks.get(block)).map_or(0, |kinds| kinds.text);
            at(Some(block)) != 0 || at(block.checked_sub(1)) >> 63 != 0 || at(Some(block + 1)) & 1 != 0
        });
    }

    /// The ranges of `range` with control bytes in them or right behind.
    pub(crate) fn controls(&self, range: Range<usize>, each: impl FnMut(Range<usize>)) {
        self.ranges(range, each, |block| self.blocks[block..].iter().take(2).any(|kinds| kinds.control));
    }

    fn ranges(&self, range: Range<usize>, mut each: impl FnMut(Range<usize>), is: impl Fn(usize) -> bool) {
        let (first, end) = (range.start / BLOCK, range.end.div_ceil(BLOCK).min(self.blocks.len()));
        let mut block = first;
        while block < end {
            if !is(block) {
                block += 1;
                continue;
            }
            let start = block;
            while block < end && is(block) {
                block += 1;
            }
            each((start * BLOCK).max(range.start)..(block * BLOCK).min(range.end));
        }
    }
}

fn fill(bytes: &[[u8; BLOCK]], blocks: &mut Vec<Kinds>) {
    #[cfg(target_arch = "x86_64")]
    if crate::sys::survey_with_avx2(bytes, blocks) {
        return;
    }
    blocks.extend(bytes.iter().map(kinds));
}

fn kinds(block: &[u8; BLOCK]) -> Kinds {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x80 * EACH;
    let mut kinds = Kinds::default();
    let (mut decimals, mut text_before) = (0, false);
    for (index, word) in block.as_chunks::<WORD>().0.iter().enumerate() {
        let (mut text, mut digits) = (true, 0);
        for (at, byte) in word.iter().enumerate() {
            let class = CLASSES[usize::from(*byte)];
            kinds.runs[index / WORD] |= u64::from(class & RUNS != 0) << (index % WORD * WORD + at);
            text &= class & TEXT != 0;
            digits += u32::from(class & DECIMAL != 0 && class & RUNS != 0);
            kinds.control |= class & TEXT == 0 && *byte < 0x80;
        }
        match index % (PART / WORD) {
            0 => (decimals, text_before) = (digits, text),
            1 if text && text_before && decimals + digits >= MIN_DECIMALS => {
                kinds.decimals |= 1 << (index * WORD / PART);
            }
            _ => {}
        }
        let word = u64::from_le_bytes(*word);
        // A bit for each byte that is zero.
        let zeros = !(((word & !HIGH_BITS) + (EACH * 0x7f)) | word) & HIGH_BITS;
        let wide = zeros == HIGH_BITS & EVEN || zeros == HIGH_BITS & !EVEN;
        kinds.text |= u64::from(text) << index;
        kinds.wide |= u64::from(wide) << index;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_the_kinds_that_it_is_said_to_have() {
        for byte in 0..=255_u8 {
            let kinds = kinds(&[byte; BLOCK]);
            let text = matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
            let all = |is: bool| if is { u64::MAX } else { 0 };
            assert_eq!(kinds.runs, [all(super::super::in_run(byte)); 8], "{byte}");
            let decimal = matches!(byte, b'0'..=b'9' | b'=');
            assert_eq!(kinds.decimals, if decimal { u16::MAX } else { 0 }, "{byte}");
            assert_eq!((kinds.text, kinds.control), (all(text), !text && byte < 0x80), "{byte}");
        }
    }

    /// Bytes that are random, and in between texts of all kinds.
    fn mixed(seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut bytes = Vec::new();
        while bytes.len() < 8 * BLOCK {
            let length = next() % 60;
            match next() % 5 {
                0 => bytes.extend((0..length).map(|_| next() as u8)),
                1 => bytes.extend((0..length).map(|_| b' ' + (next() % 95) as u8)),
                2 => bytes.extend((0..length).map(|_| b"AZaz09+/=_-"[next() % 11])),
                3 => bytes.extend((0..length).flat_map(|_| [b'a' + (next() % 26) as u8, 0])),
                _ => bytes.extend((0..length).map(|_| (next() % 3) as u8)),
            }
        }
        bytes.truncate(8 * BLOCK);
        bytes
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn avx2_sees_what_eight_bytes_at_a_time_do() {
        let all = (0..=255).map(|byte| vec![byte; BLOCK]).chain((0..50).map(mixed));
        for bytes in all {
            let mut fast = Vec::new();
            let blocks = bytes.as_chunks::<BLOCK>().0;
            if !crate::sys::survey_with_avx2(blocks, &mut fast) {
                assert!(fast.is_empty(), "without AVX2 nothing is said");
                continue;
            }
            assert_eq!(fast, blocks.iter().map(kinds).collect::<Vec<_>>());
        }
    }

    #[test]
    fn text_is_in_a_range_from_its_shortest_length_on_wherever_it_lies() {
        for start in BLOCK - 40..BLOCK + 40 {
            let mut bytes = vec![0xff; 4 * BLOCK];
            bytes[start..start + MIN_TEXT].fill(b'a');
            let survey = Survey::of(&bytes, bytes.len());
            let mut covered = vec![false; bytes.len()];
            survey.texts(0..bytes.len(), |range| covered[range].fill(true));
            assert!(covered[start..start + MIN_TEXT].iter().all(|covered| *covered), "{start}");
            assert!(!covered[3 * BLOCK..].iter().any(|covered| *covered), "{start}");
        }
    }

    #[test]
    fn control_bytes_are_in_a_range_and_so_is_the_block_before() {
        for at in [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 7, 4 * BLOCK + 99] {
            let mut bytes = vec![b'a'; 4 * BLOCK + 100];
            bytes[at] = 2;
            let survey = Survey::of(&bytes, 4 * BLOCK);
            let mut ranges = Vec::new();
            survey.controls(5..4 * BLOCK, |range| ranges.push(range));
            let block = at / BLOCK * BLOCK;
            let expected = block.saturating_sub(BLOCK).max(5)..(block + BLOCK).min(4 * BLOCK);
            assert_eq!(ranges, if at < 4 * BLOCK { vec![expected] } else { vec![] }, "{at}");
        }
    }

    #[test]
    fn words_are_told_in_order_beyond_the_end_of_a_block() {
        let mut bytes = vec![0xff; 3 * BLOCK + 9];
        for word in [0, 1, 63, 64, 130, 192] {
            bytes[word * WORD..][..WORD].fill(b'a');
        }
        let survey = Survey::of(&bytes, bytes.len());
        let (mut from, mut all) = (0, Vec::new());
        while let Some(next) = survey.next::<WORD>(from, |kinds| kinds.text) {
            all.push(next / WORD);
            from = next + 1;
        }
        assert_eq!(all, [0, 1, 63, 64, 130, 192]);
    }
}
