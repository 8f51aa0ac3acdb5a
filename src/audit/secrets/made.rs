//! Bodies of tokens, made at run time for tests: what is committed looks like no live token.

use super::checksum;

pub(crate) fn body(length: usize, seed: u64, alphabet: &[u8]) -> String {
    // SplitMix64 (Steele, Lea, Flood 2014): any generator would do that repeats itself run by run.
    let mut state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..length).map(|_| char::from(alphabet[(next() % alphabet.len() as u64) as usize])).collect()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `A-Z a-z 0-9`.
pub(crate) fn base62(length: usize, seed: u64) -> String {
    body(length, seed, &BASE64[..62])
}

/// With `-` and `_`, too, though never as the first or last character.
pub(crate) fn base64url(length: usize, seed: u64) -> String {
    format!("{}{}{}", base62(1, seed + 1), body(length - 2, seed, BASE64), base62(1, seed + 2))
}

/// `0-9 a-f`.
pub(crate) fn hex(length: usize, seed: u64) -> String {
    body(length, seed, b"0123456789abcdef")
}

/// `A-Z a-z`.
pub(crate) fn letters(length: usize, seed: u64) -> String {
    body(length, seed, &BASE64[..52])
}

/// `0-9`, without a zero first.
pub(crate) fn decimal(length: usize, seed: u64) -> String {
    body(length, seed, b"123456789")
}

/// `A-Z 2-7`.
pub(crate) fn base32(length: usize, seed: u64) -> String {
    body(length, seed, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

/// With a right checksum, as GitHub's and npm's.
pub(crate) fn checked(prefix: &str, seed: u64) -> String {
    let body = base62(30, seed);
    let sum = checksum::base62(body.as_bytes());
    format!("{prefix}{body}{}", String::from_utf8_lossy(&sum))
}
