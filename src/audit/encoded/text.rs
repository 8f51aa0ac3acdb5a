//! Base64 (RFC 4648, sections 4 and 5, both alphabets at once) and hexadecimal, without a
//! check: what they decode to is looked at, not believed.

const NONE: u8 = 0xff;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const VALUES: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 64 {
        table[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

const DIGITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 16 {
        table[b"0123456789abcdef"[i] as usize] = i as u8;
        table[b"0123456789ABCDEF"[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// The six bits of a character of base64.
pub(crate) fn value(byte: u8) -> Option<u8> {
    let value = VALUES[usize::from(byte)];
    (value != NONE).then_some(value)
}

/// The value of a hexadecimal digit.
pub(crate) fn digit(byte: u8) -> Option<u8> {
    let value = DIGITS[usize::from(byte)];
    (value != NONE).then_some(value)
}

fn bits(byte: u8) -> u32 {
    u32::from(VALUES[usize::from(byte)] & 0x3f)
}

/// The three bytes of four characters.
pub(super) fn three([a, b, c, d]: [u8; 4]) -> [u8; 3] {
    let word = bits(a) << 18 | bits(b) << 12 | bits(c) << 6 | bits(d);
    let [_, high, middle, low] = word.to_be_bytes();
    [high, middle, low]
}

/// The whole bytes of characters that are all of base64.
pub(super) fn base64(characters: &[u8]) -> Vec<u8> {
    let mut out = vec![0; characters.len() / 4 * 3];
    let (quads, rest) = characters.as_chunks::<4>();
    for (bytes, quad) in out.as_chunks_mut::<3>().0.iter_mut().zip(quads) {
        *bytes = three(*quad);
    }
    if let [a, b, rest @ ..] = rest {
        let third = rest.first().map_or(0, |c| bits(*c));
        let word = bits(*a) << 18 | bits(*b) << 12 | third << 6;
        let [_, high, middle, _] = word.to_be_bytes();
        out.extend_from_slice(&[high, middle][..1 + rest.len()]);
    }
    out
}

/// The whole bytes of characters that are all hexadecimal digits.
pub(super) fn hex(characters: &[u8]) -> Vec<u8> {
    let bits = |byte: u8| DIGITS[usize::from(byte)] & 0x0f;
    characters.as_chunks::<2>().0.iter().map(|[high, low]| bits(*high) << 4 | bits(*low)).collect()
}

/// The characters of base64 that stand for `bytes` and nothing else where `phase` bytes of a
/// three come before them, in both alphabets.
pub(crate) fn base64_of(bytes: &[u8], phase: usize) -> [Vec<u8>; 2] {
    let padded: Vec<u8> = std::iter::repeat_n(0, phase).chain(bytes.iter().copied()).collect();
    let (first, end) = ((phase * 8).div_ceil(6), padded.len() * 8 / 6);
    let bits = |index: usize| {
        let (byte, shift) = (index * 6 / 8, index * 6 % 8);
        let pair = u16::from_be_bytes([padded[byte], padded.get(byte + 1).copied().unwrap_or(0)]);
        usize::from(pair << shift >> 10)
    };
    [b"+/", b"-_"].map(|last| {
        (first..end)
            .map(|index| match bits(index) {
                value @ 62.. => last[value - 62],
                value => ALPHABET[value],
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_decode() {
        for (plain, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")]
        {
            assert_eq!(base64(text.as_bytes()), plain.as_bytes());
        }
        assert_eq!(base64(b"-_+/"), base64(b"+/+/"));
        assert_eq!(hex(b"666f6F6260"), b"foob`");
        assert_eq!(hex(b"666"), b"f");
        assert_eq!(base64(b"Zm9vY"), b"foo");
    }

    #[test]
    fn the_characters_of_bytes_are_theirs_alone_at_each_phase() {
        // What `base64` of coreutils makes of `foobar`, `.foobar` and `..foobar`.
        for (phase, expected) in [(0, "Zm9vYmFy"), (1, "Zvb2Jhc"), (2, "mb29iYX")] {
            assert_eq!(base64_of(b"foobar", phase)[0], expected.as_bytes(), "{phase}");
        }
        assert_eq!(base64_of(&[0xfb, 0xff, 0xbf], 0), [b"+/+/".to_vec(), b"-_-_".to_vec()]);
    }
}
