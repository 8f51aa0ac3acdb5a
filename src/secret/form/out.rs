//! A file in the making: as large as a secret may be and no larger, wiped when it goes, and never
//! moved, because moved memory leaves a copy that nobody wipes.

use zeroize::Zeroizing;

use super::{FormError, MAX_SECRET};
use crate::keys::Secret;

/// See the module.
pub(super) struct Out(Zeroizing<Vec<u8>>);

impl Out {
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(MAX_SECRET)))
    }

    /// Adds bytes, where there is room for them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), FormError> {
        if bytes.len() > MAX_SECRET - self.0.len() {
            return Err(FormError::TooLarge);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Adds text as it stands.
    pub(super) fn text(&mut self, text: &str) -> Result<(), FormError> {
        self.push(text.as_bytes())
    }

    /// Adds bytes as part of a URL's user information or path: all but what RFC 3986 leaves
    /// unreserved is written in hexadecimal.
    pub(super) fn url(&mut self, bytes: &[u8]) -> Result<(), FormError> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        bytes.iter().try_for_each(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => self.push(&[byte]),
            _ => self.push(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        })
    }

    /// Adds text as a string in quotes, as JSON and TOML both read it.
    pub(super) fn quoted(&mut self, text: &str) -> Result<(), FormError> {
        self.push(b"\"")?;
        let mut buffer = [0; 4];
        for c in text.chars() {
            match c {
                '"' => self.push(b"\\\"")?,
                '\\' => self.push(b"\\\\")?,
                '\n' => self.push(b"\\n")?,
                '\r' => self.push(b"\\r")?,
                '\t' => self.push(b"\\t")?,
                // Control characters have no more than two digits.
                c if c.is_control() => self.text(&format!("\\u{:04x}", u32::from(c)))?,
                c => self.text(c.encode_utf8(&mut buffer))?,
            }
        }
        self.push(b"\"")
    }

    /// Adds bytes in base64.
    pub(super) fn base64<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(), FormError> {
        const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut held = Zeroizing::new([0_u8; 3]);
        let mut length = 0;
        let mut group = |held: &[u8; 3], length: usize| {
            let number = u32::from_be_bytes([0, held[0], held[1], held[2]]);
            let character = |index: usize| {
                if index > length { b'=' } else { CHARACTERS[(number >> (18 - 6 * index) & 63) as usize] }
            };
            self.push(&[character(0), character(1), character(2), character(3)])
        };
        for &byte in pieces.into_iter().flatten() {
            held[length] = byte;
            length += 1;
            if length == 3 {
                group(&held, length)?;
                *held = [0; 3];
                length = 0;
            }
        }
        if length > 0 { group(&held, length) } else { Ok(()) }
    }

    pub(super) fn finish(self) -> Secret {
        Secret::new(self.0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(make: impl FnOnce(&mut Out) -> Result<(), FormError>) -> String {
        let mut out = Out::new();
        make(&mut out).unwrap();
        String::from_utf8(out.finish().expose().to_vec()).unwrap()
    }

    #[test]
    fn base64_is_that_of_the_library() {
        use base64ct::Encoding as _;
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let (first, rest) = bytes.split_at(bytes.len() / 2);
            assert_eq!(made(|out| out.base64([first, rest])), base64ct::Base64::encode_string(&bytes));
        }
    }

    #[test]
    fn a_quoted_string_is_read_back_by_json_and_by_toml() {
        let text: String = (0..0x3000).filter_map(char::from_u32).chain("\u{1f511}".chars()).collect();
        let quoted = made(|out| out.quoted(&text));
        assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        let table: toml::Table = toml::from_str(&format!("x = {quoted}")).unwrap();
        assert_eq!(table["x"].as_str(), Some(text.as_str()));
    }

    #[test]
    fn only_what_a_url_leaves_unreserved_stays_as_it_is() {
        assert_eq!(made(|out| out.url("aZ9-._~ %@:/?#é\n".as_bytes())), "aZ9-._~%20%25%40%3A%2F%3F%23%C3%A9%0A");
    }
}
