//! `valetkey host` against a real sshd.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::keys::{Key, Keys};
use crate::sshd::Sshd;
use valetkey::hosts::Fingerprint;

const NOT_A_MATCH: i32 = 112;

/// A person's home folder, and valetkey in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn stored_path(&self) -> PathBuf {
        self.0.path().join("config/valetkey/known_hosts")
    }

    fn stored(&self) -> String {
        fs::read_to_string(self.stored_path()).unwrap_or_default()
    }

    fn store(&self, text: &str) {
        fs::create_dir_all(self.stored_path().parent().unwrap()).unwrap();
        fs::write(self.stored_path(), text).unwrap();
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.0.path()).env("XDG_CONFIG_HOME", self.0.path().join("config"))
    }

    /// Runs `valetkey host …` without a terminal.
    fn host(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_valetkey"));
        let output = self.environment(&mut command).arg("host").args(args).stdin(Stdio::null()).output();
        Ran::new(output.unwrap())
    }

    /// Runs `valetkey host …` on a terminal of its own, on which `typed` is typed.
    fn host_at_terminal(&self, args: &[&str], typed: &str) -> Ran {
        let line = format!("{} host {}", env!("CARGO_BIN_EXE_valetkey"), args.join(" "));
        let mut command = Command::new("script");
        self.environment(&mut command).args(["-qec", &line, "/dev/null"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("script cannot be run: install the package bsdutils (util-linux)");
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        Ran::new(child.wait_with_output().unwrap())
    }
}

struct Ran {
    code: Option<i32>,
    text: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self { code: output.status.code(), text: String::from_utf8(text).unwrap() }
    }

    #[track_caller]
    fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "{word:?} is not in:\n{}", self.text);
        }
    }
}

fn public(path: &Path) -> Key {
    Key::read(&path.with_extension("pub"))
}

fn fingerprint(key: &Key) -> String {
    Fingerprint::of(&key.blob).to_string()
}

#[test]
fn add_stores_the_key_whose_fingerprint_was_given_and_no_other() {
    let (sshd, home) = (Sshd::start(), Home::new());
    let (name, key) = (sshd.name(), public(&sshd.host_key("ed25519")));
    home.host(&["add", &name, "--fingerprint", &fingerprint(&key)]).is(0, &[&fingerprint(&key)]);
    let stored = home.stored();
    assert!(stored.starts_with(&format!("{name} {}", key.text)), "{stored}");
    assert_eq!(stored.lines().count(), 1, "{stored}");
}

#[test]
fn add_fetches_a_key_of_every_type_and_checks_that_the_server_owns_it() {
    for kind in ["ed25519", "ecdsa", "ecdsa-384", "ecdsa-521", "rsa", "rsa-3072"] {
        let (sshd, home) = (Sshd::with(&[kind], |_| String::new()), Home::new());
        let key = public(&sshd.host_key(kind));
        home.host(&["add", &sshd.name(), "--fingerprint", &fingerprint(&key)]).is(0, &[]);
        assert_eq!(home.stored(), format!("{} {} binds=yes\n", sshd.name(), key.text), "{kind}");
    }
}

#[test]
fn the_stored_file_is_one_that_ssh_can_use() {
    let (sshd, home) = (Sshd::start(), Home::new());
    let kinds = ["ed25519", "ecdsa", "rsa"].map(|kind| fingerprint(&public(&sshd.host_key(kind))));
    let name = sshd.name();
    home.host(&["add", &name, "--fingerprint", &kinds[0], "--fingerprint", &kinds[1], "--fingerprint", &kinds[2]])
        .is(0, &[]);
    let output = Command::new("ssh-keygen").args(["-l", "-F", &name, "-f"]).arg(home.stored_path()).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(kinds.iter().all(|kind| found.contains(kind)), "{found}");
}

#[test]
fn add_stores_nothing_when_no_shown_key_has_the_fingerprint() {
    let (sshd, home, keys) = (Sshd::start(), Home::new(), Keys::new());
    let wrong = fingerprint(&keys.ed25519("other"));
    let shown = fingerprint(&public(&sshd.host_key("ed25519")));
    home.host(&["add", &sshd.name(), "--fingerprint", &wrong]).is(NOT_A_MATCH, &["no key with a fingerprint", &shown]);
    assert_eq!(home.stored(), "");
}

#[test]
fn add_without_a_terminal_or_fingerprint_refuses_with_the_command_to_use() {
    let (sshd, home) = (Sshd::start(), Home::new());
    let command = format!("valetkey host add {} --fingerprint SHA256:", sshd.name());
    home.host(&["add", &sshd.name()]).is(NOT_A_MATCH, &["not a terminal", &command]);
    assert_eq!(home.stored(), "");
}

#[test]
fn a_person_confirms_with_yes_or_with_a_fingerprint() {
    let sshd = Sshd::start();
    let key = public(&sshd.host_key("ecdsa"));
    let home = Home::new();
    home.host_at_terminal(&["add", &sshd.name()], "yes\n").is(0, &[&fingerprint(&key)]);
    assert_eq!(home.stored().lines().count(), 3);
    let home = Home::new();
    home.host_at_terminal(&["add", &sshd.name()], &format!("what?\n{}\n", fingerprint(&key))).is(0, &[]);
    assert_eq!(home.stored(), format!("{} {} binds=yes\n", sshd.name(), key.text));
}

#[test]
fn a_person_who_does_not_say_yes_stores_nothing() {
    let sshd = Sshd::start();
    for typed in ["no\n", "y\ny\ny\nyes\n", "\n\n\n"] {
        let home = Home::new();
        home.host_at_terminal(&["add", &sshd.name()], typed).is(NOT_A_MATCH, &["not confirmed"]);
        assert_eq!(home.stored(), "", "{typed:?}");
    }
}

#[test]
fn a_changed_key_is_refused_with_both_fingerprints_and_replaced_only_by_fingerprint() {
    let (sshd, home, keys) = (Sshd::start(), Home::new(), Keys::new());
    let (name, old, new) = (sshd.name(), keys.ed25519("old"), public(&sshd.host_key("ed25519")));
    let before = format!("{name} {}\nother.example {}\n", old.text, old.text);
    home.store(&before);
    let shown = [fingerprint(&old), fingerprint(&new)];
    for args in [&["add", &name, "--fingerprint", &shown[1]][..], &["add", &name]] {
        home.host(args).is(NOT_A_MATCH, &["not the one that is pinned", &shown[0], &shown[1], "--replace"]);
    }
    home.host_at_terminal(&["add", &name], "yes\n").is(NOT_A_MATCH, &["not the one that is pinned"]);
    home.host(&["add", &name, "--replace"]).is(110, &["--fingerprint"]);
    assert_eq!(home.stored(), before);
    home.host(&["add", &name, "--replace", "--fingerprint", &shown[1]]).is(0, &[]);
    let after = home.stored();
    assert!(after.starts_with(&format!("other.example {}\n{name} {}", old.text, new.text)), "{after}");
    assert_eq!(after.lines().count(), 2, "{after}");
}

#[test]
fn a_revoked_key_is_refused_even_with_its_fingerprint() {
    let (sshd, home, keys) = (Sshd::start(), Home::new(), Keys::new());
    let (name, bad, good) = (sshd.name(), public(&sshd.host_key("ed25519")), keys.ed25519("good"));
    let before = format!("@revoked leaked.example {}\n{name} {}\n", bad.text, good.text);
    home.store(&before);
    let (bad, good) = (fingerprint(&bad), fingerprint(&good));
    for more in [&[][..], &["--replace"]] {
        let args = [&["add", &name, "--fingerprint", &bad], more].concat();
        home.host(&args).is(NOT_A_MATCH, &["revoked", "leaked.example", &bad, &good]);
    }
    assert_eq!(home.stored(), before);
}

#[test]
fn verify_says_match_changed_revoked_or_unreachable() {
    let (home, keys) = (Home::new(), Keys::new());
    let (good, changed, revoked, down) = (Sshd::start(), Sshd::start(), Sshd::start(), Sshd::start());
    let pin = |sshd: &Sshd, key: &Key| format!("{} {}\n", sshd.name(), key.text);
    let own = |sshd: &Sshd| public(&sshd.host_key("ed25519"));
    let good_pin = pin(&good, &own(&good));
    home.store(&good_pin);
    home.host(&["verify"]).is(0, &[&format!("{}: ssh-ed25519 {}: match", good.name(), fingerprint(&own(&good)))]);

    let other = keys.ed25519("other");
    home.store(&format!("{good_pin}{}", pin(&changed, &other)));
    home.host(&["verify"])
        .is(NOT_A_MATCH, &["1 of 2 hosts", "CHANGED", &fingerprint(&other), &fingerprint(&own(&changed))]);
    home.host(&["verify", &good.name()]).is(0, &[": match"]);

    // One key of the pinned type changed, another still matches: that is a change too.
    let half = pin(&changed, &public(&changed.host_key("rsa")));
    home.store(&format!("{}{half}", pin(&changed, &other)));
    home.host(&["verify"]).is(NOT_A_MATCH, &["CHANGED", "ssh-rsa", ": match"]);

    home.store(&format!("{}@revoked x {}\n", pin(&revoked, &own(&revoked)), own(&revoked).text));
    home.host(&["verify"]).is(NOT_A_MATCH, &["REVOKED"]);

    home.store(&format!("{}{good_pin}", pin(&down, &own(&down))));
    drop(down);
    home.host(&["verify"]).is(NOT_A_MATCH, &["1 of 2 hosts", "unreachable", ": match"]);
}

#[test]
fn list_shows_built_in_stored_and_revoked_keys() {
    let (home, keys) = (Home::new(), Keys::new());
    let key = keys.ed25519("key");
    home.store(&format!("[git.example]:2222 {} binds=yes\n", key.text));
    let plain = home.host(&["list"]);
    plain.is(0, &["github.com,[ssh.github.com]:443", "REVOKED", "[git.example]:2222", &fingerprint(&key), "binds=yes"]);
    let json = home.host(&["list", "--json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json.text).unwrap();
    let row = rows.iter().find(|row| row["host"] == "[git.example]:2222").unwrap();
    assert_eq!((&row["type"], &row["binds"], &row["source"]), (&"ssh-ed25519".into(), &"yes".into(), &"stored".into()));
    assert_eq!(row["fingerprint"], fingerprint(&key));
    assert_eq!(rows.iter().filter(|row| row["revoked"] == true).count(), 2);
}

#[test]
fn remove_forgets_a_host_and_says_when_there_is_nothing_to_forget() {
    let (home, keys) = (Home::new(), Keys::new());
    let key = keys.ed25519("key").text;
    home.store(&format!("a.example {key}\n[a.example]:2222 {key}\n"));
    home.host(&["remove", "a.example"]).is(0, &["removed 1"]);
    assert_eq!(home.stored(), format!("[a.example]:2222 {key}\n"));
    home.host(&["remove", "a.example"]).is(NOT_A_MATCH, &["no key of a.example is stored"]);
    home.host(&["remove", "github.com"]).is(NOT_A_MATCH, &["built in"]);
}

#[test]
fn a_server_that_is_not_ssh_is_named_as_such() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    Home::new().host(&["add", &name]).is(NOT_A_MATCH, &["failed to get a host key"]);
}
