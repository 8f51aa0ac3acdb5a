//! How a lease in the background ends: `stop`, the end of its job, its time limit, a signal, a kill.

use std::path::{Path, PathBuf};

use super::job::{answers, runs};
use crate::keys::made;
use crate::run::place::{Place, line_of, until};

const NONE: [PathBuf; 0] = [];
const START: &str = "valetkey start --no-config --key env:KEY";

#[test]
fn stop_ends_it_and_says_what_was_lent_and_gives_the_environment_back() {
    let place = Place::new();
    let script = format!(
        "export SSH_AUTH_SOCK=mine; eval \"$({START})\"; ssh-add -l; pid=$(valetkey status --json | grep -o '\"pid\": [0-9]*' | head -1); \
         eval \"$(valetkey stop --receipt receipt.json)\"; echo \"$SSH_AUTH_SOCK ${{VALETKEY_LEASE-none}} $pid\""
    );
    let ran = place.job(&script);
    ran.is(0).says(&["lent ssh-ed25519", "signed no login", "the lease is over after"]);
    ran.shows(&[made::COMMENT, "mine none"]);
    let pid = ran.out.rsplit(' ').next().unwrap().trim().to_owned();
    assert!(!runs(&pid), "stop comes back when the process is gone");
    assert_eq!(place.leases(), NONE);
    let receipt: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.project().join("receipt.json")).unwrap()).unwrap();
    assert_eq!((&receipt["ended_by"], &receipt["tool"]), (&"stop".into(), &"start".into()));
    assert!(receipt["exit_code"].is_null());
}

#[test]
fn a_second_stop_and_a_stop_without_a_lease_succeed() {
    let place = Place::new();
    let script =
        format!("eval \"$({START})\"; valetkey stop >/dev/null; valetkey stop; unset VALETKEY_LEASE; valetkey stop");
    place.job(&script).is(0).says(&["is over already", "no lease is there to be ended"]);
}

#[test]
fn it_ends_with_the_shell_that_it_was_started_in_and_stop_still_has_its_summary() {
    let place = Place::new();
    let receipt = place.project().join("receipt.json");
    let started = place.job(&format!("eval \"$({START} --receipt receipt.json)\"; ssh-add -l; echo $VALETKEY_LEASE"));
    started.is(0).shows(&[made::COMMENT]);
    let lease = started.out.lines().last().unwrap().to_owned();
    until("the lease is gone", || (!Path::new(&lease).exists()).then_some(()));
    until("its receipt is there", || receipt.exists().then_some(()));
    let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&receipt).unwrap()).unwrap();
    assert_eq!(read["ended_by"], "job");
    let stop = || place.job(&format!("valetkey stop --lease {lease}"));
    stop().is(0).says(&["lent ssh-ed25519", "the lease ended with its job after"]);
    stop().is(0).says(&["nothing is known of it any more"]);
}

/// Of the next shell, as GitLab's `after_script` is.
#[test]
fn stop_at_the_very_moment_that_it_ends_by_itself_has_its_summary() {
    for _ in 0..40 {
        let place = Place::new();
        let script = format!(
            "lease=$(sh -c 'eval \"$({START} --until-exit $$ 2>err)\"; echo $VALETKEY_LEASE'); valetkey stop --lease $lease --receipt receipt.json"
        );
        let ran = place.job(&script);
        ran.is(0).says(&["lent ssh-ed25519", "the lease "]);
        assert!(place.project().join("receipt.json").exists(), "{}", ran.err);
        // Beside leases lies the folder of what ended ones said.
        until("its folder is gone", || place.leases().iter().all(|path| path.ends_with("ended")).then_some(()));
    }
}

#[test]
fn a_subshell_and_a_pipe_are_not_taken_for_the_job() {
    let place = Place::new();
    let script = format!(
        "({START} >vars); {START} | cat >more; . ./vars; ssh-add -l; . ./more; ssh-add -l; valetkey stop --all"
    );
    let ran = place.job(&script);
    ran.is(0);
    assert_eq!(ran.out.matches(made::COMMENT).count(), 2, "{ran:?}");
    assert_eq!(place.leases(), NONE);
}

#[test]
fn a_shell_inside_of_a_shell_of_the_same_words_is_a_job_of_its_own() {
    let place = Place::new();
    // Both are `sh` and nothing else, as where a person types it.
    let script = format!("{START} >vars; cat vars");
    let ran = place.job(&format!("printf '%s' '{script}' | sh >vars2; . ./vars2; while [ -e $VALETKEY_LEASE ]; do :; done; ! ssh-add -l 2>/dev/null"));
    ran.is(0);
}

#[test]
fn it_lasts_for_the_process_that_was_typed_and_no_longer() {
    let place = Place::new();
    let script = format!(
        "sleep 600 & job=$!; {START} --until-exit $job --peers user >vars; . ./vars; echo $VALETKEY_LEASE; ssh-add -l >&2; kill $job; \
         while [ -e $VALETKEY_LEASE ]; do :; done; ssh-add -l >&2 || echo over"
    );
    let ran = place.job(&script);
    ran.is(0).shows(&["over"]);
    ran.says(&["every process of this user is answered"]);
    assert_eq!(ran.err.matches(made::COMMENT).count(), 1, "{ran:?}");
}

#[test]
fn a_process_that_is_not_there_is_refused_before_a_key_is_read() {
    let place = Place::new();
    let script = "sleep 0 & gone=$!; wait $gone; valetkey start --no-config --key env:NO_SUCH --until-exit $gone";
    place.job(script).is(110).says(&["there is no process", "for the lease to last for"]);
    for pid in ["0", "-1", "x"] {
        place.job(&format!("valetkey start --no-config --key env:KEY --until-exit={pid}")).is(110);
    }
}

#[test]
fn it_ends_at_its_time_limit() {
    let place = Place::new();
    let script = format!(
        "{START} --time-limit 1s >vars; . ./vars; ssh-add -l; while [ -e $VALETKEY_LEASE ]; do :; done; ssh-add -l || echo over; \
         until valetkey stop 2>err; grep -q 'time limit' err; do :; done; cat err >&2"
    );
    place.job(&script).is(0).shows(&[made::COMMENT, "over"]).says(&["ended at its time limit"]);
}

#[test]
fn a_signal_to_its_process_ends_it_in_order() {
    let place = Place::new();
    for signal in ["TERM", "INT", "HUP"] {
        let script = format!(
            "{START} --receipt {signal}.json >vars; . ./vars; kill -{signal} $(grep -o '\"pid\":[0-9]*' $VALETKEY_LEASE/lease.json | head -1 | cut -d: -f2); \
             while [ -e $VALETKEY_LEASE ]; do :; done; until [ -s {signal}.json ]; do :; done; ssh-add -l || echo over"
        );
        place.job(&script).is(0).shows(&["over"]);
        let receipt = std::fs::read_to_string(place.project().join(format!("{signal}.json"))).unwrap();
        assert!(receipt.contains("\"ended_by\": \"signal\""), "{receipt}");
    }
}

#[test]
fn a_kill_leaves_nothing_that_answers_and_the_next_start_sweeps_up() {
    let place = Place::new();
    let script = format!(
        "{START} >vars; . ./vars; echo $SSH_AUTH_SOCK; kill -KILL $(grep -o '\"pid\":[0-9]*' $VALETKEY_LEASE/lease.json | head -1 | cut -d: -f2); \
         until ! ssh-add -l 2>/dev/null; do :; done"
    );
    let killed = place.job(&script);
    let socket = killed.is(0).out.trim().to_owned();
    assert!(Path::new(&socket).exists() && !answers(&socket), "the control: it could not clean up");
    let text = &made::key(made::Kind::Ed25519).text;
    let secret: Vec<&str> = text.lines().filter(|line| !line.starts_with("---")).collect();
    for entry in std::fs::read_dir(Path::new(&socket).parent().unwrap()).unwrap() {
        let held = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let held = String::from_utf8_lossy(&held);
        assert!(!secret.iter().any(|line| held.contains(line)));
    }
    place.job(&format!("eval \"$({START})\"; ssh-add -l; valetkey stop >/dev/null")).is(0).shows(&[made::COMMENT]);
    assert_eq!(place.leases(), NONE, "the killed one is swept up");
}

#[test]
fn stop_sweeps_up_what_a_kill_left_and_gives_the_environment_back() {
    let place = Place::new();
    let script = format!(
        "eval \"$({START})\"; kill -KILL $(grep -o '\"pid\":[0-9]*' $VALETKEY_LEASE/lease.json | head -1 | cut -d: -f2); \
         until ! ssh-add -l 2>/dev/null; do :; done; eval \"$(valetkey stop --receipt r.json)\"; echo ${{SSH_AUTH_SOCK-none}}"
    );
    place.job(&script).is(0).shows(&["none"]).says(&["is over already", "so there is no receipt"]);
    assert_eq!(place.leases(), NONE);
}

#[test]
fn several_live_side_by_side_and_stop_asks_which_is_meant() {
    let place = Place::new();
    let script = format!(
        "{START} >a; {START} --key b=env:KEY >b; if valetkey stop; then exit 9; fi; . ./a; ssh-add -l; valetkey stop >/dev/null; . ./b; ssh-add -l; \
         valetkey status; valetkey stop --all; valetkey status"
    );
    let ran = place.job(&script);
    ran.is(0).says(&["2 leases are there", "name one with --lease", "no lease is in the background"]);
    assert_eq!(ran.out.matches(made::COMMENT).count(), 4, "two lists, and one lease with two ids: {ran:?}");
}

#[test]
fn what_was_open_in_the_caller_does_not_stay_open_in_the_lease() {
    let place = Place::new();
    made::run("mkfifo", &[made::path_str(&place.project().join("pipe"))]);
    // The reader sees the end of the pipe while the lease goes on.
    let script = format!(
        "cat <pipe >read & exec 7>pipe; {START} >vars; echo x >&7; exec 7>&-; wait; cat read; . ./vars; ssh-add -l; valetkey stop >/dev/null"
    );
    place.job(&script).is(0).shows(&["x", made::COMMENT]);
}

#[test]
fn a_start_that_fails_leaves_no_lease_and_has_its_own_exit_code() {
    let place = Place::new();
    for (flags, code, said) in [
        ("--key env:NO_SUCH", 111, "NO_SUCH"),
        ("--key env:KEY --receipt no/such/folder", 114, "failed to write the receipt"),
        ("--key env:KEY --dotenv no/such/folder", 114, "failed to write no/such/folder"),
        ("--key env:KEY --github-env", 110, "GITHUB_ENV"),
        ("--key env:KEY --host nowhere.example", 112, "no host key is pinned"),
    ] {
        place.job(&format!("valetkey start --no-config {flags}")).is(code).says(&[said]);
        assert_eq!(place.leases(), NONE, "{flags}");
    }
    place.job(&format!("{START} >vars; valetkey stop --all")).is(0);
    assert_eq!(line_of(&place.project().join("vars")).split('=').next(), Some("export SSH_AUTH_SOCK"), "the control");
}
