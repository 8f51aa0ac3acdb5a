//! `KEY-cert.pub` beside a key file is offered behind the key, as ssh-add does it.

use std::path::Path;

use super::agent::Agent;
use super::made::{self, Kind};
use super::world::{World, blobs};

/// A folder with a key of this kind and its certificate, signed by an authority of its own.
fn certified(kind: Kind, options: &[&str]) -> tempfile::TempDir {
    let folder = made::folder();
    let ca = made::write(folder.path(), "ca", &made::key(Kind::P384).text);
    made::write(folder.path(), "key", &made::key(kind).text);
    let public = made::write(folder.path(), "key.pub", &made::key(kind).line);
    let (ca, public) = (made::path_str(&ca), made::path_str(&public));
    made::run("ssh-keygen", &[&["-q", "-s", ca, "-I", "me"], options, &["-n", "git", public]].concat());
    folder
}

fn load(folder: &Path) -> valetkey::keys::Loaded {
    World::default().load(&format!("file:{}/key", folder.display())).expect("a key")
}

fn certificate(folder: &Path) -> Vec<u8> {
    made::blob(&std::fs::read_to_string(folder.join("key-cert.pub")).expect("a certificate"))
}

#[test]
fn the_certificate_of_every_kind_of_key_is_offered_behind_it() {
    for kind in made::KINDS {
        let folder = certified(kind, &[]);
        let loaded = load(folder.path());
        let certificate = certificate(folder.path());
        assert_eq!(blobs(&loaded), [&made::key(kind).blob[..], &certificate], "{kind:?}");
        assert_eq!(loaded.identities[1].comment, made::COMMENT);
        assert!(loaded.warnings.is_empty());
        let [key, certificate] = &loaded.identities[..] else { panic!("two identities") };
        assert!(std::sync::Arc::ptr_eq(&key.signer, &certificate.signer));
    }
}

#[test]
fn the_order_is_that_of_ssh_add() {
    let folder = certified(Kind::Ed25519, &[]);
    let agent = Agent::new(&[]);
    agent.add(&["-q", made::path_str(&folder.path().join("key"))]);
    let theirs = agent.world().load("agent");
    assert_eq!(blobs(&theirs.expect("two identities")), blobs(&load(folder.path())));
}

#[test]
fn a_certificate_that_does_not_fit_is_left_out_with_a_warning() {
    let check = |folder: &Path, reason: &str| {
        let loaded = load(folder);
        assert_eq!(loaded.identities.len(), 1, "{reason}");
        let [warning] = &loaded.warnings[..] else { panic!("one warning: {reason}") };
        assert!(warning.contains(reason) && warning.contains("key-cert.pub"), "{warning}");
    };
    let other = certified(Kind::P256, &[]);
    made::write(other.path(), "key", &made::key(Kind::Ed25519).text);
    check(other.path(), "it belongs to another key");
    let host = certified(Kind::Ed25519, &["-h"]);
    check(host.path(), "it is a host certificate");
    let broken = certified(Kind::Ed25519, &[]);
    let text = std::fs::read_to_string(broken.path().join("key-cert.pub")).expect("a line");
    for damaged in [&text[..60], "", "ssh-ed25519", &made::key(Kind::Ed25519).line, "\u{1}"] {
        made::write(broken.path(), "key-cert.pub", damaged);
        check(broken.path(), "it is not an SSH certificate");
    }
}

#[test]
fn a_file_of_two_keys_and_a_certificate_for_one_of_them_is_no_reason_to_warn() {
    let folder = certified(Kind::P256, &[]);
    let both = [&made::key(Kind::Ed25519).text[..], &made::key(Kind::P256).text].concat();
    made::write(folder.path(), "key", both);
    let loaded = load(folder.path());
    let certificate = certificate(folder.path());
    let (first, second) = (made::key(Kind::Ed25519), made::key(Kind::P256));
    assert_eq!(blobs(&loaded), [&first.blob[..], &second.blob, &certificate]);
    assert!(loaded.warnings.is_empty());
}

#[test]
fn a_certificate_alone_is_named() {
    let folder = certified(Kind::Ed25519, &[]);
    let text = std::fs::read_to_string(folder.path().join("key-cert.pub")).expect("a line");
    let error = super::world::pasted(text).expect_err("no key");
    let said = super::world::said(&error);
    assert!(said.contains("SSH certificate without its private key"), "{said}");
    assert!(said.contains("NAME-cert.pub beside it"), "{said}");
}
