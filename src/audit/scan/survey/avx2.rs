//! The survey, 32 bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm_set_epi64x, _mm256_and_si256, _mm256_andnot_si256, _mm256_broadcastsi128_si256, _mm256_castsi256_pd,
    _mm256_cmpeq_epi8, _mm256_cmpeq_epi64, _mm256_movemask_epi8, _mm256_movemask_pd, _mm256_or_si256,
    _mm256_set_epi64x, _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16,
};

use super::{BLOCK, DECIMAL, HIGH, Kinds, LOOK, LOW, MIN_DECIMALS, RUNS, TEXT};

/// The bytes of a look.
const FIRST: u32 = (1 << LOOK) - 1;

/// What each block holds.
#[target_feature(enable = "avx2,popcnt")]
pub(crate) fn survey(bytes: &[[u8; BLOCK]], blocks: &mut Vec<Kinds>) {
    let (low, high) = (table(&LOW), table(&HIGH));
    let (runs, text) = (_mm256_set1_epi8(RUNS.cast_signed()), _mm256_set1_epi8(TEXT.cast_signed()));
    let decimal = _mm256_set1_epi8(DECIMAL.cast_signed());
    let (half, zero) = (_mm256_set1_epi8(0x0f), _mm256_setzero_si256());
    let even = _mm256_set1_epi64x(0x00ff_00ff_00ff_00ff);
    let odd = _mm256_set1_epi64x(0xff00_ff00_ff00_ff00_u64.cast_signed());
    for block in bytes {
        let mut kinds = Kinds::default();
        let mut controls = zero;
        for (index, part) in block.as_chunks::<32>().0.iter().enumerate() {
            let bytes = load(part);
            let below = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half));
            let above = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half));
            let class = _mm256_and_si256(below, above);
            let no_run = _mm256_cmpeq_epi8(_mm256_and_si256(class, runs), zero);
            let no_text = _mm256_cmpeq_epi8(_mm256_and_si256(class, text), zero);
            controls = _mm256_or_si256(controls, _mm256_andnot_si256(bytes, no_text));
            let zeros = _mm256_cmpeq_epi8(bytes, zero);
            let wide = _mm256_or_si256(_mm256_cmpeq_epi64(zeros, even), _mm256_cmpeq_epi64(zeros, odd));
            let shift = 4 * index;
            kinds.runs[index / 2] |= u64::from(!bits(no_run)) << (32 * (index % 2));
            let decimals = bits(_mm256_cmpeq_epi8(_mm256_and_si256(class, decimal), decimal)) & FIRST;
            let look = decimals.count_ones() >= MIN_DECIMALS && bits(no_text) & FIRST == 0;
            kinds.decimals |= u16::from(look) << index;
            kinds.text |= words(_mm256_cmpeq_epi64(no_text, zero)) << shift;
            kinds.wide |= words(wide) << shift;
        }
        kinds.control = bits(controls) != 0;
        blocks.push(kinds);
    }
}

#[target_feature(enable = "avx2")]
fn table(bytes: &[u8; 16]) -> __m256i {
    let [first, second] = halves(bytes);
    _mm256_broadcastsi128_si256(_mm_set_epi64x(second, first))
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    let [first, second, third, fourth] = halves(bytes);
    _mm256_set_epi64x(fourth, third, second, first)
}

/// The highest bit of each byte.
#[target_feature(enable = "avx2")]
fn bits(mask: __m256i) -> u32 {
    _mm256_movemask_epi8(mask).cast_unsigned()
}

/// A bit for each word that is all ones.
#[target_feature(enable = "avx2")]
fn words(mask: __m256i) -> u64 {
    u64::from(_mm256_movemask_pd(_mm256_castsi256_pd(mask)).cast_unsigned())
}

fn halves<const WORDS: usize>(bytes: &[u8]) -> [i64; WORDS] {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = i64::from_le_bytes(*bytes);
    }
    words
}
