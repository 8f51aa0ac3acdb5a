//! How a secret text is written out by programs: in base64, in addresses, in JSON. PURE, and
//! everything that is made here is wiped.

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

/// Bytes that are wiped when they go.
pub type Wiped = Zeroizing<Vec<u8>>;

/// The text without the ends of lines behind it: `echo` and editors add them, `printf` does not.
#[must_use]
pub fn without_line_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// Its lines, without white space around them.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii)
}

/// Whether a line is the first or last of something in PEM: it is the same in everybody's.
#[must_use]
pub fn is_pem_boundary(line: &[u8]) -> bool {
    line.ends_with(b"-----") && (line.starts_with(b"-----BEGIN ") || line.starts_with(b"-----END "))
}

/// In base64 with its padding (RFC 4648, section 4).
#[must_use]
pub fn base64(text: &[u8]) -> Wiped {
    Zeroizing::new(Base64::encode_string(text).into_bytes())
}

/// The characters of base64 that stand for the text alone where `phase` bytes of a three come
/// before it: how it looks inside of something longer.
#[must_use]
pub fn base64_inside(text: &[u8], phase: usize) -> Wiped {
    let padded: Wiped = Zeroizing::new(std::iter::repeat_n(0, phase).chain(text.iter().copied()).collect());
    let mut characters = base64(&padded);
    characters.truncate(padded.len() * 8 / 6);
    let first = (phase * 8).div_ceil(6).min(characters.len());
    Zeroizing::new(characters.split_off(first))
}

/// Characters of base64 in the alphabet for addresses (RFC 4648, section 5).
#[must_use]
pub fn url_safe(characters: &[u8]) -> Wiped {
    let safe = |character: &u8| match character {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    };
    Zeroizing::new(characters.iter().map(safe).collect())
}

/// For an address, as the usual libraries escape: what RFC 3986 leaves alone; `encodeURIComponent`;
/// a path; a form. Each with upper and lower case digits.
#[must_use]
pub fn percent(text: &[u8]) -> Vec<Wiped> {
    const KEPT: [(&[u8], bool); 4] = [(b"~", false), (b"~!*'()", false), (b"~/", false), (b"*", true)];
    let mut all: Vec<Wiped> = Vec::new();
    for (kept, plus) in KEPT {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 3));
            for &byte in text {
                if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) || kept.contains(&byte) {
                    out.push(byte);
                } else if plus && byte == b' ' {
                    out.push(b'+');
                } else {
                    let digit = |value: u8| digits.get(usize::from(value)).copied().unwrap_or_default();
                    out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
                }
            }
            push_new(&mut all, out);
        }
    }
    all
}

/// Inside of a string of JSON (RFC 8259, section 7), and with a slash escaped as PHP does it.
#[must_use]
pub fn json(text: &[u8]) -> Vec<Wiped> {
    let mut all: Vec<Wiped> = Vec::new();
    for slash in [false, true] {
        let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6));
        for &byte in text {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', byte]),
                b'/' if slash => out.extend([b'\\', byte]),
                b'\n' => out.extend(b"\\n"),
                b'\r' => out.extend(b"\\r"),
                b'\t' => out.extend(b"\\t"),
                8 => out.extend(b"\\b"),
                12 => out.extend(b"\\f"),
                0..=31 => out.extend(format!("\\u{byte:04x}").bytes()),
                _ => out.push(byte),
            }
        }
        push_new(&mut all, out);
    }
    all
}

fn push_new(all: &mut Vec<Wiped>, one: Wiped) {
    if !all.contains(&one) {
        all.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_inside_of_longer_base64_is_written_with_the_characters_of_each_alignment() {
        let text = b"a secret of some length";
        for before in 0..9 {
            for behind in 0..4 {
                let long = [vec![b'x'; before], text.to_vec(), vec![b'y'; behind]].concat();
                let (long, inside) = (base64(&long), base64_inside(text, before % 3));
                let at = (before * 8).div_ceil(6);
                assert_eq!(long.get(at..at + inside.len()), Some(inside.as_slice()), "{before} {behind}");
                assert!(inside.len() + 2 >= text.len() * 8 / 6);
            }
        }
        assert_eq!(base64_inside(b"", 2).as_slice(), b"");
        assert_eq!(base64_inside(b"x", 1).len(), 0, "no character is its own");
        assert_eq!(url_safe(b"a+/=").as_slice(), b"a-_=");
    }

    #[test]
    fn an_address_has_the_text_as_the_usual_libraries_escape_it() {
        let forms = percent(b"a/b c~d+e(");
        for form in
            ["a%2Fb%20c~d%2Be%28", "a%2fb%20c~d%2be%28", "a%2Fb%20c~d%2Be(", "a/b%20c~d%2Be%28", "a%2Fb+c%7Ed%2Be%28"]
        {
            assert!(forms.iter().any(|one| one.as_slice() == form.as_bytes()), "{form}");
        }
        assert_eq!(percent(b"plain-1.2_3").len(), 1, "nothing is escaped, and it is there once");
    }

    #[test]
    fn json_has_the_text_as_a_parser_reads_it_back() {
        let text: String = (0..128_u8).map(char::from).chain("ä☂".chars()).collect();
        for form in json(text.as_bytes()) {
            let quoted = format!("\"{}\"", String::from_utf8(form.to_vec()).unwrap());
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
        assert_eq!(json(b"a/b").iter().map(|form| form.len()).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(json(b"a\xff").first().map(|form| form.to_vec()), Some(b"a\xff".to_vec()));
    }

    #[test]
    fn ends_of_lines_and_armour_are_no_part_of_the_text() {
        for (text, rest) in [(&b"x\r\n\n"[..], &b"x"[..]), (b"\n", b""), (b"", b""), (b" x ", b" x ")] {
            assert_eq!(without_line_end(text), rest);
        }
        assert_eq!(lines(b" a \r\nb\n\n").filter(|line| !line.is_empty()).collect::<Vec<_>>(), [b"a", b"b"]);
        assert!(is_pem_boundary(b"-----BEGIN CERTIFICATE-----") && is_pem_boundary(b"-----END X-----"));
        assert!(!is_pem_boundary(b"-----BEGIN") && !is_pem_boundary(b"password-----"));
    }
}
