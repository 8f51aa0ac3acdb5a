//! `ssh-keygen -Y sign`, which makes signatures of files and commits that anyone would believe.

use std::process::Command;

use super::lending::Lending;
use super::server::{LOGGED_IN, Server, me, ssh};
use crate::hosts::keys::{Keys, run};

#[test]
fn a_signature_of_a_file_is_refused_and_the_same_key_still_logs_in() {
    let keys = Keys::new();
    keys.ed25519("key");
    keys.write("words", "what was never said");
    let server = Server::letting_in(&keys.path("key"));
    // Only the public half is beside the file: the agent alone can sign.
    let public = keys.path("lone.pub");
    std::fs::copy(keys.path("key.pub"), &public).unwrap();
    let words = keys.path("words");
    let sign = format!("ssh-keygen -Y sign -n file -f {} {}", public.display(), words.display());
    let signature = keys.path("words.sig");

    let lending = Lending::of(&keys.path("key")).flags(["--user", &me(), "--known-hosts"]);
    let lending = lending.flags([server.pinned(&keys.path(""))]);
    let lent = lending.sh(&format!("{sign} && exit 1; {}", ssh(&server, "")));
    lent.expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
    lent.expect_refused("a signature of a file or commit (SSHSIG) was asked for; only SSH logins are signed", None);
    assert!(!signature.exists());

    // The control: an agent without a policy signs it.
    let script = format!("ssh-add -q {} && {sign}", keys.path("key").display());
    run(Command::new("ssh-agent").args(["sh", "-c", &script]));
    assert!(signature.exists());
}
