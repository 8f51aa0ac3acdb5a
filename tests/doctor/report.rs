//! The report itself: for people, for machines, in order, with leases and clock.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::examined::{examined, with_flags};
use crate::run::place::{Place, VALETKEY, line_of, ran};
use crate::run::terminal::{Terminal, code};

#[test]
fn the_sections_come_in_the_order_in_which_a_person_reads() {
    let place = Place::new();
    let ran = ran(&mut place.valetkey(&["doctor", "--key", "env:KEY", "--host", "127.0.0.1:1"]));
    let titles = ["Tool\n", "Project\n", "Keys and secrets\n", "Hosts and repositories\n", "Machine\n"];
    let at: Vec<_> =
        titles.iter().map(|title| ran.out.find(title).unwrap_or_else(|| panic!("{title}: {ran:#?}"))).collect();
    assert!(at.is_sorted(), "{ran:#?}");
    ran.is(112).shows(&["2 failures"]);
}

#[test]
fn json_has_its_version_and_no_line_beside_it() {
    let examined = with_flags(&Place::new(), &["--key", "env:KEY"]);
    examined.is(0);
    assert_eq!(examined.report["version"], 1);
    assert_eq!(examined.report["tool"]["name"], "valetkey");
    for check in examined.report["checks"].as_array().unwrap() {
        let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["check", "code", "hint", "said", "section", "state"]);
        assert!(["ok", "warning", "failure", "not checked"].contains(&check["state"].as_str().unwrap()));
    }
    assert_eq!(examined.ran.err, "");
}

#[test]
fn colour_and_width_are_a_terminals() {
    let shown = |variables: &[&str]| {
        let (place, terminal) = (Place::new(), Terminal::new());
        let command = [&["env"], variables, &[VALETKEY, "doctor", "--key", "env:KEY"]].concat();
        assert_eq!(code(terminal.start(&place, &command)), Some(0));
        terminal.until_shown("nothing failed");
        terminal.shown()
    };
    assert!(shown(&[]).contains("\x1b[32mok\x1b[0m"));
    for variables in [["NO_COLOR=1"], ["TERM=dumb"]] {
        assert!(!shown(&variables).contains('\x1b'));
    }
    ran(&mut Place::new().valetkey(&["doctor", "--key", "env:KEY"])).is(0).never_says(&["\x1b"]);
}

#[test]
fn a_config_that_is_broken_is_told_and_the_rest_is_checked_all_the_same() {
    let place = Place::new();
    let broken = examined(&place, "[[grant]]\nkye = \"env:KEY\"\n", &[]);
    broken.is(110).stands(&[("config", "failure"), ("leases", "ok"), ("clock", "ok")]);
    broken.says("config", &["unknown field \"kye\"", "did you mean \"key\"?"]);
    let found = examined(&place, "[[grant]]\nkey = \"env:KEY\"\n", &[]);
    found.is(0).says("config", &["valetkey.toml", "grants: 1"]);
    let open = place.project().join("valetkey.toml");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
    with_flags(&place, &[]).is(110).says("config", &["can be written by others", "chmod"]);
    fs::remove_file(open).unwrap();
    with_flags(&place, &[]).is(110).says("config", &["no key was named"]);
}

#[test]
fn what_is_said_of_lending_is_said_here_too() {
    let config = "[[grant]]\nkey = \"env:KEY\"\nrepos = [\"org/repo\"]\nlend = \"agent\"\n";
    examined(&Place::new(), config, &[]).says("config", &["`repos` is not enforced"]);
}

#[test]
fn a_lease_that_is_held_is_listed_and_what_a_kill_left_is_warned_of() {
    let place = Place::new();
    with_flags(&place, &["--key", "env:KEY"]).stands(&[("leases", "ok")]).lacks("stale-leases");
    assert!(place.leases().is_empty(), "doctor leaves none of its own");
    let left = place.at("run/valetkey/0123456789abcdef");
    fs::create_dir_all(&left).unwrap();
    for folder in [&left, &place.at("run/valetkey")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::write(left.join("lock"), "").unwrap();
    with_flags(&place, &["--key", "env:KEY"]).is(0).says("stale-leases", &["0123456789abcdef", "valetkey run"]);
    let script = "echo up >up; exec sleep 600";
    let mut running = place.valetkey(&["run", "--key", "env:KEY", "--", "sh", "-c", script]).spawn().unwrap();
    line_of(&place.project().join("up"));
    let held = place.leases();
    let seen = with_flags(&place, &["--key", "env:KEY"]);
    seen.is(0).lacks("stale-leases").says("leases", &[held[0].file_name().unwrap().to_str().unwrap()]);
    crate::keys::made::run("kill", &["-TERM", &running.id().to_string()]);
    running.wait().unwrap();
    assert!(place.leases().is_empty());
}

#[test]
fn a_clock_behind_the_config_is_told() {
    let place = Place::new();
    let path = place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\n");
    with_flags(&place, &[]).stands(&[("clock", "ok")]);
    crate::keys::made::run("touch", &["-d", "2099-01-01", crate::keys::made::path_str(&path)]);
    with_flags(&place, &[]).is(112).says("clock", &["the clock is behind", "valetkey.toml"]);
}

#[test]
fn a_folder_of_leases_that_is_not_ours_alone_is_told_and_the_rest_goes_on() {
    let place = Place::new();
    let base = place.at("run/valetkey");
    fs::create_dir(&base).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
    let seen = with_flags(&place, &["--key", "env:KEY"]);
    seen.is(114).says("lease-folder", &["is not a folder of this user alone"]).stands(&[("key", "ok")]);
    // As `run` ends.
    ran(&mut place.valetkey(&["run", "--key", "env:KEY", "--", "true"])).is(114);
}
