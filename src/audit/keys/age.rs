//! age's identities: `AGE-SECRET-KEY-1…`, Bech32 (BIP 173) with its checksum.

use zeroize::Zeroizing;

use super::curve;
use super::seen::{Public, Seen};

/// The literal that every identity begins with.
pub(super) const PREFIX: &[u8] = b"AGE-SECRET-KEY-";
const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Characters of 32 bytes and of the checksum behind them.
const DATA: usize = 52 + CHECKSUM;
const CHECKSUM: usize = 6;

/// The identity whose [`PREFIX`] is at `at`.
pub(super) fn at(bytes: &[u8], at: usize) -> Option<Seen> {
    let after = bytes.get(at + PREFIX.len()..)?;
    // Classical, or X-Wing.
    let (kind, name, rest) = match after {
        [b'1', rest @ ..] => ("age", &b"age-secret-key-"[..], rest),
        [b'P', b'Q', b'-', b'1', rest @ ..] => ("age-pq", &b"age-secret-key-pq-"[..], rest),
        _ => return None,
    };
    let text = rest.get(..DATA)?;
    let mut digits = Zeroizing::new(Vec::with_capacity(DATA));
    for byte in text {
        let lower = byte.is_ascii_lowercase();
        let digit = DIGITS.iter().position(|digit| *digit == byte.to_ascii_lowercase() && !lower)?;
        digits.push(digit as u8);
    }
    if polymod(name, &digits) != 1 {
        return None;
    }
    let mut secret = Zeroizing::new(Vec::with_capacity(33));
    let (mut bits, mut count) = (0_u32, 0);
    for digit in &digits[..DATA - CHECKSUM] {
        bits = bits << 5 | u32::from(*digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            secret.push((bits >> count) as u8);
        }
    }
    let recipient = curve::x25519(&secret).map(|public| encode(b"age", &public));
    let public = Public { kind: kind.to_owned(), fingerprint: recipient.filter(|_| kind == "age") };
    let length = bytes.len() - rest.len() + DATA - at;
    Some(public.seen("age-secret-key", "age format", false, length))
}

/// The checksum of a name and of digits; 1 where it is right.
fn polymod(name: &[u8], digits: &[u8]) -> u32 {
    let high = name.iter().map(|byte| byte >> 5);
    let low = name.iter().map(|byte| byte & 31);
    high.chain([0]).chain(low).chain(digits.iter().copied()).fold(1, |check, digit| {
        let top = check >> 25;
        let shifted = (check & 0x01ff_ffff) << 5 ^ u32::from(digit);
        [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(shifted, |check, (_, generator)| check ^ generator)
    })
}

/// Bech32 of public bytes.
fn encode(name: &[u8], bytes: &[u8]) -> String {
    let mut digits = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            digits.push((bits >> count & 31) as u8);
        }
    }
    if count > 0 {
        digits.push((bits << (5 - count) & 31) as u8);
    }
    let data = digits.len();
    digits.extend([0; CHECKSUM]);
    let check = polymod(name, &digits) ^ 1;
    for (place, digit) in digits[data..].iter_mut().enumerate() {
        *digit = (check >> (5 * (CHECKSUM - 1 - place)) & 31) as u8;
    }
    let text = digits.iter().map(|digit| char::from(DIGITS[usize::from(*digit)]));
    name.iter().copied().map(char::from).chain(['1']).chain(text).collect()
}
