//! What people really paste, for every kind of key and every container.

use base64ct::{Base64, Encoding as _};

use super::made::{self, KINDS, Kind};
use super::world::{World, blobs, pasted, said};

/// A way to spoil a key file that a person would still call "the key".
type Form = (&'static str, fn(&str) -> Vec<u8>);

const FORMS: [Form; 27] = [
    ("as it is", |key| key.into()),
    ("CRLF", |key| key.replace('\n', "\r\n").into()),
    ("CR", |key| key.replace('\n', "\r").into()),
    ("no final newline", |key| key.trim_end().into()),
    ("literal \\n", |key| key.replace('\n', "\\n").into()),
    ("literal \\r\\n", |key| key.replace('\n', "\\r\\n").into()),
    ("literal \\n twice escaped", |key| key.replace('\n', "\\\\n").into()),
    ("double quotes", |key| format!("\"{key}\"").into()),
    ("single quotes", |key| format!("'{}'", key.trim_end()).into()),
    ("quotes and literal \\n", |key| format!("\"{}\"", key.replace('\n', "\\n")).into()),
    ("JSON", |key| format!("{{\"key\": \"{}\"}}", key.replace('\n', "\\n")).into()),
    ("newlines became spaces", |key| key.replace('\n', " ").into()),
    ("no newlines at all", |key| key.replace('\n', "").into()),
    ("no blanks at all", |key| key.replace(['\n', ' '], "").into()),
    ("indented as in YAML", |key| {
        format!("key: |\n{}", key.lines().map(|line| format!("    {line}\n")).collect::<String>()).into()
    }),
    ("tabs", |key| key.lines().map(|line| format!("\t{line}\t\n")).collect::<String>().into()),
    ("blank lines around and inside", |key| format!("\n\n {}\n\n", key.replace('\n', "\n\n")).into()),
    ("text before and after", |key| format!("# my key\nKEY=\n{key}\nend of it\n").into()),
    ("a BOM", |key| format!("\u{feff}{key}").into()),
    ("UTF-16, little end first", |key| utf16(key, u16::to_le_bytes)),
    ("UTF-16, big end first", |key| utf16(key, u16::to_be_bytes)),
    ("base64 of the file", |key| Base64::encode_string(key.as_bytes()).into()),
    ("base64 of the file, wrapped", |key| wrapped(&Base64::encode_string(key.as_bytes()), "\n")),
    ("base64 of the file, wrapped for Windows", |key| wrapped(&Base64::encode_string(key.as_bytes()), "\r\n")),
    ("base64 of the file, without padding", |key| Base64::encode_string(key.as_bytes()).trim_end_matches('=').into()),
    ("base64 of the file, in quotes", |key| format!("\"{}\"\n", Base64::encode_string(key.as_bytes())).into()),
    ("base64 of base64", |key| Base64::encode_string(&wrapped(&Base64::encode_string(key.as_bytes()), "\n")).into()),
];

fn wrapped(base64: &str, end: &str) -> Vec<u8> {
    base64.as_bytes().chunks(76).flat_map(|line| [line, end.as_bytes()].concat()).collect()
}

fn utf16(key: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{key}").encode_utf16().flat_map(bytes).collect()
}

#[test]
fn every_pasted_form_of_every_key_in_every_container_is_read() {
    for kind in KINDS {
        let mut containers = vec![("OpenSSH", made::key(kind).text.clone())];
        if kind != Kind::Ed25519 {
            containers.push(("PEM", made::as_format(kind, "PEM")));
            containers.push(("PKCS#8", made::as_format(kind, "PKCS8")));
        }
        for (container, text) in containers {
            for (form, spoil) in FORMS {
                match pasted(spoil(&text)) {
                    Ok(loaded) => {
                        assert_eq!(blobs(&loaded), [&made::key(kind).blob[..]], "{kind:?} {container} {form}")
                    }
                    Err(error) => panic!("{kind:?} {container} {form}: {error}"),
                }
            }
        }
    }
}

#[test]
fn encrypted_traditional_keys_survive_pasting_as_well() {
    let text = made::openssl(
        &made::as_format(Kind::Rsa, "PEM"),
        &["rsa", "-traditional", "-aes256", "-passout", "pass:secret words"],
    );
    assert!(text.contains("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,"));
    for (form, spoil) in FORMS {
        // Without any blank, the vector and the key cannot be told apart.
        if form.starts_with("no newlines at all") || form.starts_with("no blanks at all") {
            continue;
        }
        use std::os::unix::ffi::OsStringExt as _;
        let mut world = World::default();
        world.variables.insert("KEY", std::ffi::OsString::from_vec(spoil(&text)));
        world.person.answers = vec!["secret words"];
        match world.load("env:KEY") {
            Ok(loaded) => assert_eq!(blobs(&loaded), [&made::key(Kind::Rsa).blob[..]], "{form}"),
            Err(error) => panic!("{form}: {error}"),
        }
    }
}

#[test]
fn several_keys_one_after_the_other_are_all_loaded_in_order() {
    let all: String = KINDS.map(|kind| made::key(kind).text.clone()).concat();
    let blobs_of_all = KINDS.map(|kind| &made::key(kind).blob[..]);
    for (form, spoil) in FORMS {
        match pasted(spoil(&all)) {
            Ok(loaded) => assert_eq!(blobs(&loaded), blobs_of_all, "{form}"),
            Err(error) => panic!("{form}: {error}"),
        }
    }
}

#[test]
fn public_keys_between_private_ones_are_passed_over() {
    let (first, second) = (made::key(Kind::Ed25519), made::key(Kind::P256));
    let text = format!("{}{}{}{}", first.line, first.text, second.line, second.text);
    assert_eq!(blobs(&pasted(text).expect("two keys")), [&first.blob[..], &second.blob]);
}

#[test]
fn sixteen_keys_are_taken_and_seventeen_are_not() {
    let key = &made::key(Kind::Ed25519).text;
    let limit = valetkey::keys::parse::MAX_KEYS;
    assert_eq!(pasted(key.repeat(limit)).expect("keys").identities.len(), limit);
    let error = pasted(key.repeat(limit + 1)).expect_err("one key more");
    assert!(said(&error).contains("more than 16 keys"), "{}", said(&error));
}

#[test]
fn a_source_is_read_up_to_its_limit() {
    let key = &made::key(Kind::Ed25519).text;
    let limit = valetkey::keys::SOURCE_LIMIT;
    let exact = format!("{key}{}", "#".repeat(limit - key.len()));
    assert_eq!(pasted(&exact).expect("a key").identities.len(), 1);
    let error = pasted(exact + "#").expect_err("one byte more");
    assert!(said(&error).contains("longer than 256 KiB"), "{}", said(&error));
}
