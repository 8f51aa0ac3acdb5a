//! Each kind is found, whole, with the fingerprint that its own tool prints.

use super::made::{keyrings, keys};
use super::*;
use crate::audit::finding::Severity;
use base64ct::{Base64UrlUnpadded, Encoding as _};

#[test]
fn every_kind_is_found_with_the_fingerprint_that_ssh_keygen_prints() {
    assert!(keys().len() > 30);
    for made in keys() {
        for found in [all(&made.bytes), scanned(&made.bytes)] {
            let [found] = found.as_slice() else { panic!("{}: {found:?}", made.name) };
            let key = found.key.as_ref().unwrap();
            assert_eq!(found.rule, made.rule, "{}", made.name);
            assert_eq!(key.kind, made.kind, "{}", made.name);
            assert_eq!(key.encrypted, made.encrypted, "{}", made.name);
            assert_eq!(key.fingerprint, made.fingerprint, "{}", made.name);
            let severity = if made.encrypted { Severity::Warning } else { Severity::Error };
            assert_eq!(found.severity, severity, "{}", made.name);
            assert_eq!(key.known_test_key, None);
        }
    }
}

#[test]
fn a_key_is_found_in_the_midst_of_other_bytes_at_its_place() {
    for made in keys() {
        for (before, after) in
            [(&b"\x7fELF\0\0\0"[..], &b"\0\0\0\0"[..]), (b"x = \n", b"\n\nmore"), (b"\x30\x82", b"\x30")]
        {
            let bytes = [before, &made.bytes, after].concat();
            let found = all(&bytes);
            let [found] = found.as_slice() else { panic!("{}: {found:?}", made.name) };
            assert_eq!(found.key.as_ref().unwrap().fingerprint, made.fingerprint, "{}", made.name);
            if found.rule == "pkcs12-keystore" {
                continue;
            }
            assert_eq!(found.at, before.len(), "{}", made.name);
            let length = made.bytes.trim_ascii_end().len();
            let length = if made.is_binary() { made.bytes.len() } else { length };
            assert_eq!(found.length, length, "{}", made.name);
        }
    }
}

#[test]
fn the_bare_container_of_an_openssh_key_is_found() {
    for made in keys().iter().filter(|made| made.rule == "openssh-private-key") {
        let text = String::from_utf8(made.bytes.clone()).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let binary = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
        assert_eq!(one(&binary), made.fingerprint, "{}", made.name);
        let found = all(&[b"\0\0", binary.as_slice(), b"\0\0"].concat());
        assert_eq!((found[0].at, found[0].length), (2, binary.len()));
    }
}

#[test]
fn pgp_keys_and_subkeys_have_the_fingerprints_that_gpg_prints() {
    for keyring in keyrings() {
        let fingerprints = |found: Vec<Found>| -> Vec<_> {
            assert!(found.iter().all(|found| found.rule == "pgp-secret-key"));
            let keys: Vec<_> = found.into_iter().map(|found| found.key.unwrap()).collect();
            assert!(keys.iter().all(|key| key.encrypted == keyring.encrypted), "{}", keyring.name);
            keys.into_iter().map(|key| key.fingerprint.unwrap()).collect()
        };
        assert_eq!(fingerprints(all(&keyring.binary)), keyring.fingerprints, "{}", keyring.name);
        assert_eq!(fingerprints(all(&keyring.armoured)), keyring.fingerprints, "{}", keyring.name);
        // Inside of another file nothing but the numbers themselves tell of a key.
        if keyring.name != 'd' {
            let inside = [b"\0\x01\x02", keyring.binary.as_slice(), b"\0"].concat();
            assert_eq!(fingerprints(scanned(&inside)), keyring.fingerprints, "{}", keyring.name);
        }
    }
}

#[test]
fn the_key_store_of_gnupg_is_read() {
    let stored = made::stored();
    assert!(stored.len() >= 7);
    for (bytes, encrypted, keygrip) in stored {
        let found = all(bytes);
        assert_eq!(found.len(), 1, "{keygrip}");
        let key = found[0].key.as_ref().unwrap();
        assert_eq!((found[0].rule, key.encrypted), ("pgp-secret-key", *encrypted));
        assert_eq!(key.fingerprint.is_some(), key.kind.contains("ssh") || key.kind.contains("nist"), "{}", key.kind);
        for cut in 0..bytes.trim_ascii_end().len() {
            assert_eq!(all(&bytes[..cut]), [], "{keygrip} at {cut}");
        }
    }
    let kinds: Vec<_> = stored.iter().filter_map(|(bytes, ..)| all(bytes).pop()?.key).map(|key| key.kind).collect();
    for kind in ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "cv25519", "ssh-dss"] {
        assert!(kinds.iter().any(|own| own == kind), "{kind}");
    }
}

#[test]
fn an_rsa_key_of_lsh_has_the_fingerprint_of_the_same_key_in_the_store_of_gnupg() {
    let is_rsa = |bytes: &[u8]| memchr::memmem::find(bytes, b"(private-key (rsa ").is_some();
    let (bytes, ..) = made::stored().iter().find(|(bytes, ..)| is_rsa(bytes)).expect("an RSA key");
    let text = std::str::from_utf8(bytes).unwrap();
    let lsh = text.replace("(rsa ", "(rsa-pkcs1 ");
    let fingerprint = |text: &str| all(text.as_bytes()).pop().and_then(|found| found.key).unwrap().fingerprint;
    assert_eq!(fingerprint(&lsh), fingerprint(text));
    assert_eq!(all(text.replace("(rsa ", "(rsa-oaep ").as_bytes()), [], "no name of a key");
}

#[test]
fn an_age_identity_is_found_with_its_recipient() {
    // Identities of age's specification and its test vectors (C2SP), the recipients as
    // `age-keygen -y` prints them.
    for (identity, recipient) in AGE {
        let bytes = format!("# created\n{identity}\n");
        let found = all(bytes.as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rule, found[0].at, found[0].length), ("age-secret-key", 10, 74));
        assert_eq!(found[0].key.as_ref().unwrap().fingerprint.as_deref(), Some(recipient));
        for place in 0..identity.len() {
            let mut wrong = identity.as_bytes().to_vec();
            wrong[place] = if wrong[place] == b'Q' { b'P' } else { b'Q' };
            assert_eq!(all(&wrong), [], "its checksum does not fit");
            assert_eq!(all(&identity.as_bytes()[..place]), [], "truncated");
        }
    }
}

const AGE: [(&str, &str); 2] = [
    (
        "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0",
        "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef",
    ),
    (
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    ),
];

/// The members of a JWK out of the numbers of a key in DER.
fn jwk(name: &str) -> String {
    let der = &keys().iter().find(|made| made.name == name).unwrap().bytes;
    let url = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let mut inside = der::Der::new(der).sequence().unwrap();
    if name.starts_with("rsa") {
        let numbers: Vec<_> = std::iter::from_fn(|| inside.integer()).map(url).collect();
        let [_, n, e, d, p, q, dp, dq, qi] = numbers.as_slice() else { panic!() };
        return format!(
            r#"{{"kid":"a {{b","kty":"RSA","n":"{n}","e":"{e}","d":"{d}","p":"{p}","q":"{q}","dp":"{dp}","dq":"{dq}","qi":"{qi}"}}"#
        );
    }
    inside.integer().unwrap();
    let d = url(inside.expect(der::OCTET_STRING).unwrap());
    let point = &der[der.len() - 64..];
    let (x, y) = (url(&point[..32]), url(&point[32..]));
    format!(r#"{{ "crv" : "P-256", "kty" : "EC", "x" : "{x}", "y" : "{y}", "d" : "{d}", "key_ops" : ["sign"] }}"#)
}

#[test]
fn a_jwk_is_found_in_json_in_a_string_of_json_and_in_source_code() {
    for name in ["rsa.der", "ecdsa256.der"] {
        let expected = keys().iter().find(|made| made.name == name).unwrap().fingerprint.clone();
        let object = jwk(name);
        let pretty = object.replace(',', ",\n    ");
        let quoted = serde_json::to_string(&object).unwrap();
        let script = object.replace('"', "'");
        for text in [object.clone(), pretty, quoted, script, format!("{{\"keys\":[{object}]}}")] {
            let found = all(text.as_bytes());
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].rule, "jwk-private-key");
            assert_eq!(found[0].key.as_ref().unwrap().fingerprint, expected);
        }
        let start = object.find("\"d\"").unwrap_or_else(|| object.find("\"d\" ").unwrap());
        let public = format!("{}\"x5t\":\"a\"}}", &object[..start]);
        assert_eq!(all(public.as_bytes()), [], "a public key");
        for cut in (0..object.len()).step_by(7) {
            assert_eq!(all(&object.as_bytes()[..cut]), []);
        }
    }
}

#[test]
fn a_wireguard_key_is_found_with_its_public_half() {
    // RFC 7748 §6.1: Alice's key, clamped as `wg genkey` does it, which changes no public key.
    let secret = "cAdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LGo=";
    let public = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
    let config = format!("[Interface]\nPrivateKey = {secret}\nAddress = 10.0.0.1/24\n");
    let found = all(config.as_bytes());
    assert_eq!((found[0].rule, found[0].at), ("wireguard-private-key", 12));
    assert_eq!(found[0].key.as_ref().unwrap().fingerprint.as_deref(), Some(public));
    for other in [format!("WIREGUARD_PRIVATE_KEY=\"{secret}\""), format!("[wireguard]\nprivate-key={secret}\n")] {
        assert_eq!(one(other.as_bytes()).as_deref(), Some(public), "{other}");
    }
    for wrong in [
        config.replace("PrivateKey", "PublicKey"),
        config.replace(secret, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        config.replace(secret, "base64_encoded_private_key_goes_right_here__="),
        config.replace(secret, &secret[..43]),
        config.replace(secret, &format!("A{secret}")),
        config.replace("= c", "c"),
    ] {
        assert_eq!(all(wrong.as_bytes()), [], "{wrong}");
    }
}

#[test]
fn a_dnssec_key_of_bind_is_found() {
    let base64 = |bytes: &[u8]| <base64ct::Base64 as base64ct::Encoding>::encode_string(bytes);
    let made = keys().iter().find(|made| made.name == "rsa.der").unwrap();
    let mut inside = der::Der::new(&made.bytes).sequence().unwrap();
    let numbers: Vec<_> = std::iter::from_fn(|| inside.integer()).map(base64).collect();
    let names =
        ["Modulus", "PublicExponent", "PrivateExponent", "Prime1", "Prime2", "Exponent1", "Exponent2", "Coefficient"];
    let mut file = "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\n".to_owned();
    for (name, number) in names.iter().zip(&numbers[1..]) {
        file += &format!("{name}: {number}\n");
    }
    file += "Created: 20260101000000\n";
    assert_eq!(one(file.as_bytes()), made.fingerprint);
    assert_eq!(all(file.as_bytes())[0].length, file.len());
    let from = file.find("Prime2").unwrap();
    for cut in 0..from {
        assert_eq!(all(&file.as_bytes()[..cut]), []);
    }
    // RFC 8080 §6.1.
    let file = "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n\
                PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n";
    let found = all(file.as_bytes());
    assert_eq!(found[0].rule, "dnssec-private-key");
    assert!(found[0].key.as_ref().unwrap().fingerprint.is_some());
}

#[test]
fn a_java_key_store_is_found_with_the_key_of_its_certificate() {
    let made = keys().iter().find(|made| made.name == "rsa-8.der").unwrap();
    let (_, certificate) = &made::public().iter().find(|(name, _)| name == "rsa.certificate.x509").unwrap();
    let value = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        match content.len() {
            0..0x80 => [&[tag, length[1]], content].concat(),
            0x80..0x100 => [&[tag, 0x81, length[1]], content].concat(),
            _ => [&[tag, 0x82, length[0], length[1]], content].concat(),
        }
    };
    let long = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    // What stands for the encrypted key: bytes as random as those of a digest.
    let secret = &made.bytes[made.bytes.len() - 600..];
    let algorithm = value(0x30, b"\x06\x0a\x2b\x06\x01\x04\x01\x2a\x02\x11\x01\x01\x05\x00");
    let encrypted = value(0x30, &[algorithm, value(4, secret)].concat());
    let entry =
        [&b"\0\0\0\x01\0\x01a\0\0\0\0\0\0\0\0"[..], &long(&encrypted), b"\0\0\0\x01\0\x05X.509", &long(certificate)];
    let store = [&b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01"[..], &entry.concat(), &[7; 20]].concat();
    let found = all(&store);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule, "java-keystore");
    let key = found[0].key.as_ref().unwrap();
    assert_eq!((key.kind.as_str(), &key.fingerprint, key.encrypted), ("ssh-rsa", &made.fingerprint, true));
    for cut in 0..store.len() - 20 - certificate.len() - 11 - 4 {
        assert_eq!(all(&store[..cut]), []);
    }
}

/// A `.ppk` of version 3 or 2 as PuTTY writes it, but for its MAC, which nothing here depends on.
fn ppk(version: u8, encrypted: bool) -> String {
    let made = keys().iter().find(|made| made.name == "ed25519.openssh").unwrap();
    let text = String::from_utf8(made.bytes.clone()).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let binary = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
    let at = memchr::memmem::rfind(&binary, b"ssh-ed25519").unwrap() + 11;
    let (public, seed) = (&binary[at + 4..at + 36], &binary[at + 40..at + 72]);
    let base64 = |parts: &[&[u8]]| <base64ct::Base64 as base64ct::Encoding>::encode_string(&parts.concat());
    let public = base64(&[b"\0\0\0\x0bssh-ed25519\0\0\0\x20", public]);
    let private = if encrypted { base64(&[seed, &seed[..16]]) } else { base64(&[b"\0\0\0\x20", seed]) };
    let (cipher, mac) = (if encrypted { "aes256-cbc" } else { "none" }, if version == 3 { 64 } else { 40 });
    let derivation = if encrypted && version == 3 { "Key-Derivation: Argon2id\r\nArgon2-Memory: 8192\r\n" } else { "" };
    format!(
        "PuTTY-User-Key-File-{version}: ssh-ed25519\r\nEncryption: {cipher}\r\nComment: it's a \"comment\"\r\n\
         Public-Lines: 2\r\n{}\r\n{}\r\n{derivation}Private-Lines: 1\r\n{private}\r\nPrivate-MAC: {}\r\n",
        &public[..64],
        &public[64..],
        "0".repeat(mac)
    )
}

#[test]
fn putty_keys_are_found_whole_and_in_strings() {
    let expected = &keys().iter().find(|made| made.name == "ed25519.openssh").unwrap().fingerprint;
    for (version, encrypted) in [(2, false), (2, true), (3, false), (3, true)] {
        let file = ppk(version, encrypted);
        for text in [
            file.clone(),
            file.replace("\r\n", "\n"),
            format!("{{\"key\": {}}}", serde_json::to_string(&file).unwrap()),
            format!("key: |\n  {}", file.replace("\r\n", "\n  ")),
            format!("k = \"{}\"", file.replace(['"', '\''], "").replace("\r\n", "\\r\\n\" +\n    \"")),
        ] {
            let found = all(text.as_bytes());
            assert_eq!(found.len(), 1, "{version} {encrypted}");
            let key = found[0].key.as_ref().unwrap();
            assert_eq!((found[0].rule, key.encrypted), ("putty-private-key", encrypted));
            assert_eq!(&key.fingerprint, expected);
        }
        for cut in 0..file.len() - 2 {
            assert_eq!(all(&file.as_bytes()[..cut]), []);
        }
    }
    let other = ppk(3, false).replace("Private-Lines: 1\r\nAAAAI", "Private-Lines: 1\r\nAAAAJ");
    assert_eq!(all(other.as_bytes()), []);
}

#[test]
fn the_handle_of_a_security_key_is_a_warning() {
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let kind = string(b"sk-ssh-ed25519@openssh.com");
    let public = [string(&[7; 32]), string(b"ssh:")].concat();
    let private = [&[1, 2, 3, 4, 1, 2, 3, 4], &*kind, &public, &[1], &string(&[9; 64]), &string(b""), &string(b"c")];
    let mut private = private.concat();
    let padding = private.len().next_multiple_of(8) - private.len();
    private.extend((1..=8).take(padding));
    let blob = [&*kind, &public].concat();
    let container = [openssh::MAGIC, &string(b"none"), &string(b"none"), &string(b""), &[0, 0, 0, 1], &string(&blob)];
    let container = [&container.concat(), &*string(&private)].concat();
    let found = all(&container);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(one(&container), Some(crate::signer::fingerprint(&blob)));
}

#[test]
fn a_known_test_key_is_a_note_that_names_its_package() {
    // The public half of GnuTLS's self-test key for RSA (lib/crypto-selftests-pk.c), as the
    // library that ships it gave it.
    let fingerprint = "SHA256:EYb3seR7zeXfX5vRAHvcZ4f/25rWfBmDoC5t2UVlUYs";
    let public = seen::Public { kind: "ssh-rsa".to_owned(), fingerprint: Some(fingerprint.to_owned()) };
    let mut found = Vec::new();
    push(public.seen("pkcs1-private-key", "PKCS#1", false, 10), 0, &mut found);
    assert_eq!(found[0].severity, Severity::Note);
    let package = found[0].key.as_ref().unwrap().known_test_key.as_deref().unwrap();
    assert!(package.starts_with("libgnutls30 "), "{package}");
    assert_eq!(found[0].message, format!("known test key of {package}: ssh-rsa private key in PKCS#1"));
}
