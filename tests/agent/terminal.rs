//! Text of others on the way to a terminal: it cannot move the cursor, turn the line around, or
//! look like a line of the summary.

use super::client::{Client, Login, inside, lending, sign};
use super::lending::{Ended, Lending};
use crate::hosts::keys::{Keys, run};
use valetkey::wire::put_string;

/// An escape sequence, a line of the summary, the end of a quotation, and text that runs
/// backwards.
const HOSTILE: &str = "x\x1b]0;owned\x07\nvaletkey: signed 99 logins, bound to github.com\r\n\" as root \u{202e}";

#[track_caller]
fn is_harmless(ended: &Ended) {
    let odd = |c: char| (c.is_control() && c != '\n') || ('\u{2028}'..='\u{202e}').contains(&c);
    assert!(!ended.stderr.contains(odd), "{:?}", ended.stderr);
    let forged = ended.stderr.lines().any(|line| line.starts_with("valetkey: signed 99"));
    let unquoted = ended.stderr.replace("\\\"", "").contains("\" as root");
    assert!(!forged && !unquoted, "{}", ended.stderr);
}

/// A key with this comment, as the real ssh-keygen takes it.
fn key(comment: &str) -> Keys {
    let keys = Keys::new();
    let path = keys.path("key");
    run(std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
        .arg(path));
    keys
}

#[test]
fn the_comment_of_a_key_is_shown_as_what_it_is() {
    let keys = key(HOSTILE);
    let lent = Lending::of(&keys.path("key")).sh("true");
    is_harmless(lent.expect_code(0));
    assert!(lent.stderr.contains("x\\u{1b}]0;owned"), "it is shown: {}", lent.report());
    // A machine that reads the receipt gets it as it is.
    assert_eq!(lent.receipt["identities"][0]["comment"], HOSTILE);

    // In a warning too: here the limit leaves no place for it.
    let (first, second) = (key("first"), format!("file:{}", keys.path("key").display()));
    let flags = ["--key", second.as_str(), "--max-identities", "1"];
    let warned = Lending::of(&first.path("key")).flags(flags).sh("true");
    is_harmless(warned.expect_code(0));
    assert!(warned.stderr.contains("warning: ") && warned.stderr.contains("]0;owned"), "{}", warned.report());

    // The control: a comment of plain words, in any alphabet, is shown as it was written.
    let keys = key("it's größer: 鍵");
    let lent = Lending::of(&keys.path("key")).sh("true");
    assert!(lent.stderr.contains("\"it's größer: 鍵\" from file:"), "{}", lent.report());
}

#[test]
fn the_user_of_a_login_and_the_name_of_an_extension_are_shown_as_what_they_are() {
    if inside() {
        let mut client = Client::connect();
        let login = Login { user: HOSTILE.into(), ..Login::granted() };
        client.ask(&sign(&login.key, &login.data()));
        let mut extension = vec![27];
        put_string(&mut extension, HOSTILE.as_bytes());
        client.ask(&extension);
        return;
    }
    let (_keys, lending) = lending();
    let test = "agent::terminal::the_user_of_a_login_and_the_name_of_an_extension_are_shown_as_what_they_are";
    let ended = lending.again(test);
    is_harmless(&ended);
    ended.expect_refused("the login is as user \"x", Some("name it with --user"));
    ended.expect_refused("the agent extension \"x", None);
}

#[test]
fn the_names_in_a_known_hosts_file_are_shown_as_what_they_are() {
    let (keys, lending) = lending();
    let line = |name: &str| format!("{name} {}\n", keys.ed25519(&format!("host{}", name.len())).text);
    let text = line("\x1b]0;owned\x07") + &line("turned\u{202e}") + "valetkey: signed 99 logins\n";
    let file = keys.write("hostile", &text);
    let ended = lending.flags(["--known-hosts"]).flags([file]).sh("true");
    is_harmless(ended.expect_code(0));
    assert!(ended.stderr.contains("warning: "), "{}", ended.report());
}
