use super::*;
use crate::audit::scan::Scanner;
use crate::signer::Curve;

const FINGERPRINT: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

fn number(count: usize, seed: u64) -> Zeroizing<Vec<u8>> {
    let mut bytes = noise(count, seed);
    bytes[0] |= 0x80;
    Zeroizing::new(bytes)
}

fn seed() -> [u8; 32] {
    noise(32, 1).try_into().unwrap()
}

fn ed25519() -> Parts {
    Parts::Ed25519 { seed: Zeroizing::new(seed()), public: None }
}

fn rsa() -> Parts {
    Parts::Rsa(RsaParts {
        n: number(256, 2).to_vec(),
        e: vec![1, 0, 1],
        d: number(256, 3),
        p: number(128, 4),
        q: number(128, 5),
        q_inverse: number(128, 6),
    })
}

fn exact(parts: &Parts) -> Exact {
    let mut exact = Exact::new();
    assert!(exact.add(parts, "ssh-test", FINGERPRINT));
    exact
}

fn scan(parts: &Parts, bytes: &[u8]) -> Vec<(usize, usize, Vec<&'static str>)> {
    let scanner = Scanner::new(vec![Box::new(exact(parts))]);
    let mut found = Vec::new();
    scanner.scan(&Text { bytes, name: b"", depth: 0 }, 0..bytes.len(), &mut found);
    found
        .into_iter()
        .map(|one| {
            assert_eq!((one.rule, one.severity), (RULE, Severity::Error));
            assert!(one.message.starts_with(&format!("this is {FINGERPRINT}, a key that was lent")), "{}", one.message);
            assert_eq!(one.key.unwrap().fingerprint.as_deref(), Some(FINGERPRINT));
            (one.at, one.length, one.wrapped)
        })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines(text: &str, width: usize, between: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(between)
}

#[test]
fn raw_secrets_are_found_at_their_place() {
    for before in 0..40 {
        let bytes = [noise(before, 50), seed().to_vec(), noise(9, 51)].concat();
        assert_eq!(scan(&ed25519(), &bytes), [(before, 32, vec![])]);
    }
}

#[test]
fn numbers_of_rsa_and_ec_keys_are_found_in_either_byte_order() {
    let ecdsa = Parts::Ecdsa { curve: Curve::P256, scalar: number(32, 7), point: None };
    for (parts, number) in
        [(rsa(), number(256, 3)), (rsa(), number(128, 4)), (rsa(), number(128, 5)), (ecdsa, number(32, 7))]
    {
        let reversed = number.iter().rev().copied().collect::<Vec<u8>>();
        for number in [number.to_vec(), reversed] {
            let bytes = [noise(100, 8), number.clone(), noise(100, 9)].concat();
            assert_eq!(scan(&parts, &bytes), [(100, number.len(), vec![])]);
        }
    }
}

#[test]
fn a_number_is_found_without_its_leading_zeros() {
    let scalar = number(30, 3);
    let padded = [vec![0, 0], scalar.to_vec()].concat();
    for parts in [scalar.to_vec(), padded] {
        let parts = Parts::Ecdsa { curve: Curve::P256, scalar: Zeroizing::new(parts), point: None };
        assert_eq!(scan(&parts, &[vec![9; 5], scalar.to_vec()].concat()), [(5, 30, vec![])]);
    }
}

#[test]
fn hexadecimal_and_base64_are_found_at_any_alignment_and_width() {
    for before in 0..6 {
        let plain = [b"config:".to_vec(), noise(before, 10), seed().to_vec(), noise(5, 11)].concat();
        for lead in ["", "k_", "abc/", "a-", "key="] {
            for width in [8, 16, 20, 33, 64, 76, 1_000] {
                for between in ["\n", "\r\n  ", "\\n", "\",\n  \""] {
                    for text in [
                        base64(&plain),
                        hex(&plain),
                        hex(&plain).to_uppercase(),
                        base64(&plain).replace('+', "-").replace('/', "_"),
                    ] {
                        // Where a line ends in the literal, the lines must be long enough to be read as a text.
                        if width < 20 || (!lead.is_empty() && width < 1_000) {
                            continue;
                        }
                        let text = format!("\"{lead}{}\"\n", lines(&text, width, between));
                        assert!(!scan(&ed25519(), text.as_bytes()).is_empty(), "{text}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_encoding_that_is_taken_off_is_searched() {
    let seed = seed();
    let list = |form: &dyn Fn(u8) -> String| seed.iter().map(|byte| form(*byte)).collect::<Vec<_>>();
    let utf_16 = |text: String| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("array", list(&|b| format!("0x{b:02x}")).join(", ").into_bytes()),
        ("decimal", list(&|b| b.to_string()).join(",").into_bytes()),
        ("colons", list(&|b| format!("{b:02x}")).join(":").into_bytes()),
        ("escapes", list(&|b| format!("\\x{b:02x}")).concat().into_bytes()),
        ("json", list(&|b| format!("\\u00{b:02x}")).concat().into_bytes()),
        ("utf-16 hex", utf_16(hex(&seed))),
        ("utf-16 base64", utf_16(base64(&seed))),
        ("base64 twice", base64(base64(&seed).as_bytes()).into_bytes()),
        ("base64 of hex", base64(hex(&seed).as_bytes()).into_bytes()),
        ("hex of base64", hex(base64(&seed).as_bytes()).into_bytes()),
    ] {
        assert!(!scan(&ed25519(), &bytes).is_empty(), "{name}");
    }
}

#[test]
fn a_number_that_differs_in_one_bit_or_is_cut_is_no_finding() {
    for parts in [ed25519(), rsa()] {
        let secret = match &parts {
            Parts::Rsa(rsa) => rsa.d.to_vec(),
            _ => seed().to_vec(),
        };
        for bit in (0..secret.len() * 8).step_by(7) {
            let mut wrong = secret.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            for bytes in [wrong.clone(), base64(&wrong).into_bytes(), hex(&wrong).into_bytes()] {
                assert_eq!(scan(&parts, &bytes), [], "{bit}");
            }
        }
        let cut = &secret[..secret.len() - 1];
        for bytes in [cut.to_vec(), base64(cut).into_bytes(), hex(cut).into_bytes()] {
            assert_eq!(scan(&parts, &bytes), []);
        }
    }
}

#[test]
fn a_secret_too_short_to_be_told_from_chance_is_not_looked_for() {
    for (length, looked_for) in [(MIN_SECRET - 1, false), (MIN_SECRET, true)] {
        let parts = Parts::Ecdsa { curve: Curve::P256, scalar: number(length, 3), point: None };
        let mut exact = Exact::new();
        assert_eq!(exact.add(&parts, "ecdsa-sha2-nistp256", FINGERPRINT), looked_for);
        assert_eq!(exact.is_empty(), !looked_for);
    }
}

#[test]
fn no_secret_is_printed_and_no_literal_holds_more_than_four_bytes_of_one() {
    let exact = exact(&ed25519());
    let printed = format!("{exact:?}");
    assert!(printed.contains(FINGERPRINT));
    for form in [hex(&seed()[..4]), format!("{:?}", &seed()[..4]).trim_matches(['[', ']']).to_owned()] {
        assert!(!printed.contains(&form), "{printed}");
    }
    assert!(exact.made_literals().iter().all(|literal| literal.len() <= 8));
}

#[test]
fn many_keys_are_looked_for_at_once() {
    let mut exact = Exact::new();
    for key in 0..40 {
        let seed = noise(32, 100 + key).try_into().unwrap();
        exact.add(
            &Parts::Ed25519 { seed: Zeroizing::new(seed), public: None },
            "ssh-ed25519",
            &format!("SHA256:{key}"),
        );
    }
    let scanner = Scanner::new(vec![Box::new(exact)]);
    let bytes: Vec<u8> = (0..40).flat_map(|key| [noise(32, 100 + key), vec![b'.'; 7]].concat()).collect();
    let mut found = Vec::new();
    scanner.scan(&Text { bytes: &bytes, name: b"", depth: 0 }, 0..bytes.len(), &mut found);
    let mut found: Vec<_> = found.into_iter().map(|one| (one.at, one.key.unwrap().fingerprint.unwrap())).collect();
    found.sort_unstable();
    let expected: Vec<_> = (0..40).map(|key| (key * 39, format!("SHA256:{key}"))).collect();
    assert_eq!(found, expected);
}

#[test]
fn findings_of_named_fingerprints_are_marked_and_no_others() {
    let found = |fingerprint: Option<&str>, encrypted| Found {
        rule: "openssh-private-key",
        severity: Severity::Warning,
        message: "a key".into(),
        remedy: "",
        at: 0,
        length: 0,
        wrapped: vec![],
        key: Some(Key {
            kind: "ssh-rsa".into(),
            fingerprint: fingerprint.map(str::to_owned),
            encrypted,
            known_test_key: None,
        }),
    };
    let named = Named::new([format!("{FINGERPRINT}=")]);
    for encrypted in [false, true] {
        let mut one = found(Some(FINGERPRINT), encrypted);
        assert!(named.mark(&mut one));
        assert_eq!((one.rule, one.severity), (RULE, Severity::Error));
        assert!(one.message.contains(FINGERPRINT));
        assert_eq!(one.message.contains("encrypted"), encrypted);
    }
    for other in [None, Some("SHA256:other"), Some(&FINGERPRINT[..20])] {
        let mut one = found(other, false);
        assert!(!named.mark(&mut one));
        assert_eq!(one, found(other, false));
    }
    let mut keyless = Found { key: None, ..found(None, false) };
    assert!(!named.mark(&mut keyless));
}
