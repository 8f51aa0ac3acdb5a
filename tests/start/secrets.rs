//! Build secrets of a lease in the background: files in memory, for whichever tool comes later,
//! that are gone with the lease, however it ends.

use std::path::PathBuf;

use crate::run::place::{Place, line_of, until};

const SECRET: &str = "s3cret-of-a-job";
const START: &str = "export TOKEN=s3cret-of-a-job; eval \"$(valetkey start --no-config --secret t=env:TOKEN)\"; \
                     path=${VALETKEY_BUILD_ARGS##*src=}";

#[test]
fn a_later_step_reads_the_secret_and_after_stop_nobody_does() {
    let place = Place::new();
    let script = format!(
        "export SSH_AUTH_SOCK=mine; {START}; echo \"$SSH_AUTH_SOCK ${{TOKEN-unset}} $VALETKEY_BUILD_ARGS\"; \
         cat \"$path\"; stat -c ' %a' \"$path\"; stat -f -c %T \"$path\"; \
         eval \"$(valetkey stop --receipt receipt.json)\"; test ! -e \"$path\" && echo gone"
    );
    let ran = place.job(&script);
    ran.is(0).shows(&["mine unset --secret id=t,src=/", "s3cret-of-a-job 600\n", "tmpfs\n", "gone\n"]);
    ran.says(&["lent the secret t (raw, 15 bytes) from env:TOKEN", "the lease is over after"]);
    assert!(!ran.out.contains("id=known_hosts"), "{ran:?}");
    let receipt: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.project().join("receipt.json")).unwrap()).unwrap();
    assert_eq!((&receipt["secrets"][0]["id"], &receipt["lending"]), (&"t".into(), &"none".into()));
}

#[test]
fn a_kill_of_the_lease_takes_the_secret_with_it() {
    let place = Place::new();
    let script = format!(
        "{START}; cat \"$path\" >read; echo \"$path\" >path; \
         kill -KILL $(valetkey status --json | grep -o '\"pid\": [0-9]*' | head -1 | tr -dc 0-9)"
    );
    place.job(&script).is(0);
    assert_eq!(std::fs::read_to_string(place.project().join("read")).unwrap(), SECRET, "the control");
    let path = PathBuf::from(line_of(&place.project().join("path")));
    until("the secret is gone", || (!path.exists()).then_some(()));
}

#[test]
fn at_the_end_of_its_job_the_secret_is_gone() {
    let place = Place::new();
    let script = format!("{START}; cat \"$path\" >read; echo \"$path\" >path");
    place.job(&script).is(0);
    let path = PathBuf::from(line_of(&place.project().join("path")));
    until("the secret is gone", || (!path.exists()).then_some(()));
    assert_eq!(std::fs::read_to_string(place.project().join("read")).unwrap(), SECRET, "the control");
}
