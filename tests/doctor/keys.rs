//! Key sources and build secrets: there, missing, open to others, encrypted, not run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::examined::{examined, with_flags};
use crate::hosts::keys::Keys;
use crate::keys::made::{self, Kind};
use crate::run::place::{Place, ran};
use crate::run::terminal::{Terminal, code};

#[test]
fn a_key_is_shown_by_its_fingerprint_and_never_by_itself() {
    let place = Place::new();
    let key = made::key(Kind::Ed25519);
    let examined = with_flags(&place, &["--key", "env:KEY"]);
    examined.is(0).says("key", &["env:KEY: ssh-ed25519 SHA256:", made::COMMENT]);
    let ran = ran(&mut place.valetkey(&["doctor", "--key", "env:KEY"]));
    for line in key.text.lines().filter(|line| line.len() > 20) {
        ran.never_says(&[line]);
        examined.ran.never_says(&[line]);
    }
}

#[test]
fn every_source_that_is_not_there_is_named_with_what_to_do() {
    for (source, words) in [
        ("env:NOTHING", &["env:NOTHING", "not set"][..]),
        ("file:none", &["there is no such file"]),
        ("agent", &["SSH_AUTH_SOCK is not set"]),
        ("credential:none", &["there is no such credential"]),
        ("command:no-such-program-here x", &["there is no program"]),
        ("vault:secret/x#key", &["VAULT_ADDR is not set"]),
        ("keychain:none", &["no session bus"]),
    ] {
        let examined = with_flags(&Place::new(), &["--key", source]);
        examined.is(111).stands(&[("key", "failure")]).says("key", words);
        assert!(!examined.all("key")[0].2.is_empty(), "a hint: {:#?}", examined.report);
    }
}

#[test]
fn all_that_is_wrong_is_said_and_not_the_first_alone() {
    let args =
        ["--key", "env:A", "--key", "x=env:B", "--key", "y=env:KEY", "--secret", "s=env:C", "--secret", "t=env:KEY"];
    let examined = with_flags(&Place::new(), &args);
    examined.is(111).stands(&[
        ("key", "failure"),
        ("key", "failure"),
        ("key", "ok"),
        ("secret", "failure"),
        ("secret", "ok"),
    ]);
}

#[test]
fn a_key_file_that_others_can_read_is_not_used() {
    let place = Place::new();
    let path = place.write("key", &made::key(Kind::Ed25519).text);
    with_flags(&place, &["--key", "file:key"]).is(0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    with_flags(&place, &["--key", "file:key"]).is(111).says("key", &["mode 0644", "chmod 600"]);
}

#[test]
fn a_program_is_run_only_where_a_server_is_asked_with_its_key() {
    let place = Place::new();
    let program = place.write("print-key", "#!/bin/sh\ntouch was-run\nprintf %s \"$KEY\"\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let (key, secret) = ("command:./print-key", "s=command:./print-key");
    let examined = with_flags(&place, &["--key", key, "--secret", secret]);
    examined.is(0).says("key", &["./print-key is there", "not run"]).says("secret", &["not run"]);
    assert!(!place.project().join("was-run").exists());
    // A host that is asked; nobody is there.
    let pin = format!("127.0.0.1 {}\n", Keys::new().ed25519("pin").text).replace("127.0.0.1", "[127.0.0.1]:1");
    place.write("pins", pin);
    let examined = with_flags(&place, &["--key", key, "--host", "127.0.0.1:1", "--known-hosts", "pins"]);
    examined.is(112).says("key", &["command:./print-key: ssh-ed25519 SHA256:"]);
    assert!(place.project().join("was-run").exists());
}

#[test]
fn a_secret_is_held_against_its_form_and_not_shown() {
    let place = Place::new();
    let config = "[[secret]]\nid = \"npm\"\nsource = [\"env:NONE\", \"env:TOKEN\"]\nform = \"npmrc\"\nregistry = \"https://npm.example.com/\"\n";
    place.write("valetkey.toml", config);
    let of = |token: &str| ran(place.valetkey(&["doctor"]).env("TOKEN", token));
    of("only-for-this-test")
        .is(0)
        .shows(&["secret npm from env:TOKEN", "fits the form npmrc"])
        .never_says(&["only-for-this"]);
    of("only-for\nthis-test").is(111).never_says(&["only-for", "this-test"]);
}

#[test]
fn the_passphrase_of_a_key_is_asked_for_as_run_asks_for_it() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let path = place.write("locked", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&path)]);
    let child = terminal.start(&place, &[crate::run::place::VALETKEY, "doctor", "--key", "file:locked"]);
    terminal.until_shown("Enter passphrase for file:locked: ");
    assert!(!terminal.echoes());
    terminal.types("hunter two\n");
    assert_eq!(code(child), Some(0), "{}", terminal.shown());
    terminal.until_shown("ssh-ed25519 SHA256:");
    assert!(!terminal.shown().contains("hunter"), "{}", terminal.shown());
    with_flags(&place, &["--key", "file:locked"]).is(111).says("key", &["it is encrypted"]);
}

#[test]
fn a_certificate_that_does_not_hold_now_is_told() {
    let keys = Keys::new();
    keys.ed25519("ca");
    for (name, window, code, words) in [
        ("fits", "-1h:+9h", 0, &["SHA256:"][..]),
        ("early", "+1h:+9h", 111, &["is not valid yet"]),
        ("late", "-9h:-1h", 111, &["has expired"]),
        ("soon", "-1h:+10m", 0, &["expires in"]),
    ] {
        keys.ed25519(name);
        keys.certify("ca", name, &["-n", "git", "-V", window]);
        let source = format!("file:{}", keys.path(name).display());
        let examined = examined(&Place::new(), &format!("[[grant]]\nkey = \"{source}\"\n"), &[]);
        examined.is(code).says(if words == ["SHA256:"] { "key" } else { "certificate" }, words);
    }
}
