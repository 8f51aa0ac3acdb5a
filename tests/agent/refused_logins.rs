//! Logins that the policy refuses, tried with the real ssh against a real sshd that would let
//! them in: the server sees no login, and the reason and the way out are told.

use super::lending::Lending;
use super::server::{LOGGED_IN, NOT_LET_IN, Server, me, ssh};
use crate::hosts::keys::Keys;

/// A key, and a server that lets it in.
fn key_and_server() -> (Keys, Server) {
    let keys = Keys::new();
    keys.ed25519("key");
    let server = Server::letting_in(&keys.path("key"));
    (keys, server)
}

#[test]
fn a_login_as_another_user_than_the_granted_one() {
    let (keys, server) = key_and_server();
    let lend = |flags: &[&str]| {
        let lending =
            Lending::of(&keys.path("key")).flags(["--known-hosts"]).flags([server.pinned(keys.path("").as_path())]);
        lending.flags(flags.iter().copied()).sh(&ssh(&server, ""))
    };
    let refused = lend(&[]);
    refused.expect_code(NOT_LET_IN).expect_nothing_signed();
    let reason = format!("the login is as user \"{}\"; the grant is for \"git\"", me());
    refused.expect_refused(&reason, Some(&format!("--user {}", me())));
    assert_eq!(server.accepted(), 0, "{}", server.0.log());

    lend(&["--user", &me()]).expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
    assert_eq!(server.accepted(), 1, "{}", server.0.log());
}

#[test]
fn a_login_to_a_pinned_host_that_is_not_granted() {
    let (keys, granted) = key_and_server();
    let other = Server::letting_in(&keys.path("key"));
    let folder = keys.path("");
    let lending = Lending::of(&keys.path("key")).flags(["--user", &me(), "--host", &granted.host()]);
    let lending = lending.flags(["--known-hosts"]).flags([granted.pinned(&folder)]);
    let lending = lending.flags(["--known-hosts"]).flags([other.pinned(&folder)]);

    let refused = lending.sh(&ssh(&other, ""));
    refused.expect_code(NOT_LET_IN).expect_nothing_signed();
    let reason = format!("the login is to {}, which is not granted", other.name());
    refused.expect_refused(&reason, Some(&format!("--host {}", other.name())));
    assert_eq!(other.accepted(), 0, "{}", other.0.log());

    lending.sh(&ssh(&granted, "")).expect_code(LOGGED_IN).expect_bound(&granted.name(), 1);
    let lending = lending.flags(["--host", &other.host()]);
    lending.sh(&ssh(&other, "")).expect_code(LOGGED_IN).expect_bound(&other.name(), 1);
}

#[test]
fn a_login_to_a_server_that_nothing_pins() {
    let (keys, server) = key_and_server();
    let stranger = Server::letting_in(&keys.path("key"));
    let lending = Lending::of(&keys.path("key")).flags(["--user", &me()]);
    let lending = lending.flags(["--known-hosts"]).flags([server.pinned(&keys.path(""))]);

    let refused = lending.sh(&ssh(&stranger, ""));
    refused.expect_code(NOT_LET_IN).expect_nothing_signed();
    refused.expect_refused("a server with an unknown host key (SHA256:", Some("valetkey host add NAME"));
    assert_eq!(stranger.accepted(), 0, "{}", stranger.0.log());

    lending.sh(&ssh(&server, "")).expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
}

#[test]
fn a_login_that_hides_its_host_from_a_grant_for_a_host_that_binds() {
    let (keys, server) = key_and_server();
    let lending = Lending::of(&keys.path("key")).flags(["--user", &me(), "--host", &server.host()]);
    let lending = lending.flags(["--known-hosts"]).flags([server.pinned(&keys.path(""))]);

    let refused = lending.sh(&ssh(&server, "-o PubkeyAuthentication=unbound"));
    refused.expect_code(NOT_LET_IN).expect_nothing_signed();
    refused.expect_refused("does not show its host", Some("`binds = false` in its [[host]] entry"));
    assert_eq!(server.accepted(), 0, "{}", server.0.log());

    lending.sh(&ssh(&server, "")).expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
}

#[test]
fn a_login_that_hides_its_host_is_signed_only_where_the_entry_says_so_and_is_counted_as_such() {
    let (keys, server) = key_and_server();
    let host_key = crate::hosts::keys::Key::read(&server.0.host_key("ed25519").with_extension("pub"));
    let config = |binds: bool| {
        format!(
            "[[grant]]\nkey = \"file:{}\"\nhost = \"{host}\"\nuser = \"{}\"\n\
             [[host]]\nname = \"{host}\"\nkeys = [\"{}\"]\nbinds = {binds}\n",
            keys.path("key").display(),
            me(),
            host_key.text,
            host = server.host(),
        )
    };
    let unbound = ssh(&server, "-o PubkeyAuthentication=unbound");
    let refused = Lending::new().config(&config(true)).sh(&unbound);
    refused.expect_code(NOT_LET_IN).expect_nothing_signed().expect_refused("does not show its host", Some("binds"));
    assert_eq!(server.accepted(), 0, "{}", server.0.log());

    let allowed = Lending::new().config(&config(false)).sh(&unbound);
    allowed.expect_code(LOGGED_IN);
    assert_eq!(allowed.logins(), [(None, 1)], "{}", allowed.report());
    assert_eq!(allowed.receipt["logins"][0]["host_visible"], false);
    assert!(allowed.stderr.contains("signed 1 login, host not visible"), "{}", allowed.report());
    assert_eq!(allowed.receipt["identities"][0]["unbound_hosts"][0], server.name(), "{}", allowed.report());
    assert_eq!(server.accepted(), 1, "{}", server.0.log());
}

#[test]
fn a_login_to_a_host_that_shows_a_revoked_key() {
    let (keys, server) = key_and_server();
    let pins = server.known_hosts("", &["ed25519", "ecdsa"]) + &server.known_hosts("@revoked ", &["ed25519"]);
    let lending = Lending::of(&keys.path("key")).flags(["--user", &me()]);
    let lending = lending.flags(["--known-hosts"]).flags([keys.write("known_hosts", &pins)]);

    let refused = lending.sh(&ssh(&server, "-o HostKeyAlgorithms=ssh-ed25519"));
    refused.expect_code(NOT_LET_IN).expect_nothing_signed();
    refused.expect_refused(&format!("the server showed a revoked host key of {}", server.name()), None);
    assert_eq!(server.accepted(), 0, "{}", server.0.log());

    let lent = lending.sh(&ssh(&server, "-o HostKeyAlgorithms=ecdsa-sha2-nistp256"));
    lent.expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
}

#[test]
fn a_refusal_is_told_even_to_who_wants_no_summary() {
    let (keys, server) = key_and_server();
    let lending = Lending::of(&keys.path("key")).flags(["--quiet", "--known-hosts"]);
    let lending = lending.flags([server.pinned(&keys.path(""))]);
    let refused = lending.sh(&ssh(&server, ""));
    refused.expect_code(NOT_LET_IN).expect_refused("the login is as user", Some(&format!("--user {}", me())));
    assert!(!refused.stderr.contains("lent ") && !refused.stderr.contains("signed"), "{}", refused.report());
    // The control: where nothing is refused, nothing is said.
    let lent = lending.flags(["--user", &me()]).sh(&ssh(&server, ""));
    assert_eq!(lent.expect_code(LOGGED_IN).stderr, "");
}
