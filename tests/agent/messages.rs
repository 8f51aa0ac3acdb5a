//! Messages other than list and sign, as the real ssh-add sends them: all refused, and named.

use std::os::unix::fs::PermissionsExt as _;

use super::client::{Client, frame, inside, lending};
use super::lending::Lending;
use super::server::{LOGGED_IN, Server, me, ssh};
use crate::hosts::keys::{Key, Keys};
use valetkey::wire::agent::{EXTENSION, FAILURE};
use valetkey::wire::put_string;

#[test]
fn keys_are_neither_added_nor_removed_and_the_agent_is_not_locked() {
    let keys = Keys::new();
    let lent = keys.ed25519("key");
    keys.ed25519("new");
    let path = |name: &str| keys.path(name).display().to_string();
    // ssh-add asks a program for the word that locks.
    keys.write("ask", "#!/bin/sh\necho word\n");
    std::fs::set_permissions(keys.path("ask"), std::fs::Permissions::from_mode(0o755)).unwrap();
    for (command, number) in [
        (format!("ssh-add {}", path("new")), 17),
        (format!("ssh-add -t 60 {}", path("new")), 25),
        (format!("ssh-add -d {}", path("key")), 18),
        ("ssh-add -D".into(), 19),
        ("ssh-add -x".into(), 22),
        ("ssh-add -X".into(), 23),
    ] {
        let lending = Lending::of(&keys.path("key")).env("SSH_ASKPASS", path("ask"));
        let ended = lending.env("SSH_ASKPASS_REQUIRE", "force").sh(&format!("{command} && exit 9; ssh-add -L"));
        ended.expect_code(0);
        let reason = format!("an agent message of type {number}; only list and sign are answered");
        ended.expect_refused(&reason, None);
        // What is listed afterwards is what was listed before.
        assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.report());
        assert_eq!(Key::parse(&ended.stdout).blob, lent.blob, "{}", ended.report());
    }
}

#[test]
fn an_extension_is_refused_and_named_and_the_one_that_ssh_always_asks_for_is_not_named() {
    if inside() {
        for name in ["carry-me@example.com", "query", "session-bind@openssh.com"] {
            let mut body = vec![EXTENSION];
            put_string(&mut body, name.as_bytes());
            body.extend([0; 40]);
            let mut client = Client::connect();
            client.send(&frame(&body));
            assert_eq!(client.reply(), Some(vec![FAILURE]), "{name}");
        }
        return;
    }
    let (_keys, lending) = lending();
    let log = lending.folder().join("decisions");
    let lending = lending.flags(["--decision-log"]).flags([&log]);
    let ended = lending
        .flags(["--quiet"])
        .again("agent::messages::an_extension_is_refused_and_named_and_the_one_that_ssh_always_asks_for_is_not_named");
    ended.expect_refused("the agent extension \"carry-me@example.com\"", None);
    assert_eq!(ended.refusals(), 1, "{}", ended.report());
}

#[test]
fn a_login_of_the_real_ssh_names_no_refusal() {
    let keys = Keys::new();
    keys.ed25519("key");
    let server = Server::letting_in(&keys.path("key"));
    let lending = Lending::of(&keys.path("key")).flags(["--user", &me(), "--known-hosts"]);
    let log = lending.folder().join("decisions");
    let lending = lending.flags([server.pinned(&keys.path(""))]).flags(["--decision-log"]).flags([&log]);
    let ended = lending.sh(&ssh(&server, ""));
    ended.expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
    assert_eq!(ended.refusals(), 0, "{}", ended.report());
    // It did ask: the decision log has what the summary leaves out.
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("session-bind@openssh.com") && log.contains("\"refuse\""), "{log}");
}
