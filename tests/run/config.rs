//! `valetkey.toml` through the command line: found, refused, and the same as the flags.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::place::{Place, ran};
use crate::keys::made::{self, Kind};

/// The receipt of a run with these flags, without what differs from run to run.
fn receipt(place: &Place, flags: &[&str]) -> Value {
    let args = [&["run", "--receipt", "receipt.json"], flags, &["--", "true"]].concat();
    ran(&mut place.valetkey(&args)).is(0);
    let text = std::fs::read_to_string(place.project().join("receipt.json")).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    for field in ["started", "duration_ms"] {
        value[field] = Value::Null;
    }
    value
}

#[test]
fn a_file_above_the_working_directory_means_what_the_flags_mean() {
    let place = Place::new();
    let deep = place.project().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let path = place.write("id", &made::key(Kind::P256).text);
    let source = format!("file:{}", path.display());
    let flags = receipt(
        &place,
        &[
            "--key",
            "env:KEY",
            "--key",
            &format!("lib={source}"),
            "--host",
            "github.com",
            "--host",
            "gitlab.com",
            "--user",
            "me",
            "--max-signatures",
            "3",
            "--time-limit",
            "5m",
        ],
    );
    let text = "[[grant]]\nkey = \"env:KEY\"\nhost = [\"github.com\", \"gitlab.com\"]\nuser = \"me\"\nmax_signatures = 3\ntime_limit = \"5m\"\n
        [[grant]]\nid = \"lib\"\nkey = \"file:id\"\nhost = [\"github.com\", \"gitlab.com\"]\nuser = \"me\"\nmax_signatures = 3\ntime_limit = \"5m\"\n";
    place.write("valetkey.toml", text);
    assert_eq!(receipt(&place, &[]), flags);
    let mut below = place.valetkey(&["run", "--dry-run", "--", "true"]);
    ran(below.current_dir(&deep))
        .is(0)
        .shows(&["# lend env:KEY as ssh id default", &format!("# lend {source} as ssh id lib")]);
    // One host needs no list.
    place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\nhost = \"github.com\"\n");
    assert_eq!(receipt(&place, &[]), receipt(&place, &["--no-config", "--key", "env:KEY", "--host", "github.com"]));
}

#[test]
fn a_key_flag_replaces_the_grants_and_other_flags_hold_for_all() {
    let place = Place::new();
    place.write("valetkey.toml", "[[grant]]\nkey = \"env:NOTHING\"\n[[grant]]\nid = \"b\"\nkey = \"env:NOTHING\"\n");
    place.lend(&["--", "true"]).is(0);
    let run = |flags: &[&str]| ran(&mut place.valetkey(&[&["run"], flags, &["--", "true"]].concat()));
    run(&[]).is(111).says(&["env:NOTHING"]);
    run(&["--no-config"]).is(110).says(&["no key was named"]);
    place.write(
        "valetkey.toml",
        "[[grant]]\nkey = \"env:KEY\"\nuser = \"a\"\n[[grant]]\nid = \"b\"\nkey = \"env:KEY\"\n",
    );
    let receipt = receipt(&place, &["--user", "me", "--max-signatures", "2"]);
    let users: Vec<&Value> = receipt["identities"].as_array().unwrap().iter().map(|lent| &lent["user"]).collect();
    assert_eq!(users, ["me", "me"]);
}

#[test]
fn another_file_is_named_with_config_and_must_be_there() {
    let place = Place::new();
    place.write("other.toml", "[[grant]]\nkey = \"env:KEY\"\n");
    ran(&mut place.valetkey(&["run", "--config", "other.toml", "--", "true"])).is(0);
    ran(&mut place.valetkey(&["run", "--config", "none.toml", "--", "true"]))
        .is(110)
        .says(&["failed to read none.toml"]);
    ran(&mut place.valetkey(&["run", "--config", "other.toml", "--no-config", "--", "true"]))
        .is(110)
        .says(&["--no-config"]);
}

#[test]
fn an_unknown_field_is_named_with_its_line_and_the_nearest_known_one() {
    let place = Place::new();
    for (text, line, near) in [
        ("[[grant]]\nkey = \"env:KEY\"\nmax_signature = 3\n", 3, "max_signatures"),
        ("[[grant]]\nkey = \"env:KEY\"\n[[host]]\nnam = \"x\"\n", 4, "name"),
        ("[[grants]]\nkey = \"env:KEY\"\n", 1, "grant"),
    ] {
        let path = place.write("valetkey.toml", text);
        let ran = ran(&mut place.valetkey(&["run", "--", "touch", "started"]));
        ran.is(110)
            .says(&[&format!("{}, line {line}: unknown field", path.display()), &format!("did you mean \"{near}\"?")]);
    }
    assert!(!place.project().join("started").exists());
}

#[test]
fn a_file_that_others_could_have_written_is_refused_until_it_is_closed_to_them() {
    let place = Place::new();
    let path = place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\n");
    let run = |flags: &[&str]| ran(&mut place.valetkey(&[&["run"], flags, &["--", "true"]].concat()));
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o602, 0o646, 0o666] {
        mode(open);
        for flags in [&[][..], &["--config", "valetkey.toml"]] {
            run(flags).is(110).says(&["can be written by others", "hint: chown and chmod go-w"]);
        }
        run(&["--no-config", "--key", "env:KEY"]).is(0);
    }
    mode(0o644);
    run(&[]).is(0);
    // Another user's. Only root can make such a file, and the checks run as root.
    std::os::unix::fs::chown(&path, Some(4242), None).unwrap();
    run(&[]).is(110).says(&["belongs to another user"]);
    // A group with members.
    std::os::unix::fs::chown(&path, Some(0), Some(4242)).unwrap();
    run(&[]).is(0);
    mode(0o660);
    run(&[]).is(110).says(&["can be written by others"]);
}

#[test]
fn a_host_of_the_file_is_pinned_by_its_keys_and_gets_its_line() {
    let place = Place::new();
    let line = made::key(Kind::P256).line.trim();
    let key = line.rsplit_once(" made").map_or(line, |(key, _)| key);
    let text = format!(
        "[[grant]]\nkey = \"env:KEY\"\nhost = \"git.example\"\n[[host]]\nname = \"git.example\"\nkeys = [\"{key}\"]\nbinds = false\n"
    );
    place.write("valetkey.toml", &text);
    let run = || ran(&mut place.valetkey(&["run", "--", "sh", "-c", "cat $VALETKEY_KNOWN_HOSTS"]));
    run().is(0).shows(&[&format!("git.example {key}\n")]).never_says(&["warning:", "github.com"]);
    let receipt = receipt(&place, &[]);
    assert_eq!(receipt["identities"][0]["unbound_hosts"], serde_json::json!(["git.example"]));
    place.write("valetkey.toml", text.replace("binds = false", "binds = true"));
    let receipt = self::receipt(&place, &[]);
    assert_eq!(receipt["identities"][0]["unbound_hosts"], serde_json::json!([]));
}

#[test]
fn a_host_that_has_a_fingerprint_alone_gives_no_line_and_that_is_said() {
    let place = Place::new();
    let print = valetkey::hosts::Fingerprint::of(&made::key(Kind::P256).blob);
    let text = format!(
        "[[grant]]\nkey = \"env:KEY\"\nhost = \"git.example\"\n[[host]]\nname = \"git.example\"\nfingerprint = \"{print}\"\n"
    );
    place.write("valetkey.toml", &text);
    let run = || ran(&mut place.valetkey(&["run", "--", "sh", "-c", "grep -c git.example $VALETKEY_KNOWN_HOSTS"]));
    run().is(1).shows(&["0\n"]).says(&["warning: git.example: pinned by fingerprint alone", "host add"]);
    // A grant for every host includes it; one for another host does not.
    place.write("valetkey.toml", text.replace("host = \"git.example\"\n", ""));
    run().says(&["warning: git.example: pinned by fingerprint alone"]);
    place.write("valetkey.toml", text.replace("host = \"git.example\"", "host = \"github.com\""));
    run().is(1).never_says(&["by fingerprint alone"]);
}

#[test]
fn repositories_are_said_not_to_be_enforced_by_the_agent() {
    let place = Place::new();
    place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\nrepos = [\"a/b\"]\n");
    ran(&mut place.valetkey(&["run", "--lend", "agent", "--", "true"]))
        .is(0)
        .says(&["warning: an agent cannot see repositories"]);
}

#[test]
fn a_passphrase_of_the_file_is_not_repeated_where_it_names_no_place() {
    let place = Place::new();
    for typed in ["hunter2", "agent:hunter2", "/hunter2"] {
        place.write("valetkey.toml", format!("[[grant]]\nkey = \"env:KEY\"\npassphrase_from = \"{typed}\"\n"));
        let ran = ran(&mut place.valetkey(&["run", "--", "true"]));
        ran.is(110).says(&["passphrase_from in [[grant]] 1 of"]).never_says(&["hunter2"]);
    }
}

/// How a run with this file and these flags lends each ssh id, by its receipt.
fn lent(place: &Place, text: &str, flags: &[&str]) -> Vec<(String, String)> {
    place.write("valetkey.toml", text);
    let receipt = receipt(place, flags);
    let identities = receipt["identities"].as_array().unwrap();
    let word = |identity: &Value, field: &str| identity[field].as_str().unwrap().to_owned();
    identities.iter().map(|identity| (word(identity, "id"), word(identity, "lending"))).collect()
}

#[test]
fn how_access_is_lent_is_said_by_the_flag_before_the_grant_and_by_the_grant_before_the_file() {
    let place = Place::new();
    let grant = |id: &str, more: &str| format!("[[grant]]\nid = \"{id}\"\nkey = \"env:KEY\"\n{more}");
    let repos = "repos = [\"a/b\"]\n";
    let file = |top: &str| format!("{top}{}{}", grant("default", repos), grant("lib", "lend = \"gateway\"\n"));
    let ids = |first: &str, second: &str| [("default".into(), first.into()), ("lib".into(), second.into())];
    assert_eq!(lent(&place, &file(""), &[]), ids("gateway", "gateway"));
    assert_eq!(lent(&place, &file("lend = \"agent\"\n"), &[]), ids("agent", "gateway"));
    assert_eq!(lent(&place, &file("lend = \"agent\"\n"), &["--lend", "gateway"]), ids("gateway", "gateway"));
    assert_eq!(lent(&place, &file("lend = \"gateway\"\n"), &["--lend", "agent"]), ids("agent", "agent"));
    assert_eq!(lent(&place, &file("lend = \"agent\"\n"), &["--lend", "auto"]), ids("gateway", "agent"));
    // The top level holds for typed keys too.
    let typed = ["--key", "env:KEY"];
    assert_eq!(lent(&place, "lend = \"gateway\"\n", &typed), [("default".into(), "gateway".into())]);
    assert_eq!(lent(&place, "", &typed), [("default".into(), "agent".into())]);
}

#[test]
fn one_ssh_id_is_not_lent_in_two_ways_and_another_way_is_no_way() {
    let place = Place::new();
    let grant = "[[grant]]\nkey = \"env:KEY\"\n";
    let run = |text: String| {
        place.write("valetkey.toml", text);
        ran(&mut place.valetkey(&["run", "--", "true"]))
    };
    run(format!("{grant}lend = \"gateway\"\n{grant}lend = \"agent\"\n"))
        .is(110)
        .says(&["error: the grant of env:KEY is to be lent by agent", "hint: an ssh id is one socket"]);
    run(format!("lend = \"both\"\n{grant}"))
        .is(110)
        .says(&[
            "error: failed to understand lend in the top level of",
            "hint: lend = \"gateway\", \"agent\" or \"auto\"",
        ])
        .never_says(&["both"]);
}
