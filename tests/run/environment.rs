//! The environment of the wrapped command: what is added, and that no secret is in it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use super::place::{Place, Ran, ran};
use crate::keys::made::{self, Kind};

fn variables(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once('=')).collect()
}

fn locked(place: &Place) -> String {
    let path = place.write("locked", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&path)]);
    std::fs::read_to_string(path).unwrap()
}

/// `valetkey run` of an encrypted key and its passphrase from variables, with an agent around.
fn lend(place: &Place, path: &str, args: &[&str]) -> Ran {
    let flags = ["run", "--key", "env:LOCKED", "--key", "env:KEY", "--passphrase-from", "env:PASS", "--"];
    let mut command = place.valetkey(&[&flags[..], args].concat());
    command.env("LOCKED", locked(place)).env("PASS", "hunter two").env("MINE", "stays").env("PATH", path);
    ran(command.env("SSH_AUTH_SOCK", "/my/own/agent").env("SSH_AGENT_PID", "42"))
}

fn path() -> String {
    std::env::var("PATH").unwrap()
}

#[test]
fn a_command_gets_the_lent_agent_and_no_variable_that_held_a_secret() {
    let place = Place::new();
    let ran = lend(&place, &path(), &["env"]);
    let variables = variables(&ran.is(0).out);
    for name in ["LOCKED", "PASS", "KEY", "SSH_AGENT_PID"] {
        assert_eq!(variables.get(name), None, "{name}");
    }
    assert_eq!(variables["MINE"], "stays", "the control");
    let base = place.at("run/valetkey");
    let base = base.to_str().unwrap();
    assert!(variables["SSH_AUTH_SOCK"].starts_with(base) && variables["SSH_AUTH_SOCK"].ends_with("/agent.sock"));
    assert!(variables["VALETKEY_KNOWN_HOSTS"].starts_with(base));
    ran.never_says(&["hunter two", "PRIVATE KEY"]);
}

#[test]
fn no_process_below_valetkey_has_the_secret_in_its_environment() {
    let place = Place::new();
    let script = "for p in $(cat /proc/$PPID/task/$PPID/children) self; do
        tr '\\0' '\\n' </proc/$p/environ | grep -c -e 'hunter two' -e 'PRIVATE KEY'; done";
    let ran = lend(&place, &path(), &["sh", "-c", script]);
    assert_eq!(ran.out, "0\n0\n0\n", "the witness of signals, the command, and what it runs: {ran:?}");
    // The control: the same search finds it where it was given.
    let own = ran_alone(&place);
    assert!(own.contains("PRIVATE KEY"));
}

fn ran_alone(place: &Place) -> String {
    ran(place.command("sh").args(["-c", "tr '\\0' '\\n' </proc/self/environ"])).out
}

#[test]
fn a_double_of_docker_keeps_the_own_agent_and_gets_no_secret_either() {
    let place = Place::new();
    let folder = place.at("bin");
    std::fs::create_dir(&folder).unwrap();
    // Written by another process: a program that is open for writing does not start.
    made::run(
        "sh",
        &["-c", "printf '#!/bin/sh\\necho \"$@\" >>asked\\nenv\\n' >\"$0/docker\"", folder.to_str().unwrap()],
    );
    std::fs::set_permissions(folder.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = lend(&place, &format!("{}:{}", folder.display(), path()), &["docker", "build", "."]);
    let variables = variables(&ran.is(0).out);
    for name in ["LOCKED", "PASS", "KEY"] {
        assert_eq!(variables.get(name), None, "{name}");
    }
    assert_eq!((variables["SSH_AUTH_SOCK"], variables["SSH_AGENT_PID"]), ("/my/own/agent", "42"));
    assert!(variables.contains_key("VALETKEY_KNOWN_HOSTS"));
    let asked = std::fs::read_to_string(place.project().join("asked")).unwrap();
    let sockets = format!("--ssh default={}/valetkey/", place.at("run").display());
    assert!(asked.contains(&sockets), "the control: it was lent the key by its flag: {asked}");
}

#[test]
fn the_known_hosts_file_is_there_for_any_command_and_ssh_keygen_reads_it() {
    let place = Place::new();
    let ran = place.lend_to("ssh-keygen -F github.com -f $VALETKEY_KNOWN_HOSTS && stat -c %a $VALETKEY_KNOWN_HOSTS");
    ran.is(0).shows(&["github.com,[ssh.github.com]:443 ssh-ed25519 ", "644\n"]);
}
