//! What the set of pins says about a key that a server showed.

use super::keys::Keys;
use valetkey::hosts::known_hosts::TooLarge;
use valetkey::hosts::{Binds, Fingerprint, HostKeyStatus, HostName, HostScope, Hosts, KeyOwner, PinEntry};

fn name(text: &str) -> HostName {
    text.parse().unwrap()
}

fn only(names: &[&str]) -> HostScope {
    HostScope::Only(names.iter().map(|n| name(n)).collect())
}

fn pins(text: &str) -> Hosts {
    let mut hosts = Hosts::empty();
    assert_eq!(hosts.add_known_hosts(text, "file").unwrap(), Vec::<String>::new());
    hosts
}

fn entry(host: &str, keys: &[&str], prints: &[&str], binds: Option<bool>) -> PinEntry {
    let own = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
    PinEntry::parse(host, None, &own(keys), &own(prints), binds).unwrap()
}

#[test]
fn a_key_is_a_match_new_changed_or_revoked() {
    let keys = Keys::new();
    let (good, other, bad) = (keys.ed25519("good"), keys.ed25519("other"), keys.ed25519("bad"));
    let hosts = pins(&format!("a {}\n[a]:2222 {}\n@revoked b {}\n", good.text, other.text, bad.text));
    for (host, key, status) in [
        ("a", &good, HostKeyStatus::Match),
        ("a", &other, HostKeyStatus::Changed),
        ("a:2222", &other, HostKeyStatus::Match),
        ("a:2222", &good, HostKeyStatus::Changed),
        ("a:2223", &good, HostKeyStatus::New),
        ("c", &good, HostKeyStatus::New),
        ("b", &bad, HostKeyStatus::Revoked),
        ("b", &good, HostKeyStatus::New),
        ("a", &bad, HostKeyStatus::Revoked),
    ] {
        assert_eq!(hosts.status(&name(host), &key.blob, 0), status, "{host}");
    }
}

#[test]
fn revoked_wins_over_a_pin_in_either_order() {
    let keys = Keys::new();
    let key = keys.ed25519("key");
    for text in [format!("a {0}\n@revoked * {0}\n", key.text), format!("@revoked z {0}\na {0}\n", key.text)] {
        let hosts = pins(&text);
        assert_eq!(hosts.status(&name("a"), &key.blob, 0), HostKeyStatus::Revoked);
        assert!(matches!(hosts.owner(&only(&["a"]), &key.blob, 0), KeyOwner::Revoked(_)));
        assert!(!hosts.has_pins(&name("a")));
        assert_eq!(hosts.known_hosts_for(&[only(&["a"])]), format!("@revoked * {}\n", key.text));
    }
}

#[test]
fn the_owner_of_a_key_is_seen_from_the_scope() {
    let keys = Keys::new();
    let (a, b, both, stranger) = (keys.ed25519("a"), keys.ed25519("b"), keys.ed25519("both"), keys.ed25519("s"));
    let hosts = pins(&format!("a {}\nb {}\na,b {}\n", a.text, b.text, both.text));
    let granted = |host: &str| KeyOwner::Granted(host.into());
    for (scope, key, owner) in [
        (only(&["a"]), &a, granted("a")),
        (only(&["a"]), &b, KeyOwner::OtherHost("b".into())),
        (only(&["b"]), &both, granted("b")),
        (only(&["c", "b"]), &both, granted("b")),
        (only(&["c"]), &both, KeyOwner::OtherHost("a".into())),
        (only(&[]), &a, KeyOwner::OtherHost("a".into())),
        (only(&["a:2222"]), &a, KeyOwner::OtherHost("a".into())),
        (only(&["a"]), &stranger, KeyOwner::Unknown),
        (HostScope::AllPinned, &b, granted("b")),
        (HostScope::AllPinned, &stranger, KeyOwner::Unknown),
    ] {
        assert_eq!(hosts.owner(&scope, &key.blob, 0), owner, "{scope:?}");
    }
}

#[test]
fn a_blob_that_differs_in_any_byte_is_no_pinned_key() {
    let keys = Keys::new();
    let key = keys.ed25519("key");
    let hosts = pins(&format!("a {}\n", key.text));
    let mut longer = key.blob.clone();
    longer.push(0);
    let mut cases = vec![longer, Vec::new()];
    for at in 0..key.blob.len() {
        cases.push(key.blob[..at].to_vec());
        let mut flipped = key.blob.clone();
        flipped[at] ^= 1;
        cases.push(flipped);
    }
    for blob in cases {
        assert_eq!(hosts.owner(&HostScope::AllPinned, &blob, 0), KeyOwner::Unknown);
        assert_eq!(hosts.status(&name("a"), &blob, 0), HostKeyStatus::Changed);
    }
    assert_eq!(hosts.status(&name("a"), &key.blob, 0), HostKeyStatus::Match);
}

#[test]
fn a_hashed_line_is_opened_by_a_name_of_the_scope_and_else_shown_by_its_origin() {
    let keys = Keys::new();
    let key = keys.ed25519("key");
    let file = keys.write("known_hosts", &format!("[git.example]:2222 {}\n", key.text));
    super::keys::run(std::process::Command::new("ssh-keygen").arg("-H").arg("-f").arg(&file));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("|1|"), "{text}");
    let hosts = pins(&text);
    let scope = only(&["git.example:2222"]);
    assert_eq!(hosts.owner(&scope, &key.blob, 0), KeyOwner::Granted("[git.example]:2222".into()));
    assert_eq!(hosts.owner(&only(&["git.example"]), &key.blob, 0), KeyOwner::OtherHost("file:1".into()));
    assert_eq!(hosts.owner(&HostScope::AllPinned, &key.blob, 0), KeyOwner::Granted("file:1".into()));
    assert_eq!(hosts.known_hosts_for(&[scope]), format!("[git.example]:2222 {}\n", key.text));
    assert_eq!(hosts.known_hosts_for(&[HostScope::AllPinned]), text, "a hashed line is kept as it is");
}

#[test]
fn an_entry_pins_keys_and_fingerprints_and_says_whether_its_host_binds() {
    let keys = Keys::new();
    let (full, print) = (keys.ed25519("full"), keys.ed25519("print"));
    let fingerprint = Fingerprint::of(&print.blob).to_string();
    let mut hosts = Hosts::empty();
    hosts.add_pins(&[entry("git.example:2222", &[&full.text], &[&fingerprint], Some(false))]);
    let host = name("git.example:2222");
    assert_eq!(hosts.status(&host, &full.blob, 0), HostKeyStatus::Match);
    assert_eq!(hosts.status(&host, &print.blob, 0), HostKeyStatus::Match);
    assert_eq!(hosts.status(&name("other"), &print.blob, 0), HostKeyStatus::New);
    assert_eq!(hosts.owner(&only(&["other"]), &print.blob, 0), KeyOwner::OtherHost("[git.example]:2222".into()));
    assert_eq!(hosts.unbound_allowed(&HostScope::AllPinned), std::slice::from_ref(&host));
    // A key that is known by fingerprint gives no line.
    assert_eq!(hosts.known_hosts_for(&[HostScope::AllPinned]), format!("[git.example]:2222 {}\n", full.text));
}

#[test]
fn an_entry_can_say_that_a_built_in_host_binds_after_all() {
    let mut hosts = Hosts::builtin();
    assert_eq!(hosts.binds(&name("gitlab.com")), Binds::No);
    hosts.add_pins(&[entry("gitlab.com", &[], &[], Some(true))]);
    assert!(hosts.unbound_allowed(&only(&["gitlab.com"])).is_empty());
}

#[test]
fn a_comment_says_binds_in_a_stored_file_and_not_in_a_foreign_one() {
    let keys = Keys::new();
    let line = format!("a {} who binds=no\n", keys.ed25519("key").text);
    let mut foreign = Hosts::empty();
    foreign.add_known_hosts(&line, "file").unwrap();
    assert_eq!(foreign.binds(&name("a")), Binds::Unknown);
    let mut stored = Hosts::empty();
    stored.add_stored(&line, "file").unwrap();
    assert_eq!(stored.binds(&name("a")), Binds::No);
}

#[test]
fn the_build_gets_one_line_per_granted_name_and_key_and_nothing_of_other_hosts() {
    let keys = Keys::new();
    let (a, star, other, ca, bad) =
        (keys.ed25519("a"), keys.ed25519("star"), keys.ed25519("other"), keys.ed25519("ca"), keys.ed25519("bad"));
    let text = format!(
        "a,b {}\n*.x,!no.x {}\nother {}\n@cert-authority *.x {}\n@revoked q {}\n",
        a.text, star.text, other.text, ca.text, bad.text
    );
    let hosts = pins(&text);
    let given = hosts.known_hosts_for(&[only(&["a", "git.x"]), only(&["a", "no.x"])]);
    let expected =
        format!("@revoked * {}\na {}\ngit.x {}\n@cert-authority git.x {}\n", bad.text, a.text, star.text, ca.text);
    // no.x: the pin excludes it, the CA's line does not.
    assert_eq!(given, format!("{expected}@cert-authority no.x {}\n", ca.text));
}

#[test]
fn a_file_past_a_limit_adds_nothing() {
    let keys = Keys::new();
    let key = keys.ed25519("key");
    let text = format!("a {}\n{}", key.text, "\n".repeat(valetkey::hosts::known_hosts::MAX_LINES));
    let mut hosts = Hosts::empty();
    assert_eq!(hosts.add_known_hosts(&text, "file"), Err(TooLarge::Lines("file".into())));
    assert_eq!(hosts.status(&name("a"), &key.blob, 0), HostKeyStatus::New);
}

#[test]
fn looking_a_key_up_does_not_scan_a_large_file() {
    use std::time::{Duration, Instant};
    let keys = Keys::new();
    let key = keys.ed25519("key");
    let salt_and_hash = "|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM=";
    let mut hosts = pins(&format!("{salt_and_hash} {}\n", key.text).repeat(19_000));
    hosts.add_known_hosts(&format!("a {}\n", key.text), "second").unwrap();
    let scope = only(&["a", "b", "c"]);
    assert_eq!(hosts.owner(&scope, &key.blob, 0), KeyOwner::Granted("a".into()));
    let fastest = (0..20)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(hosts.owner(&scope, &key.blob, 0), KeyOwner::Granted("a".into()));
            start.elapsed()
        })
        .min()
        .unwrap();
    // 57,000 HMACs would take ten times as long on the fastest of machines.
    assert!(fastest < Duration::from_millis(5), "{fastest:?}");
}
