//! Binary that is written as numbers: arrays, dumps, escapes.

use super::*;

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
