//! The same across the borders of real windows.

use super::*;
use crate::image::limits::Gap;
use crate::image::stream::{AHEAD, BEHIND, Entry, FRESH, Sink, Stream, Window};
use std::cell::RefCell;

struct Scans {
    scanner: Scanner,
    found: Vec<(u64, Vec<&'static str>)>,
}

impl Sink for Scans {
    fn window(&mut self, _: &[Vec<u8>], window: &Window<'_>) {
        let mut found = Vec::new();
        let text = Text { bytes: window.bytes, name: b"", depth: 0 };
        self.scanner.scan(&text, window.fresh.clone(), &mut found);
        self.found.extend(found.into_iter().map(|one| (window.offset + one.at as u64, one.wrapped)));
    }

    fn entry(&mut self, _: &[Vec<u8>], _: &Entry<'_>) {}

    fn gap(&mut self, _: &[Vec<u8>], _: Gap) {}
}

fn streamed(bytes: &[u8]) -> Vec<(u64, Vec<&'static str>)> {
    let sink = RefCell::new(Scans { scanner: scanner(), found: Vec::new() });
    let mut source = bytes;
    Stream::new(&mut source, &sink, vec![]).finish().unwrap();
    sink.into_inner().found
}

#[test]
fn a_key_is_found_once_wherever_a_window_ends() {
    let forms = [
        ("base64", lines(&base64(&key()), 40, "\n")),
        ("hex", lines(&hex(&key()), 64, "\n")),
        ("numbers", lines(&hex(&key()), 2, ":")),
        ("escapes", key().iter().map(|byte| format!("\\x{byte:02x}")).collect()),
    ];
    for (name, text) in forms {
        for place in (FRESH - 300..FRESH + 20).step_by(7).chain([FRESH + BEHIND, FRESH + AHEAD - 30, FRESH + AHEAD]) {
            let mut bytes = b"Words, and more of it.\n".repeat((FRESH + 2 * AHEAD) / 23);
            bytes[place - 1] = b'(';
            bytes.splice(place..place, [text.as_bytes(), b")"].concat());
            assert_eq!(streamed(&bytes), [(place as u64, vec![name])], "{name} at {place}");
        }
    }
}

#[test]
fn a_line_longer_than_any_window_is_covered_at_every_alignment() {
    for shift in 0..3 {
        let mut plain = b"Words, and more of it.\n".repeat(4 * FRESH / 23);
        let places = [0, 1_000, 195_000, 200_000 + shift, 400_000 + shift, 600_001, 900_000 + shift];
        for place in places {
            plain[place..place + 48].copy_from_slice(&key());
        }
        let place = |at: usize| (2 + at * 8 / 6) as u64;
        let text = format!("k={}\n", base64(&plain));
        let mut found = streamed(text.as_bytes());
        found.sort_unstable();
        let expected: Vec<_> = places.into_iter().map(|at| (place(at), vec!["base64"])).collect();
        assert_eq!(found, expected, "one line, {shift}");
    }
}

#[test]
fn lines_of_a_text_longer_than_any_window_are_covered() {
    let mut plain = noise(3 * FRESH, 4);
    for place in [70_000, 250_000, 500_000, 700_000] {
        plain[place..place + 48].copy_from_slice(&key());
    }
    for (name, text) in [
        ("base64", lines(&base64(&plain), 76, "\r\n")),
        ("hex", lines(&hex(&plain), 60, "\n")),
        ("numbers", plain.iter().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",")),
        (
            "dump",
            plain
                .chunks(16)
                .enumerate()
                .map(|(i, line)| {
                    let pairs: String = line.chunks(2).map(|pair| format!(" {}", hex(pair))).collect();
                    format!("{:08x}:{pairs}  ................\n", i * 16)
                })
                .collect(),
        ),
    ] {
        let found = streamed(text.as_bytes());
        assert_eq!(found.len(), 4, "{name} {found:?}");
        assert!(found.iter().all(|one| one.1 == [name]), "{name} {found:?}");
    }
}
