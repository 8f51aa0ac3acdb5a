//! Grants and limits as they are typed: ids, hosts, caps.

use super::place::{Place, ran};
use crate::keys::made::{self, Kind};

#[test]
fn a_limit_that_means_nothing_is_an_error_before_the_command() {
    let place = Place::new();
    for (flag, value) in [
        ("--max-identities", "many"),
        ("--max-identities", "-1"),
        ("--max-identities", "0"),
        ("--max-signatures", "0x10"),
        ("--max-signatures", "4294967296"),
        ("--time-limit", "0"),
        ("--time-limit", "1d"),
        ("--time-limit", "25h"),
    ] {
        let flag = format!("{flag}={value}");
        place.lend(&[&flag, "--", "touch", "started"]).is(110).says(&["error: "]);
        assert!(!place.project().join("started").exists(), "{flag}");
    }
    for flag in ["--max-identities=1", "--max-signatures=4294967295", "--time-limit=24h", "--time-limit=90"] {
        place.lend(&[flag, "--", "true"]).is(0);
    }
}

#[test]
fn no_more_identities_are_offered_than_the_limit_and_the_others_are_named() {
    let place = Place::new();
    let key = &made::key(Kind::Ed25519).text;
    let keys: String = std::iter::once(key.clone()).chain((0..6).map(|_| new_key(&place))).collect();
    let run = |flags: &[&str]| {
        let args = [&["run", "--key", "env:KEYS"], flags, &["--", "sh", "-c", "ssh-add -l | wc -l"]].concat();
        ran(place.valetkey(&args).env("KEYS", &keys))
    };
    let five = run(&[]);
    assert_eq!(five.is(0).out.trim(), "5");
    assert_eq!(five.err.matches("is not offered").count(), 2, "{five:?}");
    assert_eq!(run(&["--max-identities", "7"]).is(0).out.trim(), "7");
}

fn new_key(place: &Place) -> String {
    let path = place.at("one-more");
    let _ = std::fs::remove_file(&path);
    made::run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", made::path_str(&path)]);
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn a_host_that_is_not_pinned_is_an_error_that_says_how_to_pin_it() {
    let place = Place::new();
    let ran = place.lend(&["--host", "git.example", "--", "touch", "started"]);
    ran.is(112).says(&["no host key is pinned for git.example", "valetkey host add git.example", "--known-hosts"]);
    assert!(!place.project().join("started").exists());
    let line = made::key(Kind::P256).line.trim();
    place.write("hosts", format!("git.example {line}\n"));
    place.lend(&["--host", "git.example", "--known-hosts", "hosts", "--", "true"]).is(0);
    place
        .lend(&["--host", "git.example:2222", "--known-hosts", "hosts", "--", "true"])
        .is(112)
        .says(&["[git.example]:2222"]);
}

#[test]
fn a_grant_without_a_host_covers_the_forges_and_what_known_hosts_adds() {
    let place = Place::new();
    let line = made::key(Kind::P256).line.trim();
    place.write("hosts", format!("git.example {line}\n"));
    let script = "cut -d' ' -f1 $VALETKEY_KNOWN_HOSTS";
    let all = place.lend(&["--known-hosts", "hosts", "--", "sh", "-c", script]);
    all.is(0).shows(&["github.com", "gitlab.com", "git.example\n"]);
    let one = place.lend(&["--known-hosts", "hosts", "--host", "git.example", "--", "sh", "-c", script]);
    one.is(0).shows(&["git.example\n"]);
    assert!(!one.out.contains("github.com"), "{one:?}");
    place.lend(&["--known-hosts", "none", "--", "true"]).is(112).says(&["failed to read the known_hosts file none"]);
}

#[test]
fn each_id_is_a_socket_of_its_own_and_one_id_twice_is_one_socket_with_both_keys() {
    let place = Place::new();
    let (one, two) = (made::key(Kind::Ed25519), made::key(Kind::P256));
    let run = |keys: &[&str]| {
        let keys: Vec<&str> = keys.iter().flat_map(|key| ["--key", key]).collect();
        let script = "for s in ${SSH_AUTH_SOCK%/*}/*.sock; do echo ${s##*/}; SSH_AUTH_SOCK=$s ssh-add -L; done";
        let args = [&["run"], &keys[..], &["--", "sh", "-c", script]].concat();
        ran(place.valetkey(&args).env("TWO", &two.text))
    };
    let (line_one, line_two) = (&one.line, &two.line);
    let apart = run(&["lib=env:TWO", "env:KEY"]);
    assert_eq!(apart.is(0).out, format!("agent.sock\n{line_one}agent1.sock\n{line_two}"), "default is the first");
    let together = run(&["env:TWO", "default=env:KEY"]);
    assert_eq!(together.is(0).out, format!("agent.sock\n{line_two}{line_one}"), "in the order given");
    let twice = run(&["env:KEY", "env:KEY"]);
    assert_eq!(twice.is(0).out, format!("agent.sock\n{line_one}"), "offered once");
    run(&["a b=env:KEY"]).is(110).says(&["an ssh id has 1 to 64 letters"]);
}
