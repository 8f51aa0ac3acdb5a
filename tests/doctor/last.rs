//! `run` records its lease and says in one line why its command failed; `doctor --last` explains it.
//! With real ssh and sshd, and with a double of docker that prints what the real one printed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::keys::made::{self, Kind};
use crate::run::place::{Place, Ran, VALETKEY, ran};
use crate::run::terminal::{Terminal, code};
use crate::sshd::Sshd;

/// How the one line ends.
const MORE: &str = "\"valetkey doctor --last\" says more";

fn record(place: &Place) -> PathBuf {
    place.at("state/valetkey/last.json")
}

fn text_of(place: &Place) -> String {
    std::fs::read_to_string(record(place)).unwrap()
}

/// A command of valetkey's in this place, with a folder for its record.
fn valetkey(place: &Place, args: &[&str]) -> Command {
    let mut command = place.valetkey(args);
    command.env("XDG_STATE_HOME", place.at("state"));
    command
}

fn lend(place: &Place, flags: &[&str], command: &[&str]) -> Ran {
    ran(&mut valetkey(place, &[&["run", "--key", "env:KEY"], flags, &["--"], command].concat()))
}

fn doctor(place: &Place, more: &[&str]) -> Ran {
    ran(&mut valetkey(place, &[&["doctor", "--last"], more].concat()))
}

fn json(place: &Place) -> Value {
    serde_json::from_str(&doctor(place, &["--json"]).is(0).out).unwrap()
}

fn ids(explained: &Value) -> Vec<&str> {
    explained["diagnoses"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

/// A double of docker that prints what the real one printed for this Dockerfile (see
/// tests/fixtures/build-output/ORIGIN.md), and the PATH that has it.
fn double_of_docker(place: &Place, build: &str, more: &str) -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/build-output");
    std::fs::copy(format!("{fixtures}/{build}.recipe"), place.project().join("Dockerfile")).unwrap();
    let folder = place.at("bin");
    let script = format!("#!/bin/sh\n{more}\ncat '{fixtures}/{build}.txt' >&2; exit 1\n");
    // Written by another process: a program that is open for writing does not start.
    let write = "mkdir -p \"$0\" && printf %s \"$1\" >\"$0/docker\" && chmod 755 \"$0/docker\"";
    made::run("sh", &["-c", write, made::path_str(&folder), &script]);
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

fn build(place: &Place, flags: &[&str], build: &str, more: &str) -> Ran {
    let path = double_of_docker(place, build, more);
    let args = [&["run", "--key", "env:KEY"], flags, &["--", "docker", "build", "."]].concat();
    ran(valetkey(place, &args).env("PATH", path))
}

/// Logs in to a server of the test's own, with whatever agent there is, and does what comes behind.
fn login(place: &Place, server: &Sshd, then: &str) -> (Ran, String) {
    let hosts = place.project().join("hosts");
    let line = std::fs::read_to_string(server.host_key("ed25519").with_extension("pub")).unwrap();
    std::fs::write(&hosts, format!("{} {line}", server.name())).unwrap();
    let hosts = made::path_str(&hosts);
    let user = String::from_utf8(made::run("id", &["-un"])).unwrap().trim().to_owned();
    let script = format!(
        "ssh -F none -o BatchMode=yes -o UserKnownHostsFile={hosts} -o GlobalKnownHostsFile=none -p {} {user}@127.0.0.1 true; {then}",
        server.port()
    );
    let ran = lend(place, &["--known-hosts", hosts, "--user", &user], &["sh", "-c", &script]);
    (ran, user)
}

#[test]
fn a_key_that_the_server_does_not_know_is_told_in_one_line_and_explained() {
    let (place, server) = (Place::new(), Sshd::start());
    let (ran, user) = login(&place, &server, "exit 5");
    let says = format!("{user}@127.0.0.1 does not take the key that was lent");
    ran.is(5).says(&[&format!("valetkey: {says}; {MORE}\n")]);
    doctor(&place, &[]).is(0).shows(&[
        &says,
        "(certain, login-refused)",
        "was asked once",
        "  do: register its public",
    ]);
    let explained = json(&place);
    assert_eq!(explained["format"], "valetkey-doctor-last/1");
    assert_eq!((&explained["last"]["exit_code"], &explained["last"]["asked"]), (&5.into(), &1.into()));
    assert_eq!(ids(&explained), ["login-refused"]);
}

#[test]
fn a_command_that_logged_in_and_failed_for_another_reason_is_told_nothing() {
    let (place, server) = (Place::new(), Sshd::start());
    std::fs::write(server.authorized_keys(), &made::key(Kind::Ed25519).line).unwrap();
    let (ran, _) = login(&place, &server, "echo something is wrong >&2; exit 5");
    ran.is(5).says(&["signed 1 login"]).never_says(&[MORE]);
    doctor(&place, &[]).is(0).shows(&["ended with 5", "1 login signed", "nothing speaks for access"]);
    // The control: the same without the login.
    lend(&place, &[], &["sh", "-c", "exit 5"]).is(5).says(&["nothing in it asked for what was lent", MORE]);
}

#[test]
fn a_quiet_run_says_the_one_line_and_a_run_that_did_well_says_none() {
    let place = Place::new();
    let ran = lend(&place, &["--quiet"], &["sh", "-c", "exit 5"]);
    assert_eq!(ran.is(5).err.lines().count(), 1, "{ran:?}");
    ran.says(&["valetkey: the command failed", MORE]);
    assert_eq!(lend(&place, &["--quiet"], &["true"]).is(0).err, "");
    doctor(&place, &[]).is(0).shows(&["ended with 0", "nothing went wrong"]);
}

#[test]
fn a_double_of_docker_has_its_step_without_a_mount_named_by_file_and_line() {
    let place = Place::new();
    let ran = build(&place, &[], "no-mount", "");
    ran.is(1).says(&["valetkey: the step on line 3 of Dockerfile has no ssh mount; "]);
    // What it printed is there to the last byte.
    let printed = include_str!("../fixtures/build-output/no-mount.txt");
    assert!(ran.err.starts_with(printed), "{ran:?}");
    let explained = json(&place);
    assert_eq!(ids(&explained), ["no-mount"]);
    assert_eq!(explained["last"]["tool"], "docker build");
    assert_eq!(explained["last"]["recipes"][0]["path"], "Dockerfile");
    assert_eq!(explained["last"]["watched"], "all");
}

#[test]
fn a_double_of_docker_on_a_terminal_is_explained_by_its_dockerfile_and_by_a_log_that_was_saved() {
    let place = Place::new();
    let path = double_of_docker(&place, "no-mount", "");
    let terminal = Terminal::new();
    let (path, state) = (format!("PATH={path}"), format!("XDG_STATE_HOME={}", place.at("state").display()));
    let command = ["env", &path, &state, VALETKEY, "run", "--key", "env:KEY", "--", "docker", "build", "."];
    assert_eq!(code(terminal.start(&place, &command)), Some(1));
    terminal.until_shown("the step on line 3 of Dockerfile has no ssh mount");
    let shown = doctor(&place, &[]);
    shown.is(0).shows(&["note: the command's output went to a terminal", "docker buildx history logs |"]);
    shown.shows(&["(likely, no-mount)"]);
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/build-output/no-mount.txt");
    let shown = doctor(&place, &["--output", log]);
    shown.is(0).shows(&["(certain, no-mount)"]).never_says(&["terminal"]);
    let file = std::fs::File::open(log).unwrap();
    let shown = ran(valetkey(&place, &["doctor", "--last", "--output", "-"]).stdin(Stdio::from(file)));
    shown.is(0).shows(&["(certain, no-mount)"]);
    doctor(&place, &["--output", "missing"]).is(110).says(&["failed to read the log missing"]);
}

#[test]
fn output_that_is_not_masked_is_not_looked_at_either() {
    let place = Place::new();
    build(&place, &["--no-mask"], "host-unknown", "").is(1);
    let explained = json(&place);
    assert_eq!(
        (&explained["last"]["watched"], &explained["last"]["signs"]),
        (&"not-masked".into(), &Value::Array(vec![]))
    );
    doctor(&place, &[]).is(0).shows(&["because of --no-mask"]);
}

#[test]
fn a_double_of_docker_leaves_nothing_of_its_output_arguments_or_environment_in_the_record() {
    let place = Place::new();
    let key = &made::key(Kind::Ed25519).text;
    let more = r##"
        echo "#9 [stage-0 2/2] RUN --mount=type=ssh echo s3cret-in-a-name" >&2
        printf '#9 0.1 %s\n' "$COPY" s3cret-in-output >&2
        echo "#9 [$(printf %s "$COPY" | tr -d '\n') 2/2] RUN x" >&2
        echo "#9 0.1 $(printf %s "$COPY" | tail -n 2 | head -n 1)@h: Permission denied (publickey)." >&2"##;
    let path = double_of_docker(&place, "login-refused", more);
    let args = ["run", "--key", "env:KEY", "--", "docker", "build", "--build-arg", "A=s3cret-argument", "."];
    let mut command = valetkey(&place, &args);
    let ran = ran(command.env("PATH", path).env("COPY", key).env("OTHER", "s3cret-variable"));
    ran.is(1).says(&["s3cret-in-output", "s3cret-in-a-name"]);
    let record = text_of(&place);
    assert!(record.contains("login-refused"), "the control: {record}");
    for line in key.lines().filter(|line| line.len() > 8 && !line.starts_with("-----")) {
        assert!(!record.contains(line) && !ran.err.contains(line), "{record}");
    }
    // The last is the value of a build argument, which BuildKit puts into the name of a step.
    for secret in ["s3cret", "/etc/ssh/ssh_known_hosts", &argument_value("login-refused")] {
        assert!(!record.contains(secret), "{secret}: {record}");
    }
    assert_eq!(self::record(&place).metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(self::record(&place).parent().unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
}

/// `ARG V=…` of a fixture.
fn argument_value(build: &str) -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/build-output");
    let dockerfile = std::fs::read_to_string(format!("{fixtures}/{build}.recipe")).unwrap();
    let printed = std::fs::read_to_string(format!("{fixtures}/{build}.txt")).unwrap();
    let value = dockerfile.split("ARG V=").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(printed.contains(&value), "the control");
    value
}

#[test]
fn hostile_output_reaches_neither_the_record_nor_the_terminal_of_the_doctor() {
    let place = Place::new();
    let more = r#"
        head -c 10000000 /dev/zero | tr '\0' x >&2; echo >&2
        printf '#9 [\033[2J\033]0;title\007 2/2] RUN --mount=type=ssh x\n#9 CACHED\n' >&2
        printf '\033[31mgit@h\033[0m: Permission denied (publickey).\n' >&2
        printf 'a\033[2J:7\n--------------------\n' >&2
        i=0; while [ $i -lt 3000 ]; do echo "unset ssh forward key k$i"; i=$((i + 1)); done >&2"#;
    build(&place, &[], "login-refused", more).is(1);
    let (record, shown) = (text_of(&place), doctor(&place, &[]));
    assert!(record.len() < 64 << 10, "{}", record.len());
    assert!(!record.contains("\\u001b") && !record.contains('\x1b'), "{record}");
    assert!(!shown.is(0).out.contains(['\x1b', '\x07']), "{shown:?}");
    let explained = json(&place);
    assert_eq!(explained["last"]["signs"].as_array().unwrap().len(), 64);
}

#[test]
fn a_record_that_was_planted_is_refused_and_one_with_control_characters_is_shown_harmless() {
    let place = Place::new();
    build(&place, &[], "no-mount", "").is(1);
    let good = text_of(&place);
    let plant = |text: &str| std::fs::write(record(&place), text).unwrap();

    plant(&good.replace("\"docker build\"", "\"docker \\u001b[2J\\nvaletkey: fine\""));
    let shown = doctor(&place, &[]);
    assert!(shown.is(0).out.contains("docker \\u{1b}[2J\\nvaletkey: fine"), "{shown:?}");
    plant("no JSON");
    doctor(&place, &[]).is(114).says(&["it is damaged: line 1, column 2", "hint: remove "]);
    plant(&good.replace("valetkey-last/1", "valetkey-last/9"));
    doctor(&place, &[]).is(114).says(&["\"valetkey-last/9\"", "valetkey-last/1"]);
    std::fs::File::create(record(&place)).unwrap().set_len(100 << 20).unwrap();
    doctor(&place, &[]).is(114).says(&["it is larger than 1048576 bytes"]);

    let elsewhere = place.write("elsewhere", &good);
    std::fs::remove_file(record(&place)).unwrap();
    std::os::unix::fs::symlink(&elsewhere, record(&place)).unwrap();
    doctor(&place, &[]).is(114).says(&["not a file of your own"]);
    // The next run takes the link's place, and leaves what it leads to.
    build(&place, &[], "host-unknown", "").is(1);
    assert_eq!(std::fs::read_to_string(elsewhere).unwrap(), good);
    doctor(&place, &[]).is(0).shows(&["host-unknown"]);
}

#[test]
fn where_no_record_can_be_written_the_build_goes_on_and_the_doctor_says_so() {
    let place = Place::new();
    let run = |state: &str| {
        let args = ["run", "--key", "env:KEY", "--", "sh", "-c", "exit 5"];
        ran(place.valetkey(&args).env("XDG_STATE_HOME", state)).is(5).says(&[MORE]).never_says(&["state", "/dev/null"]);
    };
    run("/dev/null");
    let shown = ran(place.valetkey(&["doctor", "--last"]).env("XDG_STATE_HOME", "/dev/null"));
    shown.is(114).says(&["no lease has been recorded", "hint: "]);
    let full = made::path_str(&place.write("file", "")).to_owned();
    run(&full);
    assert!(!place.at(".local").exists(), "and nowhere else");
    // The control: by default it lies in the home.
    ran(&mut place.valetkey(&["run", "--key", "env:KEY", "--", "true"])).is(0);
    assert!(place.at(".local/state/valetkey/last.json").exists());
}

#[test]
fn a_command_that_never_started_leaves_the_record_of_the_one_before() {
    let place = Place::new();
    lend(&place, &[], &["sh", "-c", "exit 5"]).is(5);
    let before = text_of(&place);
    lend(&place, &[], &["no-such-command"]).is(127);
    assert_eq!(text_of(&place), before);
}
