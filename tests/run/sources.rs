//! A wrong or missing key source stops before the command starts, says what to do, and never
//! shows any of a key.

use std::process::{Command, Stdio};

use super::place::{Place, Ran, VALETKEY, ran};
use crate::keys::made::{self, Kind};

/// Anything of the private key that could be shown: its frame, and pieces of its body.
#[track_caller]
fn shows_nothing_of_the_key(ran: &Ran) {
    let body: String = made::key(Kind::Ed25519).text.lines().filter(|line| !line.starts_with('-')).collect();
    for piece in (0..body.len() - 12).step_by(4).map(|at| &body[at..at + 12]) {
        assert!(!ran.err.contains(piece) && !ran.out.contains(piece), "{piece} is in {ran:#?}");
    }
    ran.never_says(&["BEGIN OPENSSH"]);
}

struct Tried {
    place: Place,
}

impl Tried {
    fn new() -> Self {
        let place = Place::new();
        let key = &made::key(Kind::Ed25519);
        place.write("public", &key.line);
        place.write("cut", key.text.lines().take(3).collect::<Vec<_>>().join("\n"));
        place.write("id", &key.text);
        Self { place }
    }

    fn command(&self, source: &str) -> Command {
        let mut command = self.place.valetkey(&["run", "--key", source, "--", "touch", "started"]);
        let key = &made::key(Kind::Ed25519);
        command.env("PUBLIC", &key.line).env("EMPTY", "").env("CUT", &key.text[..key.text.len() / 2]);
        command
    }

    #[track_caller]
    fn stops(&self, ran: &Ran, code: i32, words: &[&str]) {
        ran.is(code).says(words).says(&["error: ", "hint: "]);
        shows_nothing_of_the_key(ran);
        assert!(!self.place.project().join("started").exists(), "{ran:?}");
        assert!(self.place.leases().is_empty());
    }
}

#[test]
fn each_kind_of_source_that_is_wrong_stops_before_the_command() {
    let tried = Tried::new();
    let body: String = made::key(Kind::Ed25519).text.lines().skip(1).take(3).collect();
    let print = "agent:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    let folder = format!("file:{}", tried.place.project().display());
    let cases: [(&str, i32, &str); 21] = [
        ("env:NOTHING", 111, "env:NOTHING: the variable is not set"),
        ("env:EMPTY", 111, "it is empty"),
        ("env:PUBLIC", 111, "it is a public key"),
        ("env:CUT", 111, "it is a private key that was cut"),
        ("file:none", 111, "there is no such file"),
        (&folder, 111, "it is a folder"),
        ("file:public", 111, "it is a public key"),
        ("file:cut", 111, "it is a private key that was cut"),
        ("stdin", 111, "it is empty"),
        ("keychain:work", 111, "keychain:work: "),
        ("agent", 111, "SSH_AUTH_SOCK"),
        (print, 111, "SSH_AUTH_SOCK"),
        ("agent:me@home", 111, "SSH_AUTH_SOCK"),
        ("keychian:work", 110, "did you mean keychain:?"),
        ("evn:KEY", 110, "did you mean env:?"),
        ("~/.ssh/id_ed25519", 110, "write file:~/.ssh/id_ed25519"),
        ("", 110, "the key source is empty"),
        (&made::key(Kind::Ed25519).text, 110, "the key itself was typed"),
        (&format!("env:{}", made::key(Kind::Ed25519).text), 110, "the key itself was typed"),
        (&body, 110, "--key"),
        (&format!("{body}=="), 110, "--key"),
    ];
    for (source, code, words) in cases {
        tried.stops(&ran(&mut tried.command(source)), code, &[words]);
    }
    ran(&mut tried.command("file:id")).is(0);
    assert!(tried.place.project().join("started").exists(), "the control");
}

#[test]
fn an_agent_that_is_gone_or_empty_stops_before_the_command() {
    let tried = Tried::new();
    let gone = tried.place.at("gone.sock");
    drop(std::os::unix::net::UnixListener::bind(&gone).unwrap());
    tried.stops(
        &ran(tried.command("agent").env("SSH_AUTH_SOCK", &gone)),
        111,
        &["no ssh-agent answers at SSH_AUTH_SOCK"],
    );
    let mut agent = tried.place.command("ssh-agent");
    agent.args([VALETKEY, "run", "--key", "agent", "--", "touch", "started"]);
    tried.stops(&ran(&mut agent), 111, &["ssh-add"]);
}

#[test]
fn an_agent_whose_process_became_valetkey_is_used_like_any_other() {
    // `ssh-agent COMMAND` listens in the process that becomes COMMAND, and bash replaces itself by
    // the last command of a line.
    let place = Place::new();
    place.write("id", &made::key(Kind::Ed25519).text);
    let script = "ssh-add -q id && exec \"$0\" run --key agent -- ssh-add -l";
    let mut agent = place.command("ssh-agent");
    ran(agent.args(["bash", "-c", script, VALETKEY])).is(0).shows(&[made::COMMENT]);
}

#[test]
fn the_second_source_stops_the_run_as_the_first_does() {
    let tried = Tried::new();
    let args = ["run", "--key", "env:KEY", "--key", "lib=env:NOTHING", "--", "touch", "started"];
    tried.stops(&ran(&mut tried.place.valetkey(&args)), 111, &["env:NOTHING"]);
}

#[test]
fn a_passphrase_that_was_typed_instead_of_its_place_is_not_repeated() {
    let tried = Tried::new();
    for typed in ["hunter2", "hunter2:x", "/hunter2/x", "stdin:hunter2", "env:hunter2-", "agent:hunter2"] {
        let args = ["run", "--key", "env:KEY", "--passphrase-from", typed, "--", "touch", "started"];
        let ran = ran(&mut tried.place.valetkey(&args));
        tried.stops(&ran, 110, &["--passphrase-from", "env:NAME"]);
        ran.never_says(&["hunter2"]);
    }
}

#[test]
fn a_key_that_was_typed_anywhere_is_not_repeated() {
    let tried = Tried::new();
    let text = &made::key(Kind::Ed25519).text;
    let body: String = text.lines().skip(1).take(3).collect();
    for typed in [text.as_str(), &body] {
        let option = format!("--{typed}");
        for args in [
            &["run", "--key", "env:KEY", "--host", typed, "--", "touch", "started"][..],
            &["run", "--key", "env:KEY", "--time-limit", typed, "--", "touch", "started"],
            &["run", "--key", "env:KEY", "--max-signatures", typed, "--", "touch", "started"],
            &["run", "--key", "env:KEY", &option, "--", "touch", "started"],
            &[typed],
            &["key", typed],
            &["host", "add", typed],
        ] {
            let ran = ran(&mut tried.place.valetkey(args));
            assert_eq!(ran.code, Some(110), "{args:?}");
            shows_nothing_of_the_key(&ran);
        }
    }
}

#[test]
fn a_key_that_was_typed_instead_of_its_place_is_not_repeated_by_key_add_either() {
    let place = Place::new();
    let text = &made::key(Kind::Ed25519).text;
    let body: String = text.lines().skip(1).take(3).collect();
    for typed in [text.as_str(), &body] {
        let ran = ran(&mut place.valetkey(&["key", "add", "work", "--from", typed]));
        ran.is(110).says(&["the key itself was typed"]);
        shows_nothing_of_the_key(&ran);
    }
}

/// What is typed at a pipe.
fn piped(mut command: Command, text: &str) -> Ran {
    use std::io::Write as _;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    super::place::ended(child)
}

#[test]
fn an_encrypted_key_is_opened_from_each_place_that_a_passphrase_comes_from() {
    let place = Place::new();
    let path = place.write("locked", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&path)]);
    place.write("words", "hunter two\n");
    place.write("wrong", "something else\n");
    let args = |from: &str| {
        let mut command =
            place.valetkey(&["run", "--key", "file:locked", "--passphrase-from", from, "--", "ssh-add", "-l"]);
        command.env("WORDS", "hunter two");
        command
    };
    for from in ["env:WORDS", "file:words"] {
        ran(&mut args(from)).is(0).shows(&[made::COMMENT]).never_says(&["hunter two"]);
    }
    piped(args("stdin"), "hunter two\n").is(0).shows(&[made::COMMENT]);
    for (from, words) in [("file:wrong", "the passphrase from file:wrong is wrong"), ("env:NOTHING", "cannot be had")] {
        ran(&mut args(from)).is(111).says(&[words, "hint: "]).never_says(&["something else"]);
    }
    // Nobody to ask: an error at once, and no prompt that hangs.
    let mut nobody = place.command("setsid");
    nobody.args(["--wait", VALETKEY, "run", "--key", "file:locked", "--", "touch", "started"]);
    ran(&mut nobody).is(111).says(&["there is nobody to ask for the passphrase", "--passphrase-from"]);
    assert!(!place.project().join("started").exists());
    // An SSH_ASKPASS of the person's own is asked.
    made::run(
        "sh",
        &[
            "-c",
            "printf '#!/bin/sh\\necho hunter two\\n' >\"$0\"; chmod 700 \"$0\"",
            made::path_str(&place.project().join("ask")),
        ],
    );
    let mut asked = place.command("setsid");
    asked.args(["--wait", VALETKEY, "run", "--key", "file:locked", "--", "ssh-add", "-l"]);
    ran(asked.env("SSH_ASKPASS", place.project().join("ask"))).is(0).shows(&[made::COMMENT]);
}
