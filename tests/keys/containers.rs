//! Every kind of key in every format that the real tools write.

use super::made::{self, COMMENT, KINDS, Kind};
use super::world::{World, blobs, pasted, said};

#[test]
fn openssh_keys_keep_their_comment() {
    for kind in KINDS {
        let made = made::key(kind);
        let loaded = pasted(&made.text).expect("a key");
        assert_eq!(blobs(&loaded), [&made.blob[..]], "{kind:?}");
        assert_eq!(loaded.identities[0].comment, COMMENT);
    }
}

#[test]
fn pkcs1_sec1_and_pkcs8_give_the_same_key_and_the_sources_name() {
    for kind in [Kind::P256, Kind::P384, Kind::P521, Kind::Rsa] {
        for (format, label) in [("PEM", "-----BEGIN "), ("PKCS8", "-----BEGIN PRIVATE KEY-----")] {
            let text = made::as_format(kind, format);
            assert!(text.starts_with(label) && !text.contains("OPENSSH"), "{kind:?} {format}");
            let loaded = pasted(text).expect("a key");
            assert_eq!(blobs(&loaded), [&made::key(kind).blob[..]], "{kind:?} {format}");
            assert_eq!(loaded.identities[0].comment, "env:KEY");
        }
    }
}

#[test]
fn an_elliptic_key_without_its_point_or_with_a_short_one_is_completed() {
    for kind in [Kind::P256, Kind::P384, Kind::P521] {
        let sec1 = made::as_format(kind, "PEM");
        for arguments in [&["ec", "-no_public"][..], &["ec", "-conv_form", "compressed"]] {
            let text = made::openssl(&sec1, arguments);
            let loaded = pasted(&text).expect("a key");
            assert_eq!(blobs(&loaded), [&made::key(kind).blob[..]], "{kind:?} {arguments:?}");
        }
    }
}

#[test]
fn the_parameters_that_openssl_writes_in_front_are_no_obstacle() {
    let text = made::run("openssl", &["ecparam", "-name", "prime256v1", "-genkey"]);
    assert!(text.starts_with(b"-----BEGIN EC PARAMETERS"));
    assert_eq!(pasted(text).expect("a key").identities.len(), 1);
}

/// An Ed25519 key as openssl makes it, and its public half.
fn ed25519() -> (String, [u8; 32]) {
    let text = String::from_utf8(made::run("openssl", &["genpkey", "-algorithm", "ed25519"])).expect("PEM");
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &text);
    let der = made::run("openssl", &["pkey", "-in", made::path_str(&path), "-pubout", "-outform", "DER"]);
    (text, der[der.len() - 32..].try_into().expect("32 bytes"))
}

fn blob_of(public: &[u8; 32]) -> Vec<u8> {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend_from_slice(public);
    blob
}

/// The same key as RFC 5958 has it in version 2: with its public half.
fn with_public(text: &str, public: &[u8; 32]) -> String {
    use base64ct::{Base64, Encoding as _};
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let version_1 = Base64::decode_vec(&body).expect("base64");
    // SEQUENCE, length, then INTEGER 0: version 1 has 46 bytes inside.
    assert_eq!(version_1[..5], [0x30, 46, 2, 1, 0]);
    let mut version_2 = vec![0x30, 46 + 35, 2, 1, 1];
    version_2.extend_from_slice(&version_1[5..]);
    version_2.extend_from_slice(&[0x81, 33, 0]);
    version_2.extend_from_slice(public);
    let body = Base64::encode_string(&version_2);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[test]
fn ed25519_in_pkcs8_is_read_with_and_without_its_public_half() {
    let (text, public) = ed25519();
    let loaded = pasted(&text).expect("version 1");
    assert_eq!(blobs(&loaded), [&blob_of(&public)[..]]);
    let loaded = pasted(with_public(&text, &public)).expect("version 2");
    assert_eq!(blobs(&loaded), [&blob_of(&public)[..]]);
}

#[test]
fn a_public_half_of_another_key_is_noticed() {
    let ((text, _), (_, other)) = (ed25519(), ed25519());
    let error = pasted(with_public(&text, &other)).expect_err("two keys in one");
    assert!(said(&error).contains("parts do not belong together"), "{}", said(&error));
}

#[test]
fn every_source_gives_the_same_key() {
    let made = made::key(Kind::Ed25519);
    let folder = made::folder();
    made::write(folder.path(), "id", &made.text);
    let mut world = World { home: Some(folder.path().to_owned()), ..World::default() };
    world.variables.insert("KEY", made.text.clone().into());
    world.stdin = made.text.clone().into_bytes();
    world.keychain.0.insert("work key".to_owned(), made.text.clone().into_bytes());
    for source in ["env:KEY", "file:~/id", "stdin", "keychain:work key"] {
        let loaded = world.load(source).expect(source);
        assert_eq!(blobs(&loaded), [&made.blob[..]], "{source}");
    }
}
