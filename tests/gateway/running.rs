//! A command that runs when the lease ends, by its time limit or by a kill.

use std::fs;
use std::time::{Duration, Instant};

use super::place::{Place, SETTINGS};
use crate::agent::server::Server;

/// How long anything may take; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Servers that say nothing until stdin ends: one for russh, one for `ssh`.
fn waiting() -> [Place; 2] {
    let settings = format!("{SETTINGS}ForceCommand exec cat\n");
    let (one, rsa) = (Server::with(&settings), Server::with_rsa_alone(&settings));
    let pins = [one.known_hosts("", &["ed25519"]), rsa.known_hosts("", &["rsa"])];
    [Place::at(one, &pins[0]), Place::at(rsa, &pins[1])]
}

#[track_caller]
fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether an `ssh` runs that goes to this server.
fn ssh_runs(place: &Place) -> bool {
    let alias = format!("HostKeyAlias={}", place.server.name());
    let is = |pid: &std::path::Path| {
        fs::read(pid.join("cmdline")).is_ok_and(|line| line.split(|b| *b == 0).any(|word| word == alias.as_bytes()))
    };
    fs::read_dir("/proc").unwrap().flatten().any(|entry| is(&entry.path()))
}

#[test]
fn the_time_limit_of_the_lease_cuts_a_running_clone() {
    std::thread::scope(|scope| {
        for place in waiting() {
            scope.spawn(move || {
                let began = Instant::now();
                let lending = place.lending(&["org/repo"], "").flags(["--time-limit", "4s"]);
                let ended = place.sh(&lending, &format!("git clone -q {} a; echo code $?", place.url("org/repo")));
                assert_eq!(ended.stdout, "code 128\n", "{}", ended.report());
                assert_eq!(
                    (place.server.accepted(), &ended.receipt["ended_by"]),
                    (1, &"time-limit".into()),
                    "{}",
                    ended.report()
                );
                assert!(began.elapsed() >= Duration::from_secs(4), "{}", ended.report());
                assert!(ended.receipt["repositories"][0]["exit"].is_null(), "{}", ended.report());
                assert!(!ssh_runs(&place));
            });
        }
    });
}

#[test]
fn a_kill_of_valetkey_leaves_no_ssh_behind() {
    let [_, place] = waiting();
    let lending = place.lending(&["org/repo"], "");
    let guest = super::place::guest(lending.folder());
    let script = format!("PATH={}:$PATH git clone -q {} a", guest.display(), place.url("org/repo"));
    let mut valetkey = lending.start(["sh", "-c", &script]);
    until("a login", || place.server.accepted() == 1);
    assert!(ssh_runs(&place), "the control");
    valetkey.kill().unwrap();
    valetkey.wait().unwrap();
    until("ssh ends", || !ssh_runs(&place));
}
