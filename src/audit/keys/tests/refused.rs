//! What looks like a key and is none.

use super::made::{keyrings, keys, public};
use super::*;

#[test]
fn a_truncated_key_is_no_finding() {
    for made in keys() {
        let whole = made.bytes.trim_ascii_end();
        let end = match memchr::memmem::find(whole, b"-----END") {
            // Without its END a key is whole once its base64 is.
            Some(end) => whole[..end].trim_ascii_end().iter().rposition(|byte| *byte != b'=').unwrap(),
            None if made.rule == "pkcs12-keystore" => continue,
            None => whole.len() - 1,
        };
        let step = (end / 60).max(1);
        for cut in (0..end).step_by(step).chain([end - 1, end]) {
            assert_eq!(all(&whole[..cut]), [], "{} at {cut} of {}", made.name, whole.len());
        }
        // The end is missing in the middle: a line is gone.
        if let Ok(text) = std::str::from_utf8(whole) {
            let lines: Vec<_> = text.lines().collect();
            for gone in (1..lines.len() - 1).step_by(3).filter(|_| !text.contains("Proc-Type")) {
                let text = [&lines[..gone], &lines[gone + 1..]].concat().join("\n");
                assert_eq!(all(text.as_bytes()), [], "{} without line {gone}", made.name);
            }
        }
    }
}

#[test]
fn a_truncated_pgp_key_is_no_finding() {
    for keyring in keyrings() {
        let first = all(&keyring.binary)[0].length;
        for cut in 0..first {
            assert_eq!(all(&keyring.binary[..cut]), [], "{} at {cut}", keyring.name);
        }
    }
}

#[test]
fn the_front_of_a_key_is_missing_and_so_it_is_no_finding() {
    for made in keys().iter().filter(|made| made.is_binary() && made.rule != "pkcs8-private-key") {
        for cut in 1..made.bytes.len().min(40) {
            assert_eq!(all(&made.bytes[cut..]), [], "{} from {cut}", made.name);
        }
    }
}

#[test]
fn public_keys_and_certificates_are_no_finding() {
    assert!(public().len() > 12);
    for (name, bytes) in public() {
        assert_eq!(all(bytes), [], "{name}");
        assert_eq!(scanned(bytes), [], "{name}");
    }
    for keyring in keyrings() {
        assert_eq!(all(&keyring.public), [], "{}", keyring.name);
        assert_eq!(scanned(&keyring.public), [], "{}", keyring.name);
    }
}

#[test]
fn headers_and_placeholders_are_no_finding() {
    let labels = ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];
    let bodies = [
        "",
        "...",
        "\n...\n",
        "\\n...\\n",
        "\n<your key here>\n",
        "\nMIIEpAIBAAKCAQEA...\n",
        "\nMIIEpAIBAAKCAQEA\n",
        "\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n...\n",
        "\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n",
        "\nProc-Type: 4,ENCRYPTED\n\nyour encrypted key\n",
        "\n${KEY}\n",
        "\n********************************\n",
    ];
    for label in labels {
        for body in bodies {
            for text in [
                format!("-----BEGIN {label}-----{body}-----END {label}-----\n"),
                format!("-----BEGIN {label}-----{body}"),
                format!("if (text.startsWith(\"-----BEGIN {label}-----\")) {{ \"{body}\" }}\0-----END {label}-----\0"),
            ] {
                assert_eq!(all(text.as_bytes()), [], "{text}");
            }
        }
    }
    for text in [
        "AGE-SECRET-KEY-1",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: a\nPublic-Lines: 6\n",
        r#"{"kty":"RSA","n":"...","e":"AQAB","d":"..."}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","d":"AAAA"}"#,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"AQAB","q":"AQAB"}"#,
        "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\nModulus: AQAB\nPublicExponent: AQAB\n",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n...\n-----END PGP PRIVATE KEY BLOCK-----",
    ] {
        assert_eq!(all(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn the_front_of_an_ed25519_key_in_a_program_is_no_finding() {
    // RFC 8410 §7: what libraries put in front of a seed, as it lies among their constants.
    let front = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let behind: [&[u8]; 4] = [
        &[0; 64],
        b"invalid length of a private key: expected 32 bytes",
        b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\0\0\0\0\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\0\0\0\0",
        &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0],
    ];
    for behind in behind {
        assert_eq!(all(&[front, behind].concat()), []);
    }
}

#[test]
fn numbers_that_do_not_belong_together_are_no_finding() {
    let der = |name: &str| keys().iter().find(|made| made.name == name).unwrap().bytes.clone();
    // The last byte of the first prime of an RSA key, and of the point of a P-256 key.
    let mut rsa = der("rsa.der");
    rsa[600] ^= 2;
    let mut changed = Vec::new();
    for at in 11..267 {
        let mut other = der("rsa.der");
        other[at] ^= 2;
        changed.push(other);
    }
    let mut ec = der("ecdsa256.der");
    *ec.last_mut().unwrap() ^= 1;
    for bytes in changed.iter().chain([&rsa, &ec]) {
        assert_eq!(all(bytes), []);
    }
}
