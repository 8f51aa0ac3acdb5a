//! Exit codes: the command's own, and a documented range for our own failures.

use super::place::{Place, ran};

#[test]
fn the_commands_own_exit_code_is_passed_on() {
    let place = Place::new();
    for code in [0, 1, 42, 111, 255] {
        place.lend_to(&format!("exit {code}")).is(code);
    }
}

#[test]
fn a_command_that_a_signal_ended_gives_128_and_its_number() {
    let place = Place::new();
    for (name, code) in [("TERM", 143), ("KILL", 137), ("INT", 130), ("SEGV", 139), ("HUP", 129)] {
        place.lend_to(&format!("kill -{name} $$")).is(code);
    }
}

#[test]
fn the_exit_code_is_known_even_where_the_caller_ignores_the_end_of_children() {
    let place = Place::new();
    let script = "$SIG{CHLD} = 'IGNORE'; exec @ARGV";
    let words = ["-e", script, super::place::VALETKEY, "run", "--key", "env:KEY", "--", "sh", "-c", "exit 42"];
    ran(place.command("perl").args(words)).is(42);
}

#[test]
fn a_command_that_cannot_be_started_gives_what_a_shell_gives() {
    let place = Place::new();
    place
        .lend(&["--", "no-such-command"])
        .is(127)
        .says(&["error: failed to start no-such-command: command not found", "hint: "]);
    place.lend(&["--", "./no/such/command"]).is(127);
    let file = place.write("plain", "#!/bin/sh\n");
    place.lend(&["--", "./plain"]).is(126).says(&["error: failed to start ./plain: Permission denied"]);
    place.lend(&["--", "/"]).is(126);
    // It is there, and what is to run it is not: 127 as a shell, and not "./plain: not found".
    std::fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    super::place::open_to_owner(&file);
    place.lend(&["--", "./plain"]).is(127).says(&["the interpreter or loader that it names is not"]);
}

#[test]
fn each_kind_of_failure_has_its_own_code_and_starts_nothing() {
    let place = Place::new();
    let mark = ["--", "touch", "started"];
    let cases: [(&[&str], i32, &str); 7] = [
        (&["run"], 110, "COMMAND"),
        (&["run", "--key", "env:KEY", "--quite"], 110, "'--quiet'"),
        (&["run"], 110, "no key was named"),
        (&["run", "--key", "env:NOTHING"], 111, "the variable is not set"),
        (&["run", "--key", "env:KEY", "--host", "unpinned.example"], 112, "no host key is pinned"),
        (&["run", "--key", "env:KEY", "--receipt", "no/such/folder"], 114, "failed to write the receipt"),
        (&["run", "--key", "env:KEY", "--decision-log", "no/such/folder"], 114, "failed to open the decision log"),
    ];
    for (at, (args, code, words)) in cases.into_iter().enumerate() {
        // The first has no command at all.
        let mark: &[&str] = if at == 0 { &[] } else { &mark };
        ran(&mut place.valetkey(&[args, mark].concat())).is(code).says(&["error: ", words]);
        assert!(!place.project().join("started").exists(), "{args:?}");
    }
    place.lend(&mark).is(0);
    assert!(place.project().join("started").exists(), "the control");
}

#[test]
fn a_build_tool_that_cannot_take_a_key_gives_113() {
    let place = Place::new();
    let mut command = place.valetkey(&["run", "--key", "env:KEY", "--", "docker", "build", "."]);
    ran(command.env("DOCKER_BUILDKIT", "0")).is(113).says(&["error: ", "hint: "]);
}

#[test]
fn a_lease_that_cannot_be_made_gives_114() {
    let place = Place::new();
    std::fs::remove_dir(place.at("tmp")).unwrap();
    let mut command = place.valetkey(&["run", "--key", "env:KEY", "--", "true"]);
    ran(command.env_remove("XDG_RUNTIME_DIR")).is(114).says(&["failed to make the folder of the lease"]);
}

#[test]
fn the_help_names_every_code_of_ours() {
    use valetkey::exit::Code;
    let place = Place::new();
    let help = ran(&mut place.valetkey(&["--help"]));
    let help = help.is(0).out.replace('\n', " ");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let readme = readme.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    for (code, words) in [
        (Code::Usage, "usage or config"),
        (Code::Key, "key"),
        (Code::Host, "host"),
        (Code::Builder, "build tool"),
        (Code::Lease, "lease"),
        (Code::Internal, "internal"),
        (Code::NotExecutable, "not executable"),
        (Code::NotFound, "not found"),
    ] {
        let said = format!("{} {words}", code as u8);
        assert!(help.contains(&said), "{said}: {help}");
        assert!(readme.contains(&said), "{said}: {readme}");
    }
}
