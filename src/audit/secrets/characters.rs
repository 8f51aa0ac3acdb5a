//! Alphabets that tokens are written in, and how far they go.

/// A set of ASCII characters.
pub(crate) type Alphabet = fn(u8) -> bool;

/// `A-Z a-z 0-9`.
pub(crate) fn base62(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// `0-9 a-f`.
pub(crate) fn hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// base64url (RFC 4648, section 5), without padding.
pub(crate) fn base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// base64 (RFC 4648, section 4), without padding.
pub(crate) fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// `0-9 a-z`.
pub(crate) fn base36(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z')
}

/// base32 (RFC 4648, section 6) in upper case.
pub(crate) fn base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

/// base32 in lower case.
pub(crate) fn base32_lower(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'2'..=b'7')
}

/// How many characters of it stand at `from`, of no more than `most`.
pub(crate) fn count(bytes: &[u8], from: usize, most: usize, alphabet: Alphabet) -> usize {
    bytes.get(from..).map_or(0, |rest| rest.iter().take(most).take_while(|byte| alphabet(**byte)).count())
}

/// The characters at `from`, where they are between `least` and `most`, and what comes next
/// could not be one more of a token.
pub(crate) fn between(bytes: &[u8], from: usize, least: usize, most: usize, alphabet: Alphabet) -> Option<&[u8]> {
    let length = count(bytes, from, most.saturating_add(1), alphabet);
    let end = from + length;
    let whole = bytes.get(end).is_none_or(|next| !next.is_ascii_alphanumeric());
    ((least..=most).contains(&length) && whole).then(|| &bytes[from..end])
}

/// The `length` characters at `from`, where there are no more and no less.
pub(crate) fn exactly(bytes: &[u8], from: usize, length: usize, alphabet: Alphabet) -> Option<&[u8]> {
    between(bytes, from, length, length, alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_a_length_ends_where_no_more_of_it_could_come() {
        for (text, whole) in [
            (&b"p_abcd"[..], true),
            (b"p_abcd\"", true),
            (b"p_abcd_", true),
            (b"p_abc", false),
            (b"p_abcde", false),
            (b"p_abcdZ", false),
            (b"p_", false),
            (b"p", false),
        ] {
            assert_eq!(exactly(text, 2, 4, hex).is_some(), whole, "{text:?}");
        }
        assert_eq!(between(b"abc", 0, 2, usize::MAX, base62), Some(&b"abc"[..]));
    }
}
