//! The checksums that forges put into their tokens: CRC-32 (ISO-HDLC, as in gzip), in digits of
//! base 62 or base 36, the highest first, filled up with zeros.

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn digits(number: u32, alphabet: &[u8]) -> [u8; 7] {
    let mut left = number as usize;
    let mut digits = [alphabet[0]; 7];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[left % alphabet.len()];
        left /= alphabet.len();
    }
    digits
}

const UPPER_FIRST: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LOWER_FIRST: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

#[cfg(test)]
/// The six digits of base 62 that GitHub puts behind `body`.
pub(crate) fn base62(body: &[u8]) -> [u8; 6] {
    let [_, digits @ ..] = digits(crc32(body), UPPER_FIRST);
    digits
}

/// Whether the last six characters are the checksum of those before. Of the two orders that
/// base 62 is written in, either: npm has not said which is its.
pub(crate) fn base62_holds(token: &[u8]) -> bool {
    token.split_last_chunk::<6>().is_some_and(|(body, sum)| {
        let crc = crc32(body);
        [UPPER_FIRST, LOWER_FIRST].iter().any(|alphabet| digits(crc, alphabet)[1..] == sum[..])
    })
}

/// The seven digits of base 36 that GitLab puts behind `body`.
pub(crate) fn base36(body: &[u8]) -> [u8; 7] {
    digits(crc32(body), &LOWER_FIRST[..36])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_github_uses() {
        // A revoked token that GitHub's format has been explained with in public since 2021.
        let body = ["zQWBuTSOoRi4A9s", "pHcVY5ncnsDkxkJ"].concat();
        assert_eq!(&base62(body.as_bytes()), b"0mLq17");
        assert!(base62_holds([body.as_str(), "0mLq17"].concat().as_bytes()));
        assert!(!base62_holds([body.as_str(), "0mLq18"].concat().as_bytes()));
        assert!(!base62_holds(b"0mLq1"));
    }

    #[test]
    fn the_check_value_of_crc_32_is_written_with_leading_zeros() {
        // 0xCBF43926, from the catalogue of parametrised CRC algorithms.
        assert_eq!(&base36(b"123456789"), b"1kl8mjq");
        assert_eq!(&base62(b""), b"000000");
    }
}
