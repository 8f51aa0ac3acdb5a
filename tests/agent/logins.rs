//! Real logins with every kind of key: the real ssh, a real sshd, and nothing but the lent agent
//! to explain that they work.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::lending::{Ended, Lending};
use super::server::{LOGGED_IN, NOT_LET_IN, Server, me, ssh};
use crate::hosts::keys::{Keys, run};

/// Lends `key` for one login to `server` with these options of ssh.
fn log_in(keys: &Keys, key: &str, server: &Server, options: &str) -> Ended {
    let lending = Lending::of(&keys.path(key)).flags(["--user", &me(), "--host", &server.host(), "--known-hosts"]);
    lending.flags([server.pinned(&keys.path(""))]).sh(&ssh(server, options))
}

#[track_caller]
fn logs_in(keys: &Keys, key: &str, server: &Server, options: &str) {
    let before = server.accepted();
    log_in(keys, key, server, options).expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
    assert_eq!(server.accepted(), before + 1, "{}", server.0.log());
}

#[test]
fn with_ed25519_and_ecdsa_on_every_curve() {
    for (kind, bits) in [("ed25519", None), ("ecdsa", Some(256)), ("ecdsa", Some(384)), ("ecdsa", Some(521))] {
        let keys = Keys::new();
        keys.make("key", kind, bits);
        logs_in(&keys, "key", &Server::letting_in(&keys.path("key")), "");
    }
}

/// RSA with each of its two algorithms; the server says which one it was.
fn rsa(keys: &Keys) {
    let server = Server::letting_in(&keys.path("key"));
    for algorithm in ["rsa-sha2-256", "rsa-sha2-512"] {
        logs_in(keys, "key", &server, &format!("-o PubkeyAcceptedAlgorithms={algorithm}"));
    }
}

#[test]
fn with_rsa_2048_and_both_hashes() {
    let keys = Keys::new();
    keys.make("key", "rsa", Some(2048));
    rsa(&keys);
}

#[test]
fn with_rsa_3072_and_both_hashes() {
    let keys = Keys::new();
    keys.make("key", "rsa", Some(3072));
    rsa(&keys);
}

#[test]
fn with_rsa_4096_and_both_hashes() {
    rsa(&of_known_primes("4096"));
}

#[test]
fn with_rsa_8192_and_both_hashes() {
    rsa(&of_known_primes("8192"));
}

/// A key whose primes need no search, which would take longer than all other tests.
fn of_known_primes(bits: &str) -> Keys {
    let keys = Keys::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rsa_of_known_primes.py");
    let made = run(Command::new("python3").args([script, bits]));
    let path = keys.write("key", std::str::from_utf8(&made.stdout).unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let public = run(Command::new("ssh-keygen").arg("-yf").arg(&path));
    keys.write("key.pub", std::str::from_utf8(&public.stdout).unwrap());
    let shown = run(Command::new("ssh-keygen").arg("-lf").arg(keys.path("key.pub")));
    assert!(shown.stdout.starts_with(format!("{bits} ").as_bytes()));
    keys
}

#[test]
fn not_with_sha_1_even_to_a_server_that_takes_it() {
    let keys = Keys::new();
    keys.make("key", "rsa", Some(2048));
    let server = Server::with("PubkeyAcceptedAlgorithms +ssh-rsa\n");
    server.let_in(&keys.path("key"));
    let options = "-o PubkeyAcceptedAlgorithms=ssh-rsa";

    let refused = log_in(&keys, "key", &server, options);
    refused.expect_code(NOT_LET_IN).expect_nothing_signed();
    refused.expect_refused("the signature algorithm \"ssh-rsa\" is not one that this key may use", None);
    assert_eq!(server.accepted(), 0, "{}", server.0.log());

    // The controls: a plain agent signs it, and this server takes the key by a better algorithm.
    let script = format!("ssh-add -q {} && {}", keys.path("key").display(), ssh(&server, options));
    let plain = Command::new("ssh-agent").args(["sh", "-c", &script]).output().unwrap();
    assert_eq!(plain.status.code(), Some(LOGGED_IN), "{plain:?}\n{}", server.0.log());
    logs_in(&keys, "key", &server, "-o PubkeyAcceptedAlgorithms=rsa-sha2-256");
}

#[test]
fn with_a_certificate_to_a_server_that_knows_its_authority_alone() {
    for (kind, bits) in [("ed25519", None), ("ecdsa", Some(384)), ("rsa", Some(2048))] {
        let keys = Keys::new();
        keys.ed25519("ca");
        keys.make("key", kind, bits);
        let server = Server::with(&format!("TrustedUserCAKeys {}\n", keys.path("ca.pub").display()));
        // The control: the key alone does not open it.
        log_in(&keys, "key", &server, "").expect_code(NOT_LET_IN);

        keys.certify("ca", "key", &["-n", &me()]);
        logs_in(&keys, "key", &server, "");
        assert!(server.0.log().contains("-CERT SHA256:"), "{}", server.0.log());
    }
}
