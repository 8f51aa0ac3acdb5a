//! Base64 as it is found in the wild (RFC 4648 §4 and §5), and not as it should be.

use zeroize::Zeroizing;

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Whether it is one of the 64 characters, of either alphabet.
pub(super) fn is_digit(byte: u8) -> bool {
    digit(byte).is_some()
}

/// The bytes of what stands in front of the first character that is neither base64 nor blank.
/// Padding ends it; a digit that is too many is left out.
pub(super) fn decode(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text {
        let Some(digit) = digit(*byte) else {
            if byte.is_ascii_whitespace() {
                continue;
            }
            break;
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

/// The bytes of a text that is base64 or base64url throughout, padded or not, and not empty.
pub(super) fn exactly(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let padding = text.len() - digits;
    let fits = digits > 0 && digits % 4 != 1 && (padding == 0 || padding < 3 && text.len().is_multiple_of(4));
    (fits && text[..digits].iter().all(|byte| is_digit(*byte))).then(|| decode(&text[..digits]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_standard_are_decoded() {
        // RFC 4648 §10.
        for (text, bytes) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")] {
            assert_eq!(decode(text.as_bytes()).as_slice(), bytes.as_bytes());
            assert_eq!(exactly(text.as_bytes()).as_deref().map(Vec::as_slice), Some(bytes.as_bytes()));
            assert!(exactly(text.trim_end_matches('=').as_bytes()).is_some());
        }
        assert_eq!(decode(b"Zm9v\r\n Yg == trailing").as_slice(), b"foob");
        for wrong in ["", "=", "Z", "Zg=", "Zm9vY", "Zm 9v", "Zg==="] {
            assert_eq!(exactly(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
