use std::io::Write as _;

use super::*;
use crate::audit::exact::Exact;
use crate::audit::rule::Family as _;
use crate::audit::scan::Scanner;

const TOKEN: &[u8] = b"npm_pa\"ss/wo+rd \\with <marks> & 0123456789";

fn scanner(texts: &[&[u8]]) -> Scanner {
    let mut exact = Exact::new();
    for (index, text) in texts.iter().enumerate() {
        assert!(exact.add_text(&format!("s{index}"), text));
    }
    Scanner::new(vec![Box::new(exact)])
}

fn scan(texts: &[&[u8]], bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    scanner(texts).scan(&Text { bytes, name: b"", depth: 0 }, 0..bytes.len(), &mut found);
    for one in &found {
        assert_eq!((one.rule, one.severity), (RULE, Severity::Error));
        assert!(one.message.starts_with("this is the build secret \"s"), "{}", one.message);
    }
    found
}

fn places(text: &[u8], bytes: &[u8]) -> Vec<(usize, usize, Vec<&'static str>)> {
    scan(&[text], bytes).into_iter().map(|one| (one.at, one.length, one.wrapped)).collect()
}

fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let byte = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(byte).take(count).collect()
}

/// A line of so many characters that are in no other.
fn line(length: usize, seed: u64) -> Vec<u8> {
    noise(length, seed).into_iter().map(|byte| b'!' + byte % 90).collect()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    crate::keys::written::base64(bytes).to_vec()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn wide(bytes: &[u8], order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| order(u16::from(*byte))).collect()
}

/// Every way in which a text may be written, by name.
fn forms(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("as it is".to_owned(), text.to_vec())];
    let escapes =
        |form: &dyn Fn(u8) -> String| text.iter().flat_map(|byte| form(*byte).into_bytes()).collect::<Vec<_>>();
    for (index, form) in crate::keys::written::json(text).iter().enumerate() {
        all.push((format!("json {index}"), form.to_vec()));
        all.push((format!("json in json {index}"), crate::keys::written::json(form)[0].to_vec()));
    }
    for (index, form) in crate::keys::written::percent(text).iter().enumerate() {
        all.push((format!("percent {index}"), form.to_vec()));
    }
    let marks =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\u{byte:04x}") };
    all.push(("u-escapes".into(), escapes(&marks)));
    all.push((
        "html".into(),
        escapes(&|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("&#{byte};") }),
    ));
    for phase in 0..3 {
        let long = base64(&[&b"...."[..phase], text, b"...."].concat());
        all.push((format!("base64 url {phase}"), crate::keys::written::url_safe(&long).to_vec()));
        let lines: Vec<_> = long.chunks(20).map(<[u8]>::to_vec).collect();
        all.push((format!("base64 in lines {phase}"), lines.join(&b"\n"[..])));
        all.push((format!("base64 {phase}"), long));
    }
    all.push(("base64 twice".into(), base64(&base64(text))));
    all.push(("base64 of gzip".into(), base64(&gzip(&[text, b" and so on"].concat()))));
    all.push(("hex".into(), hex(text)));
    all.push(("HEX".into(), hex(text).to_ascii_uppercase()));
    all.push(("hex of base64".into(), hex(&base64(text))));
    all.push(("utf-16 le".into(), wide(text, u16::to_le_bytes)));
    all.push(("utf-16 be".into(), wide(text, u16::to_be_bytes)));
    all
}

#[test]
fn a_token_is_found_in_every_form_at_every_place() {
    for token in [TOKEN, b"hunter-2hunter-2-hunter-2", b"aGVsbG8gd29ybGQ/cGFzcw+=="] {
        for (name, form) in forms(token) {
            for (before, behind) in
                [(&b""[..], &b""[..]), (b"\n", b"\n"), (b"token = \"", b"\";"), (b"\0\xff\x01", b"\0")]
            {
                let found = scan(&[token], &[before, &form, behind].concat());
                assert!(!found.is_empty(), "{name}: {}", String::from_utf8_lossy(&form));
                assert!(found.iter().all(|one| !one.message.contains("part")), "{found:?}");
            }
        }
    }
}

#[test]
fn its_place_and_length_are_those_of_its_characters() {
    for before in 0..40 {
        let pad = noise(before, 3);
        let at = |form: &[u8]| places(TOKEN, &[&pad, form, b"\xff"].concat());
        assert_eq!(at(TOKEN), [(before, TOKEN.len(), vec![])]);
        let json = &crate::keys::written::json(TOKEN)[0];
        assert_eq!(at(json), [(before, json.len(), vec!["escapes"])]);
        assert_eq!(at(&hex(TOKEN)).first(), Some(&(before, 2 * TOKEN.len(), vec!["hex"])));
    }
}

#[test]
fn a_token_of_which_one_byte_is_another_or_missing_is_no_finding() {
    for at in 0..TOKEN.len() {
        let mut wrong = TOKEN.to_vec();
        wrong[at] ^= 1;
        for (name, form) in forms(&wrong) {
            assert_eq!(scan(&[TOKEN], &form), [], "{name} at {at}");
        }
        let short = [&TOKEN[..at], &TOKEN[at + 1..]].concat();
        for (name, form) in forms(&short) {
            assert_eq!(scan(&[TOKEN], &form), [], "{name} without {at}");
        }
    }
}

#[test]
fn a_text_is_looked_for_from_the_fewest_bytes_on() {
    for (length, looked_for) in [(MIN_TEXT - 1, false), (MIN_TEXT, true)] {
        let text = line(length, 1);
        let mut exact = Exact::new();
        assert_eq!(exact.add_text("x", &text), looked_for);
        assert_eq!(exact.add_text("x", &[&text, &b"\r\n\n"[..]].concat()), looked_for, "ends of lines do not count");
        assert_eq!((exact.is_empty(), exact.rules().len()), (!looked_for, usize::from(looked_for)));
    }
    assert!(!Exact::new().add_text("x", b""));
    let eight = b"pass,wd8";
    for (name, form) in
        forms(eight).into_iter().filter(|(name, _)| !name.contains("base64 ") || name.ends_with(['0', '1', '2']))
    {
        assert!(!scan(&[eight], &[b"x=", form.as_slice(), b";"].concat()).is_empty(), "{name}");
    }
}

#[test]
fn a_text_is_whole_up_to_the_longest_and_found_by_its_parts_beyond() {
    for length in [MAX_WHOLE, MAX_WHOLE + 1, 500 * 1024] {
        let text = line(length, 5);
        assert!(!places(&text, &[noise(100, 6), text.clone()].concat()).is_empty(), "{length}");
        // Its last quarter alone.
        let part = &text[length - length / 4..];
        assert!(!places(&text, &[&noise(100, 6), part].concat()).is_empty(), "{length}");
    }
    for (length, found) in [(MIN_PART - 1, false), (MIN_PART, true)] {
        let text = [line(100, 7), b"\n".to_vec(), line(length, 8)].concat();
        assert_eq!(!places(&text, &line(length, 8)).is_empty(), found, "{length}");
    }
}

#[test]
fn each_line_of_a_text_is_found_and_what_everybody_has_is_not() {
    let private: Vec<_> = (0..6).map(|seed| line(64, 10 + seed)).collect();
    let public: Vec<_> = (0..3).map(|seed| line(64, 20 + seed)).collect();
    let text = [
        b"-----BEGIN CERTIFICATE-----\n".to_vec(),
        public.join(&b"\n"[..]),
        b"\n-----END CERTIFICATE-----\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n".to_vec(),
        private.join(&b"\r\n"[..]),
        b"\n-----END OPENSSH PRIVATE KEY-----\n".to_vec(),
    ]
    .concat();
    for line in &private {
        let found = scan(&[&text], &[b"   ", line.as_slice(), b"\n"].concat());
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with(", or a part of it"));
    }
    for line in public.iter().chain([
        &b"-----BEGIN CERTIFICATE-----".to_vec(),
        &b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW".to_vec(),
    ]) {
        assert_eq!(scan(&[&text], line), [], "{}", String::from_utf8_lossy(line));
    }
    assert!(!scan(&[&text], &text).is_empty());
}

#[test]
fn a_text_of_many_lines_has_no_more_parts_than_one_search_takes() {
    for count in [MAX_PARTS, MAX_PARTS + 1, 10_000] {
        let text: Vec<u8> = (0..count).flat_map(|seed| [line(40, seed as u64 + 1), b"\n".to_vec()].concat()).collect();
        let mut texts = Texts::default();
        assert!(texts.add("x", &text));
        assert!(texts.parts.len() <= 1 + MAX_PARTS, "{count}: {}", texts.parts.len());
        assert!(texts.parts.len() > MAX_PARTS / 2);
        assert!(texts.literals.iter().all(|literal| literal.len() <= 2 * HEAD), "no more of it than a few bytes");
    }
}

#[test]
fn newlines_nul_ansi_codes_and_bytes_that_are_no_text_are_found_like_any_other() {
    for text in [
        &b"first line\nsecond line\twith tab"[..],
        b"\0\0\0\0\0\0\0\0\0\x01\x02\x03\x04\x05",
        b"\x1b[31mred\x1b[0m and more of it",
        b"\xff\xfe\x80\xc3\x28\xa0\xa1\xf0\x90",
        b"aaaaaaaaaaaaaaaaaaaaaaaa",
        b"--------",
        "pässwörd-mit-ümlauten".as_bytes(),
    ] {
        for (name, form) in [("raw", text.to_vec()), ("hex", hex(text)), ("base64", base64(text))] {
            assert!(!scan(&[text], &[b"= ", form.as_slice(), b" ;"].concat()).is_empty(), "{name} of {text:?}");
        }
    }
}

#[test]
fn of_secrets_in_one_another_each_is_told_of_by_its_own_name() {
    let (inner, outer) = (&b"inner-secret-1"[..], &b"outer inner-secret-1 outer"[..]);
    for bytes in [outer.to_vec(), base64(&[outer, &[b'.'; 60]].concat())] {
        let found = scan(&[inner, outer], &bytes);
        for name in ["\"s0\"", "\"s1\""] {
            assert!(found.iter().any(|one| one.message.contains(name)), "{name} is not in {found:?}");
        }
    }
}

#[test]
fn a_secret_that_lies_across_windows_is_found_in_one_of_them() {
    let text = line(200, 40);
    let bytes = [noise(5_000, 41), crate::keys::written::json(&text)[0].to_vec(), noise(5_000, 42)].concat();
    let scanner = scanner(&[&text]);
    for cut in 4_990..5_230 {
        let mut found = Vec::new();
        for fresh in [0..cut, cut..bytes.len()] {
            // As a stream has it: what is new, with old bytes before it.
            let from = fresh.start.saturating_sub(crate::image::stream::BEHIND);
            let mut new = Vec::new();
            scanner.scan(
                &Text { bytes: &bytes[from..], name: b"", depth: 0 },
                fresh.start - from..fresh.end - from,
                &mut new,
            );
            found.extend(new.into_iter().map(|one| one.at + from));
        }
        assert!(!found.is_empty() && found.iter().all(|at| *at == 5_000), "{cut}: {found:?}");
    }
}

#[test]
fn no_secret_is_printed() {
    let mut exact = Exact::new();
    assert!(exact.add_text("npm", TOKEN));
    assert!(!format!("{exact:?}").contains("npm_pa"));
}

#[test]
fn of_a_text_that_is_found_by_many_parts_the_first_is_kept() {
    let text = line(5_000, 50);
    let mut found = scan(&[&text], &[text.clone(), text.clone()].concat());
    assert!(found.len() > 2);
    once(&mut found);
    assert_eq!(found.len(), 1);
}
