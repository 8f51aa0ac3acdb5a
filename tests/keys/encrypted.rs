//! Encrypted keys of every format, and where their passphrase comes from.

use super::made::{self, Kind};
use super::world::{World, blobs, said};
use valetkey::keys::parse::{Secrets, parse};
use valetkey::keys::{KeyError, Rejected};

const PASSPHRASE: &str = "pass w\u{f6}rd";

/// An OpenSSH key encrypted by the real ssh-keygen.
fn openssh(kind: Kind, cipher: &str, rounds: &str) -> String {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(kind).text);
    let path_text = made::path_str(&path);
    made::run("ssh-keygen", &["-q", "-p", "-Z", cipher, "-a", rounds, "-P", "", "-N", PASSPHRASE, "-f", path_text]);
    std::fs::read_to_string(path).expect("an encrypted key")
}

fn world(text: &str, answers: &[&'static str]) -> World {
    let mut world = World::default();
    world.variables.insert("KEY", text.into());
    world.person.answers = answers.to_vec();
    world
}

fn error(text: &str, answers: &[&'static str]) -> KeyError {
    world(text, answers).load("env:KEY").expect_err("no key")
}

#[test]
fn every_cipher_that_ssh_keygen_offers_is_opened() {
    for cipher in [
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ] {
        let text = openssh(Kind::Ed25519, cipher, "1");
        let loaded = world(&text, &[PASSPHRASE]).load("env:KEY").expect(cipher);
        assert_eq!(blobs(&loaded), [&made::key(Kind::Ed25519).blob[..]], "{cipher}");
        assert_eq!(loaded.identities[0].comment, made::COMMENT);
        let error = error(&text, &["wrong", "words", "thrice"]);
        assert!(said(&error).contains("the passphrase is wrong"), "{cipher}: {error}");
    }
}

#[test]
fn every_kind_of_key_is_opened() {
    for kind in made::KINDS {
        let text = openssh(kind, "aes256-ctr", "1");
        let loaded = world(&text, &[PASSPHRASE]).load("env:KEY").expect("a key");
        assert_eq!(blobs(&loaded), [&made::key(kind).blob[..]], "{kind:?}");
    }
}

#[test]
fn a_cipher_of_another_age_is_named_as_unsupported() {
    let text = openssh(Kind::Ed25519, "3des-cbc", "1");
    assert!(said(&error(&text, &[PASSPHRASE])).contains("not supported"));
    let pkcs8 = made::as_format(Kind::Rsa, "PKCS8");
    let pass = format!("pass:{PASSPHRASE}");
    let old = ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", &pass];
    assert!(said(&error(&made::openssl(&pkcs8, &old), &[PASSPHRASE])).contains("not supported"));
    let camellia = ["rsa", "-traditional", "-camellia128", "-passout", &pass];
    let text = made::openssl(&pkcs8, &camellia);
    assert!(said(&error(&text, &[PASSPHRASE])).contains("not supported"));
}

/// PKCS#8 and traditional encryption by the real openssl: every text that it makes of the keys.
fn openssls() -> Vec<(String, Kind)> {
    let pass = format!("pass:{PASSPHRASE}");
    let mut texts = Vec::new();
    for kind in [Kind::Rsa, Kind::P256, Kind::P384, Kind::P521] {
        let plain = made::as_format(kind, "PKCS8");
        for options in [
            &["-v2", "aes-128-cbc"][..],
            &["-v2", "aes-192-cbc"],
            &["-v2", "aes-256-cbc"],
            &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"],
            &["-scrypt"],
        ] {
            let arguments = [&["pkcs8", "-topk8", "-passout", &pass], options].concat();
            texts.push((made::openssl(&plain, &arguments), kind));
        }
        let tool: &[&str] = if kind == Kind::Rsa { &["rsa", "-traditional"] } else { &["ec"] };
        for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
            let arguments = [tool, &[cipher, "-passout", &pass]].concat();
            texts.push((made::openssl(&plain, &arguments), kind));
        }
    }
    texts
}

#[test]
fn pbes2_and_traditional_encryption_of_openssl_are_opened() {
    for (text, kind) in openssls() {
        let head: String = text.lines().take(3).collect();
        let loaded = world(&text, &[PASSPHRASE]).load("env:KEY").expect(&head);
        assert_eq!(blobs(&loaded), [&made::key(kind).blob[..]], "{head}");
        // Padding alone accepts one wrong passphrase in 256, so many are tried.
        let found = parse(text.as_bytes()).expect("a locked key").remove(0);
        let Secrets::Locked(locked) = found.secret else { panic!("{head}: not locked") };
        for wrong in 0..if text.contains("Proc-Type") { 300 } else { 3 } {
            let error = locked.unlock(format!("wrong {wrong}").as_bytes());
            assert_eq!(error.expect_err("wrong"), Rejected::WrongPassphrase, "{head}");
        }
    }
}

#[test]
fn an_encrypted_ed25519_key_in_pkcs8_is_opened() {
    let text =
        made::run("openssl", &["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", &format!("pass:{PASSPHRASE}")]);
    let text = String::from_utf8(text).expect("PEM");
    let loaded = world(&text, &[PASSPHRASE]).load("env:KEY").expect("a key");
    assert!(loaded.identities[0].blob.starts_with(b"\0\0\0\x0bssh-ed25519"));
}

#[test]
fn a_person_has_three_tries_and_is_told_of_each() {
    let text = openssh(Kind::Ed25519, "aes256-ctr", "1");
    let mut third = world(&text, &["one", "two", PASSPHRASE]);
    third.load("env:KEY").expect("the third is right");
    assert_eq!(
        third.person.prompts,
        [
            "Enter passphrase for env:KEY: ",
            "Bad passphrase, try again for env:KEY: ",
            "Bad passphrase, try again for env:KEY: "
        ]
    );
    let mut fourth = world(&text, &["one", "two", "three", PASSPHRASE]);
    fourth.load("env:KEY").expect_err("there is no fourth");
    assert_eq!(fourth.person.answers, [PASSPHRASE]);
}

#[test]
fn an_empty_answer_ends_the_asking() {
    let text = openssh(Kind::Ed25519, "aes256-ctr", "1");
    let error = error(&text, &["", PASSPHRASE]);
    assert!(said(&error).contains("no passphrase was given"), "{error}");
}

#[test]
fn with_nobody_to_ask_the_ways_to_give_a_passphrase_are_named() {
    let said = said(&error(&openssh(Kind::Ed25519, "aes256-ctr", "1"), &[]));
    for way in ["it is encrypted", "no terminal", "--passphrase-from", "SSH_ASKPASS", "ssh-add"] {
        assert!(said.contains(way), "{way} in {said}");
    }
}

#[test]
fn a_passphrase_opens_every_key_it_fits_without_being_asked_for_again() {
    let text = openssh(Kind::Ed25519, "aes256-ctr", "1") + &openssh(Kind::P256, "aes128-cbc", "1");
    let mut world = world(&text, &[PASSPHRASE]);
    assert_eq!(world.load("env:KEY").expect("two keys").identities.len(), 2);
    assert_eq!(world.person.prompts.len(), 1);
}

#[test]
fn passphrase_from_wins_and_is_tried_once() {
    let text = openssh(Kind::Ed25519, "aes256-ctr", "1");
    let mut world = world(&text, &[PASSPHRASE]);
    world.passphrase_from = Some("env:PASS");
    for end in ["", "\n", "\r\n"] {
        world.variables.insert("PASS", format!("{PASSPHRASE}{end}").into());
        world.load("env:KEY").expect("opened");
    }
    assert!(world.person.prompts.is_empty());
    world.variables.insert("PASS", "another".into());
    let error = world.load("env:KEY").expect_err("the wrong one");
    assert!(said(&error).contains("the passphrase from env:PASS is wrong"), "{error}");
    assert!(!said(&error).contains("another"));
    assert!(world.person.prompts.is_empty(), "a source that was named is not made up for");
}

#[test]
fn a_passphrase_source_that_gives_nothing_is_named() {
    let text = openssh(Kind::Ed25519, "aes256-ctr", "1");
    for (from, reason) in [
        ("env:NOTHING", "the variable is not set"),
        ("env:EMPTY", "it is empty"),
        ("file:/nowhere/pass", "there is no such file"),
        ("agent", "an agent gives signatures"),
    ] {
        let mut world = world(&text, &[]);
        world.variables.insert("EMPTY", "\n".into());
        world.passphrase_from = Some(from);
        let said = said(&world.load("env:KEY").expect_err("no passphrase"));
        assert!(said.contains(reason) && said.contains(from), "{said}");
    }
}

#[test]
fn a_key_and_its_passphrase_cannot_both_come_from_stdin() {
    let mut world = World { stdin: openssh(Kind::Ed25519, "aes256-ctr", "1").into(), ..World::default() };
    world.passphrase_from = Some("stdin");
    let said = said(&world.load("stdin").expect_err("read twice"));
    assert!(said.contains("standard input was already read"), "{said}");
}

/// The text with its base64 decoded, changed and encoded again.
fn changed(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    use base64ct::{Base64, Encoding as _};
    let lines: Vec<&str> = text.lines().collect();
    let mut bytes = Base64::decode_vec(&lines[1..lines.len() - 1].concat()).expect("base64");
    change(&mut bytes);
    format!("{}\n{}\n{}\n", lines[0], Base64::encode_string(&bytes), lines[lines.len() - 1])
}

#[test]
fn the_cost_of_bcrypt_has_a_limit() {
    // Magic, "aes256-ctr", "bcrypt", and a salt of 16 bytes with its length stand before.
    let rounds_at = 15 + (4 + 10) + (4 + 6) + 4 + (4 + 16);
    let text = openssh(Kind::Ed25519, "aes256-ctr", "1");
    let with = |rounds: u32| {
        changed(&text, |bytes| {
            assert_eq!(bytes[rounds_at..rounds_at + 4], [0, 0, 0, 1]);
            bytes[rounds_at..rounds_at + 4].copy_from_slice(&rounds.to_be_bytes());
        })
    };
    let limit = valetkey::keys::openssh::MAX_ROUNDS;
    // At the limit the person is asked, which here is enough.
    assert!(said(&error(&with(limit), &[])).contains("nobody to ask"));
    for past in [limit + 1, u32::MAX] {
        assert!(said(&error(&with(past), &[])).contains("cost that is too high"));
    }
}

#[test]
fn the_cost_of_pbkdf2_and_scrypt_has_a_limit() {
    use valetkey::keys::pkcs8::{MAX_ITERATIONS, MAX_SCRYPT_LANES, MAX_SCRYPT_MEMORY};
    let plain = made::as_format(Kind::P256, "PKCS8");
    let pass = format!("pass:{PASSPHRASE}");
    let iterations = |count: u32| {
        // 0x0800, the default, as DER writes it, becomes three bytes: made by openssl itself.
        let count = count.to_string();
        made::openssl(&plain, &["pkcs8", "-topk8", "-iter", &count, "-passout", &pass])
    };
    assert!(said(&error(&iterations(MAX_ITERATIONS), &[])).contains("nobody to ask"));
    assert!(said(&error(&iterations(MAX_ITERATIONS + 1), &[])).contains("too high"));
    let scrypt = |n: u64, r: u64, p: u16| {
        let (n, r, p) = (n.to_string(), r.to_string(), p.to_string());
        made::openssl(
            &plain,
            &["pkcs8", "-topk8", "-scrypt", "-scrypt_N", &n, "-scrypt_r", &r, "-scrypt_p", &p, "-passout", &pass],
        )
    };
    assert!(said(&error(&scrypt(1024, 8, MAX_SCRYPT_LANES), &[])).contains("nobody to ask"));
    assert!(said(&error(&scrypt(1024, 8, MAX_SCRYPT_LANES + 1), &[])).contains("too high"));
    // openssl itself stops at 32 MiB, so the block size is changed in its place.
    let text = scrypt(1 << 14, 8, 1);
    let with = |r: u8| {
        changed(&text, |bytes| {
            let numbers = [2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1];
            let at = bytes.windows(numbers.len()).position(|window| window == numbers);
            bytes[at.expect("N, r and p") + 6] = r;
        })
    };
    assert_eq!(MAX_SCRYPT_MEMORY, (1 << 14) * 64 * 128);
    assert!(said(&error(&with(64), &[])).contains("nobody to ask"));
    assert!(said(&error(&with(65), &[])).contains("too high"));
}
