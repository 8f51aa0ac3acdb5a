//! What `--help`, `--dry-run` and a slip of the keyboard show; the prompt on a terminal.

use super::place::{Place, VALETKEY, ran};
use super::terminal::{Terminal, code};
use crate::keys::made::{self, Kind};

#[test]
fn every_commands_help_has_an_example() {
    let place = Place::new();
    for command in [
        "",
        "run",
        "start",
        "status",
        "stop",
        "rewrite",
        "audit",
        "doctor",
        "man",
        "key",
        "key add",
        "key list",
        "key remove",
        "host",
        "host list",
        "host add",
        "host verify",
        "host remove",
        "completions",
    ] {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let help = ran(&mut place.valetkey(&args));
        let examples = help.is(0).out.split("Example").nth(1).unwrap_or_else(|| panic!("{command}: {help:?}"));
        assert!(examples.contains(format!("valetkey {command}").trim_end()), "{command}: {examples}");
    }
}

#[test]
fn no_command_shows_the_help_and_a_slip_is_answered_by_the_nearest() {
    let place = Place::new();
    ran(&mut place.valetkey(&[])).is(110).says(&["Usage: valetkey", "Examples:"]);
    ran(&mut place.valetkey(&["runn"])).is(110).says(&["'run'"]);
    ran(&mut place.valetkey(&["run", "--key", "env:KEY", "--recipt", "x", "--", "true"]))
        .is(110)
        .says(&["'--receipt'"]);
    ran(&mut place.valetkey(&["--version"])).is(0).shows(&[env!("CARGO_PKG_VERSION")]);
}

#[test]
fn completions_name_every_command_and_bash_can_read_its_own() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ran(&mut place.valetkey(&["completions", shell]));
        script.is(0).shows(&["run", "key", "host", "completions", "passphrase-from"]);
        if shell == "bash" {
            let path = place.write("script", &script.out);
            made::run("bash", &["-n", made::path_str(&path)]);
            let asked = "source \"$0\"; COMP_WORDS=(valetkey ru); COMP_CWORD=1; _valetkey valetkey ru valetkey; echo ${COMPREPLY[@]}";
            assert_eq!(made::run("bash", &["-c", asked, made::path_str(&path)]), b"run\n");
        }
    }
    ran(&mut place.valetkey(&["completions", "tcsh"])).is(110).says(&["possible values"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new();
    std::fs::create_dir(place.project().join("man1")).unwrap();
    ran(&mut place.valetkey(&["man", "man1"])).is(0);
    for (page, words) in [
        ("valetkey", &["valetkey-run(1)", "Exit codes"][..]),
        ("valetkey-run", &["--time-limit", "Examples:"]),
        ("valetkey-start", &["--until-exit", "VALETKEY_BUILD_ARGS"]),
        ("valetkey-key-add", &["keychain"]),
    ] {
        let text = std::fs::read_to_string(place.project().join(format!("man1/{page}.1"))).unwrap();
        // roff writes a dash as `\\-`.
        let text = text.replace('\\', "");
        assert!(text.starts_with(".ie") || text.contains(".TH"), "{page}: {text:.200}");
        for word in words {
            assert!(text.contains(word), "{page} has no {word}");
        }
    }
    ran(&mut place.valetkey(&["man", "no/such/folder"]))
        .is(110)
        .says(&["failed to write the manual pages", "name a folder"]);
}

#[test]
fn a_dry_run_shows_what_would_be_run_and_touches_no_key() {
    let place = Place::new();
    for source in ["env:NOTHING", "file:none", "keychain:none", "agent", "stdin"] {
        let mut command = place.valetkey(&["run", "-n", "--key", source, "--host", "github.com", "--", "touch", "a b"]);
        let ran = ran(&mut command);
        let socket = format!("export SSH_AUTH_SOCK={}/valetkey/", place.at("run").display());
        ran.is(0).shows(&[
            &format!("# lend {source} as ssh id default"),
            "unset SSH_AGENT_PID\n",
            &socket,
            "export VALETKEY_KNOWN_HOSTS=",
            "touch 'a b'\n",
            "github.com ssh-ed25519 ",
        ]);
        assert!(!place.project().join("a b").exists());
        assert!(place.leases().is_empty());
    }
    let docker = ran(&mut place.valetkey(&["run", "-n", "--key", "env:NOTHING", "--", "docker", "build", "."]));
    docker.is(0).shows(&["unset NOTHING\n", "docker build --ssh default=", "--secret id=known_hosts,src="]);
    assert!(!docker.out.contains("export SSH_AUTH_SOCK"), "{docker:?}");
}

/// `--dry-run` of an error, on a terminal with these variables.
fn shown(variables: &[&str]) -> String {
    let (place, terminal) = (Place::new(), Terminal::new());
    let command = [&["env"], variables, &[VALETKEY, "run", "--key", "env:NOTHING", "--", "true"]].concat();
    assert_eq!(code(terminal.start(&place, &command)), Some(111));
    terminal.until_shown("hint:");
    terminal.shown()
}

#[test]
fn colour_is_for_terminals_and_not_for_who_wants_none() {
    assert!(shown(&[]).contains("\x1b[1;31merror:\x1b[0m "));
    for variables in [["NO_COLOR=1"], ["TERM=dumb"]] {
        assert!(!shown(&variables).contains('\x1b'), "{variables:?}");
    }
    let place = Place::new();
    let ran = ran(&mut place.valetkey(&["run", "--key", "env:NOTHING", "--", "true"]));
    ran.is(111).says(&["error: "]).never_says(&["\x1b"]);
}

/// Starts a run with an encrypted key on a terminal, up to the prompt.
fn prompted(place: &Place, terminal: &Terminal) -> std::process::Child {
    let path = place.write("locked", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&path)]);
    assert!(terminal.echoes(), "the control");
    let command = [VALETKEY, "run", "--key", "file:locked", "--", "sh", "-c", "echo x >started; stty -a; ssh-add -l"];
    let child = terminal.start(place, &command);
    terminal.until_shown("Enter passphrase for file:locked: ");
    assert!(!terminal.echoes());
    child
}

#[test]
fn a_passphrase_is_asked_for_without_echo_and_the_command_finds_the_terminal_as_it_was() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let child = prompted(&place, &terminal);
    terminal.types("hunter two\n");
    assert_eq!(code(child), Some(0), "{}", terminal.shown());
    terminal.until_shown(made::COMMENT);
    terminal.until_shown(" echo ");
    assert!(!terminal.shown().contains("hunter"), "{}", terminal.shown());
    assert!(terminal.echoes());
}

#[test]
fn ctrl_c_at_the_prompt_gives_the_echo_back_and_ends_as_a_key_that_is_missing() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let child = prompted(&place, &terminal);
    terminal.types("hunt\x03");
    assert_eq!(code(child), Some(111));
    terminal.until_shown("no passphrase was given");
    assert!(terminal.echoes());
    assert!(!terminal.shown().contains("hunt"), "{}", terminal.shown());
    assert!(!place.project().join("started").exists());
}

#[test]
fn a_signal_at_the_prompt_gives_the_echo_back_too() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let child = prompted(&place, &terminal);
    made::run("kill", &["-TERM", &child.id().to_string()]);
    assert_eq!(code(child), None, "ended by the signal: {}", terminal.shown());
    assert!(terminal.echoes());
    assert!(!place.project().join("started").exists());
}
