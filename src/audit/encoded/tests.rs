//! Every encoding, in every width and at every place, and what only looks like one.

mod near_misses;
mod windows;

use super::*;
use crate::audit::finding::Key;
use crate::audit::rule::{Family, Recognise};
use std::io::Write;

/// An Ed25519 key in PKCS#8 (RFC 8410, section 7) before its 32 bytes.
const HEADER: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

pub(super) fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut byte = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| byte()).collect()
}

pub(super) fn key() -> Vec<u8> {
    [HEADER, &noise(32, 7)].concat()
}

fn finding(seed: &[u8], at: usize) -> Found {
    Found {
        rule: "test-key",
        severity: Severity::Error,
        message: String::new(),
        remedy: "",
        at,
        length: 48,
        wrapped: vec![],
        key: Some(Key {
            kind: "ssh-ed25519".into(),
            fingerprint: Some(format!("{seed:02x?}")),
            encrypted: false,
            known_test_key: None,
        }),
    }
}

fn recognise(bytes: &[u8], found: &mut Vec<Found>) {
    if let Some(seed) = bytes.strip_prefix(HEADER).and_then(|rest| rest.get(..32)) {
        found.push(finding(seed, 0));
    }
}

/// Knows the key in the middle of something, as a family with literals does.
struct Middle;

impl Family for Middle {
    fn literals(&self) -> &[&[u8]] {
        &[b"\x06\x03\x2b\x65\x70\x04\x22"]
    }

    fn at_literal(&self, _: usize, at: usize, text: &Text<'_>, found: &mut Vec<Found>) {
        let Some(start) = at.checked_sub(7) else { return };
        if let Some(seed) = text.bytes[start..].strip_prefix(HEADER).and_then(|rest| rest.get(..32)) {
            found.push(finding(seed, start));
        }
    }
}

pub(super) fn scanner() -> Scanner {
    Scanner::new(vec![Box::new(Recognise(recognise)), Box::new(Middle)])
}

pub(super) fn scan(bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    scanner().scan(&Text { bytes, name: b"", depth: 0 }, 0..bytes.len(), &mut found);
    found
}

/// What is found of the key, as places and wrapping.
fn places(bytes: &[u8]) -> Vec<(usize, usize, Vec<&'static str>)> {
    let seed = Some(format!("{:02x?}", &key()[16..]));
    let found = scan(bytes).into_iter();
    found
        .map(|one| {
            assert_eq!(one.key.and_then(|key| key.fingerprint), seed, "another key was found");
            (one.at, one.length, one.wrapped)
        })
        .collect()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn lines(text: &str, width: usize, between: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(between)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `text` between `before` and `behind` is found, at its place, in so many bytes, wrapped so.
#[track_caller]
fn is_found(before: &str, text: &str, behind: &str, wrapped: &[&'static str]) {
    let bytes = [before, text, behind].concat();
    let expected = vec![(before.len(), wrapped.to_vec())];
    let found: Vec<_> = places(bytes.as_bytes()).into_iter().map(|(at, _, wrapped)| (at, wrapped)).collect();
    assert_eq!(found, expected, "{bytes:?}");
}

#[test]
fn bare_base64_is_found_at_every_width_with_everything_between_its_lines() {
    let text = base64(&key());
    for width in [20, 21, 22, 23, 24, 30, 32, 40, 48, 60, 64, 70, 76, 200] {
        for between in [
            "\n",
            "\r\n",
            "\n    ",
            "\n\t",
            "\\n",
            "\\r\\n",
            "\\\\n",
            "\" +\n  \"",
            "\"\n\"",
            "\\n\" \\\n\"",
            " ",
            "%0A",
            "\\u000a",
            "\n# ",
        ] {
            is_found("\n", &lines(&text, width, between), "\n", &["base64"]);
            is_found("key: \"", &lines(&text, width, between), "\", other: 1", &["base64"]);
        }
    }
}

#[test]
fn narrow_lines_are_found_where_they_begin_with_armour() {
    let armoured = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(&key()));
    for width in [12, 14, 16, 19] {
        let text = lines(&base64(armoured.as_bytes()), width, "\n");
        let found = places(text.as_bytes());
        assert!(found.iter().any(|one| one.2 == ["base64", "base64"]), "{width}: {found:?}");
    }
}

#[test]
fn its_place_is_that_of_its_characters() {
    for before in 0..70 {
        let bytes = [" ".repeat(before).as_str(), &base64(&key()), "\n"].concat();
        assert_eq!(places(bytes.as_bytes()), [(before, 64, vec!["base64"])]);
        let bytes = [" ".repeat(before).as_str(), &hex(&key()), "\n"].concat();
        assert_eq!(places(bytes.as_bytes()), [(before, 96, vec!["hex"])]);
    }
}

#[test]
fn base64_is_found_behind_what_runs_into_it() {
    let text = base64(&key());
    for before in
        ["KEY=", "--key=", "a=b=", "-----BEGIN PRIVATE KEY-----", "key:", "\\n", "\\r\\n", "%0A", "\\u000a", "base64,"]
    {
        is_found(before, &text, "-----END PRIVATE KEY-----", &["base64"]);
        is_found(before, &text, "\n-----END PRIVATE KEY-----", &["base64"]);
    }
    // At any alignment: found by the bytes of the key's algorithm.
    for before in ["path/", "k_", "a-", "abc_", "abcd/", "pre/fix/"] {
        let bytes = [before, &text, "\n"].concat();
        let found = places(bytes.as_bytes());
        assert!(found.iter().any(|one| one.0 == before.len()), "{before}: {found:?}");
    }
}

#[test]
fn url_safe_and_escaped_characters_are_those_of_base64() {
    // A key with many of them.
    let key = [HEADER, &[0xfb, 0xf0, 0xbf, 0xff].repeat(8)].concat();
    let text = base64(&key);
    let seed = Some(format!("{:02x?}", &key[16..]));
    let forms = [
        text.replace('+', "-").replace('/', "_"),
        text.replace('/', "\\/"),
        text.replace('+', "%2B").replace('/', "%2F"),
        text.replace('+', "\\u002b").replace('/', "\\u002F"),
    ];
    for form in forms {
        assert_ne!(form, text);
        let found = scan(format!("key: \"{form}\"").as_bytes());
        assert!(found.iter().any(|one| one.key.as_ref().unwrap().fingerprint == seed), "{form}");
        assert!(found.iter().all(|one| one.at == 6), "{form} {found:?}");
    }
}

#[test]
fn quoted_printable_lines_are_joined() {
    let long =
        [b"{\"a\": \"some text that comes first, longer than a line of it\", \"k\": \"".as_slice(), &key()].concat();
    let text = base64(&long);
    let soft = lines(&text, 75, "=\n").replace("==", "=3D=3D");
    let found = places(soft.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn hexadecimal_is_found_in_every_form() {
    let text = hex(&key());
    for text in [text.clone(), text.to_uppercase()] {
        for width in [20, 31, 32, 60, 64, 78, 200] {
            for between in ["\n", "\r\n", "\n  ", "\" \"", "\\n"] {
                is_found("= \"", &lines(&text, width, between), "\"", &["hex"]);
            }
        }
        is_found("x = 0x", &text, ";", &["hex"]);
        is_found("E'\\\\x", &text, "'", &["hex"]);
        for between in [":", " ", ", ", "-", ":\n    "] {
            is_found("key:\n\t", &lines(&text, 2, between), "\n", &["numbers"]);
        }
    }
}

#[test]
fn arrays_and_strings_of_escapes_are_found() {
    let list = |form: &dyn Fn(u8) -> String| -> Vec<String> { key().into_iter().map(form).collect() };
    for (form, between) in [
        (list(&|b| format!("0x{b:02x}")), ", "),
        (list(&|b| format!("0x{b:02X}")), ","),
        (list(&|b| format!("0x{b:x}")), ",\n\t"),
        (list(&|b| b.to_string()), ", "),
        (list(&|b| b.to_string()), ","),
        (list(&|b| (b as i8).to_string()), ", "),
        (list(&|b| format!("\\x{b:02x}")), ""),
        (list(&|b| format!("\\{b:03o}")), ""),
        (list(&|b| format!("\\u00{b:02x}")), ""),
        (list(&|b| format!("%{b:02X}")), ""),
    ] {
        for offset in 0..40 {
            let before = format!("{}unsigned char key[] = (", "-".repeat(offset));
            let bytes = [&before, form.join(between).as_str(), "};\nint main(void) {}\n"].concat();
            let found = places(bytes.as_bytes());
            assert!(found.iter().any(|one| one.0 == before.len()), "{bytes} {found:?}");
            assert!(found.iter().all(|one| one.0 == before.len()), "{bytes} {found:?}");
        }
    }
}

#[test]
fn dumps_are_found() {
    let padded = [noise(40, 3), key(), noise(30, 4)].concat();
    for bytes in [key(), padded] {
        let dump = |offset: &dyn Fn(usize) -> String,
                    group: &dyn Fn(&[u8]) -> String,
                    characters: &dyn Fn(&[u8]) -> String| {
            let lines = bytes.chunks(16).enumerate();
            lines
                .map(|(i, line)| format!("{}{}{}\n", offset(i * 16), group(line), characters(line)))
                .collect::<String>()
        };
        let ascii = |line: &[u8]| -> String {
            line.iter().map(|b| if b.is_ascii_graphic() { *b as char } else { '.' }).collect()
        };
        let pairs = |line: &[u8]| -> String { line.iter().map(|b| format!(" {b:02x}")).collect() };
        let words = |line: &[u8]| -> Vec<u16> {
            line.chunks(2).map(|c| u16::from_le_bytes([c[0], c.get(1).copied().unwrap_or(0)])).collect()
        };
        let forms = [
            (
                "xxd",
                dump(
                    &|at| format!("{at:08x}:"),
                    &|l| format!("{:40}", l.chunks(2).map(|c| format!(" {}", hex(c))).collect::<String>()),
                    &|l| format!("  {}", ascii(l)),
                ),
            ),
            (
                "hexdump -C",
                dump(
                    &|at| format!("{at:08x} "),
                    &|l| format!("{} {}", pairs(&l[..l.len().min(8)]), pairs(&l[l.len().min(8)..])),
                    &|l| format!("  |{}|", ascii(l)),
                ),
            ),
            ("od -t x1", dump(&|at| format!("{at:07o}"), &pairs, &|_| String::new())),
            (
                "od -b",
                dump(&|at| format!("{at:07o}"), &|l| l.iter().map(|b| format!(" {b:03o}")).collect(), &|_| {
                    String::new()
                }),
            ),
            (
                "od",
                dump(&|at| format!("{at:07o}"), &|l| words(l).iter().map(|w| format!(" {w:06o}")).collect(), &|_| {
                    String::new()
                }),
            ),
            (
                "hexdump",
                dump(&|at| format!("{at:07x}"), &|l| words(l).iter().map(|w| format!(" {w:04x}")).collect(), &|_| {
                    String::new()
                }),
            ),
            (
                "od -t u1",
                dump(&|at| format!("{at:07o}"), &|l| l.iter().map(|b| format!(" {b:3}")).collect(), &|_| String::new()),
            ),
        ];
        for (name, dump) in forms {
            for before in ["", "Here it is:\n\n", "    $ xxd key.der\n"] {
                let text = format!("{before}{dump}and so on\n");
                let found = places(text.as_bytes());
                assert!(found.iter().any(|one| one.2 == ["dump"] && one.0 > before.len()), "{name}\n{text}\n{found:?}");
            }
        }
    }
}

#[test]
fn strings_with_some_bytes_escaped_are_found() {
    let graphic = |b: u8| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'\'');
    let python: String =
        key().into_iter().map(|b| if graphic(b) { (b as char).to_string() } else { format!("\\x{b:02x}") }).collect();
    let json: String =
        key().into_iter().map(|b| if graphic(b) { (b as char).to_string() } else { format!("\\u00{b:02x}") }).collect();
    let c: String =
        key().into_iter().map(|b| if graphic(b) { (b as char).to_string() } else { format!("\\{b:03o}") }).collect();
    let url: String = key()
        .into_iter()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect();
    for text in [python, json, c, url] {
        for (before, behind) in [("KEY = b'", "'\n"), ("{\"key\": \"", "\"}")] {
            let bytes = [before, &text, behind].concat();
            let found = places(bytes.as_bytes());
            assert!(found.iter().any(|one| one.0 == before.len()), "{bytes} {found:?}");
        }
    }
}

#[test]
fn utf_16_is_found_in_either_byte_order() {
    let text = base64(&key());
    for (before, text) in [("", text.clone()), ("key: ", lines(&text, 40, "\r\n")), ("", hex(&key()))] {
        let all = [before, &text, "\n"].concat();
        for offset in 0..40 {
            for little in [true, false] {
                let units =
                    all.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
                let bytes = [vec![0xff; offset], units.collect(), vec![0xff; 3]].concat();
                let found = places(&bytes);
                assert_eq!(found.len(), 1, "{found:?}");
                assert_eq!((found[0].0, found[0].2[0]), (offset + 2 * before.len(), "utf-16"));
            }
        }
    }
}

#[test]
fn encodings_lie_in_one_another_to_the_named_depth_and_not_one_deeper() {
    for depth in 1..=MAX_WRAPPED + 1 {
        let mut text = String::from_utf8(key().iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()).unwrap();
        for _ in 1..depth {
            text = base64(text.as_bytes());
        }
        let found = places(text.as_bytes());
        assert_eq!(found.len(), usize::from(depth <= MAX_WRAPPED), "{depth}: {found:?}");
        if let [one] = &found[..] {
            assert_eq!(one.2.len(), depth);
            assert_eq!((one.2[depth - 1], one.0), ("hex", 0));
        }
    }
}

#[test]
fn what_is_compressed_inside_is_found() {
    let plain = [b"some words ".repeat(50), key(), noise(50, 8)].concat();
    for (name, packed) in
        [("gzip", gzip(&plain)), ("zlib", zlib(&plain)), ("zstd", zstd::encode_all(&plain[..], 3).unwrap())]
    {
        for width in [64, 76, 10_000] {
            for (encoding, text) in [("base64", base64(&packed)), ("hex", hex(&packed))] {
                let text = format!("data: {}\n", lines(&text, width, "\n"));
                let found = places(text.as_bytes());
                // Literals may be stored as they are, and the key be found in them.
                assert_eq!(found.len(), 1, "{text}");
                assert!(found[0].2 == [encoding, name] && found[0].0 == 6 || name == "zstd", "{text} {found:?}");
            }
        }
    }
}

#[test]
fn a_key_in_the_middle_of_what_is_encoded_is_found_there() {
    for before in 0..30 {
        let plain = [b"user:".repeat(20), noise(before, 5), key(), noise(100, 6)].concat();
        let text = base64(&plain);
        let at = (100 + before) * 8 / 6;
        let found = places(text.as_bytes());
        assert_eq!(found.iter().map(|one| (one.0, one.2.clone())).collect::<Vec<_>>(), [(at, vec!["base64"])]);
    }
}

#[test]
fn what_decodes_to_more_than_the_limit_is_said_to_be_cut() {
    for (bytes, cut) in [(MAX_DECODED, false), (MAX_DECODED + 1, true)] {
        let budget = Budget::new(MAX_DECODED);
        budget.take(bytes);
        assert_eq!(budget.finding(3).is_some_and(|one| one.rule == "encoded-limit" && one.at == 3), cut);
    }
    // Something that unpacks to more than is looked at.
    let found = scan(base64(&gzip(&vec![b' '; packed::MAX_UNPACKED + 1])).as_bytes());
    assert_eq!(found.iter().map(|one| one.rule).collect::<Vec<_>>(), ["encoded-limit"]);
}
