//! Whom a lease in the background answers: what descends from its job, and nobody beside it.

use std::process::Stdio;

use super::job::answers;
use crate::keys::made;
use crate::run::place::{Place, line_of};

const START: &str = "valetkey start --no-config --key env:KEY";

#[test]
fn another_step_that_does_not_descend_from_the_job_gets_no_answer_and_is_named() {
    let place = Place::new();
    // The job asks, and waits until we, who are its parent, have asked as well.
    let script =
        format!("eval \"$({START})\"; ssh-add -l; echo $SSH_AUTH_SOCK >socket; read go; valetkey stop >/dev/null");
    let mut job = place.shell(&script);
    let mut job = job.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let socket = line_of(&place.project().join("socket"));
    assert!(!answers(&socket));
    std::io::Write::write_all(&mut job.stdin.take().unwrap(), b"go\n").unwrap();
    let ran = crate::run::place::ended(job);
    ran.is(0).shows(&[made::COMMENT]).says(&["refused: a process outside of the job (ssh-add", "--until-exit PID"]);
}

#[test]
fn what_the_job_replaces_itself_with_is_answered() {
    let place = Place::new();
    place.job(&format!("eval \"$({START})\"; exec ssh-add -l")).is(0).shows(&[made::COMMENT]);
}

#[test]
fn every_process_of_this_user_is_answered_only_where_that_was_asked_for() {
    let place = Place::new();
    let script =
        format!("eval \"$({START} --peers user)\"; echo $SSH_AUTH_SOCK >socket; read go; valetkey stop >/dev/null");
    let mut job = place.shell(&script);
    let mut job = job.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(answers(&line_of(&place.project().join("socket"))));
    std::io::Write::write_all(&mut job.stdin.take().unwrap(), b"go\n").unwrap();
    crate::run::place::ended(job).is(0).says(&["every process of this user is answered, whatever started it"]);
}

#[test]
fn the_runners_worker_is_the_job_and_its_steps_are_answered_after_the_one_that_started_it() {
    let place = Place::new();
    // A process of that name, as GitHub's runner has one; its steps are shells one after the other.
    std::os::unix::fs::symlink("/bin/sh", place.project().join("Runner.Worker")).unwrap();
    let script = format!(
        "./Runner.Worker -euc 'sh -euc \"{START} >vars\"; sh -euc \". ./vars; ssh-add -l\"; echo'; . ./vars; \
        while [ -e $VALETKEY_LEASE ]; do :; done; ! ssh-add -l 2>/dev/null"
    );
    let ran = place.job(&script);
    ran.is(0).shows(&[made::COMMENT]).says(&["every process below Runner.Worker"]);
}

#[test]
fn in_a_container_of_a_github_job_it_says_that_it_cannot_tell_and_answers_this_user() {
    let place = Place::new();
    let ran = place.job(&format!(
        "export GITHUB_ACTIONS=true; eval \"$({START})\"; (setsid ssh-add -l); valetkey stop >/dev/null"
    ));
    ran.is(0).shows(&[made::COMMENT]).says(&["it cannot be told which are the job's"]);
}

#[test]
fn the_memory_and_descriptors_of_its_process_are_closed_to_this_user() {
    // As root everything is open: another user looks.
    let place = Place::new();
    let script = format!(
        "eval \"$({START})\"; pid=$(grep -o '\"pid\":[0-9]*' $VALETKEY_LEASE/lease.json | head -1 | cut -d: -f2); \
        stat -c %u /proc/$pid/mem /proc/$pid/environ /proc/$pid/fd; tr '\\0' '\\n' </proc/$pid/cmdline; valetkey stop >/dev/null"
    );
    let ran = place.job(&script);
    let owners: Vec<&str> = ran.is(0).out.lines().take(3).collect();
    // What is not dumpable belongs to root (proc(5)), whoever runs it.
    assert_eq!(owners, ["0", "0", "0"]);
    ran.shows(&["env:KEY"]);
    let secret = &made::key(made::Kind::Ed25519).text;
    assert!(!ran.out.contains(secret.lines().nth(1).unwrap()));
}
