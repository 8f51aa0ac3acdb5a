//! `command:` runs a program without a shell: what it prints is the key and is never shown, what
//! it says is.

use std::time::{Duration, Instant};

use super::made::{self, Kind};
use super::world::{World, blobs, said};
use crate::run::place::{Place, VALETKEY, ran};
use crate::run::terminal::{Terminal, code};
use valetkey::keys::TimeLimits;

fn error(source: &str) -> String {
    said(&World::default().load(source).expect_err(source))
}

#[test]
fn a_key_that_a_program_prints_is_loaded() {
    let folder = made::folder();
    for kind in made::KINDS {
        let path = made::write(folder.path(), "a key", &made::key(kind).text);
        let loaded = World::default().load(&format!("command:cat '{}'", path.display())).expect("a key");
        assert_eq!(blobs(&loaded), [&made::key(kind).blob[..]], "{kind:?}");
    }
}

#[test]
fn the_passphrase_of_a_key_comes_from_a_program_without_its_last_line_ends() {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&path)]);
    let source = format!("file:{}", path.display());
    let mut world = World { passphrase_from: Some("command:printf 'hunter two\\n\\n'"), ..World::default() };
    world.load(&source).expect("a key");
    let kept: Vec<_> = world.kept_texts.iter().map(valetkey::keys::Secret::expose).collect();
    assert_eq!(kept, [std::fs::read(&path).expect("a file").as_slice(), b"hunter two"], "all that was read");
}

#[test]
fn nothing_of_a_text_is_expanded() {
    // A shell would run `touch`; printf prints the words as they are.
    let folder = made::folder();
    let marker = folder.path().join("ran");
    let source = format!("command:printf %s '$(touch {0})`touch {0}`;touch {0}'", marker.display());
    assert!(error(&source).contains("it is the name of a variable or a template") || !marker.exists());
    assert!(!marker.exists());
    assert!("command:true $(touch x)".parse::<valetkey::keys::KeySource>().is_err());
}

#[test]
fn each_way_to_fail_has_its_own_words_and_none_of_what_was_printed() {
    for (script, words) in [
        ("echo hunter2; echo one >&2; echo two >&2; exit 7", "the program ended with status 7: two"),
        ("echo hunter2; kill -9 $$", "the program ended with signal 9"),
        ("echo hunter2; exit 1", "the program ended with status 1"),
        ("printf hunter2; printf '\\033[2J' >&2; exit 1", "status 1: \u{fffd}[2J"),
        ("exit 0", "it is empty"),
        ("echo hunter2", "it is no private key"),
    ] {
        let said = error(&format!("command:sh -c '{}'", script.replace('\'', r"'\''")));
        let shown = said.lines().next().unwrap_or_default();
        assert!(shown.contains(words), "{script}: {said}");
        // The source repeats what was typed; nothing else does.
        assert_eq!(
            said.matches("hunter2").count(),
            said.matches("echo hunter2").count() + said.matches("printf hunter2").count(),
            "{said}"
        );
    }
    assert!(error("command:/nowhere/op read x").contains("there is no program \"/nowhere/op\""));
    let folder = made::folder();
    let path = made::write(folder.path(), "no-program", "x");
    assert!(error(&format!("command:{}", path.display())).contains("cannot be started"));
}

#[test]
fn a_key_that_a_failing_program_writes_to_stderr_is_not_in_the_error() {
    let folder = made::folder();
    let key = &made::key(Kind::Ed25519).text;
    let path = made::write(folder.path(), "key", key);
    let said = error(&format!("command:sh -c 'head -3 {} >&2; exit 1'", path.display()));
    let body = key.lines().nth(2).expect("a line");
    assert!(said.contains("status 1") && !said.contains(&body[..20]), "{said}");
}

#[test]
fn one_that_hangs_or_floods_is_stopped() {
    let time_limits = TimeLimits { command: Duration::from_millis(300), ..TimeLimits::default() };
    let began = Instant::now();
    let mut world = World { time_limits, ..World::default() };
    let hangs = said(&world.load("command:sleep 600").expect_err("silence"));
    assert!(hangs.contains("did not end in 0 seconds, and was stopped"), "{hangs}");
    let floods = error("command:yes");
    assert!(floods.contains("printed more than 256 KiB, and was stopped"), "{floods}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn an_answer_is_read_up_to_the_limit_that_was_asked_for() {
    let limit = valetkey::keys::SOURCE_LIMIT;
    let key = &made::key(Kind::Ed25519).text;
    let folder = made::folder();
    let fill = |length: usize| format!("{key}{}\n", "#".repeat(length - key.len()));
    let path = made::write(folder.path(), "key", fill(limit));
    let source = format!("command:cat {}", path.display());
    World::default().load(&source).expect("a key, and a line's end that does not count");
    made::write(folder.path(), "key", fill(limit + 1));
    assert!(error(&source).contains("more than 256 KiB"));
}

#[test]
fn what_the_program_says_is_on_the_terminal_and_what_it_prints_is_not() {
    let place = Place::new();
    let key = &made::key(Kind::Ed25519).text;
    place.write("key", key);
    let lend = |script: &str| {
        let source = format!("command:sh -c '{script}'");
        ran(&mut place.valetkey(&["run", "--key", &source, "--", "ssh-add", "-L"]))
    };
    let body = key.lines().nth(1).expect("a line");
    lend("echo touch the device >&2; cat key")
        .is(0)
        .says(&["touch the device\n"])
        .shows(&["ssh-ed25519"])
        .never_says(&[body]);
    let failed = lend("cat key; echo not today >&2; exit 5");
    failed.is(111).says(&["not today\n", "status 5: not today", "hint: "]).never_says(&[body, "PRIVATE KEY"]);
    assert!(place.leases().is_empty());
}

#[test]
fn a_program_gets_no_standard_input() {
    let place = Place::new();
    place.write("key", &made::key(Kind::Ed25519).text);
    let source = "command:sh -c 'wc -c >read; cat key'";
    let mut valetkey = place.valetkey(&["run", "--key", source, "--", "cat"]);
    let mut child = valetkey
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"for the build").expect("written");
    crate::run::place::ended(child).is(0).shows(&["for the build"]);
    assert_eq!(std::fs::read_to_string(place.project().join("read")).expect("a number").trim(), "0");
}

#[test]
fn a_program_that_asks_on_the_terminal_gets_the_answer_and_gives_the_terminal_back() {
    let place = Place::new();
    place.write("key", &made::key(Kind::Ed25519).text);
    // It asks as ssh or age would: on /dev/tty, with the echo off.
    place.write(
        "ask",
        "stty -echo </dev/tty\nprintf 'Password: ' >/dev/tty\nread word </dev/tty\nstty echo </dev/tty\n\
         test \"$word\" = hunter2 && cat key\n",
    );
    let script = "echo ready; read x </dev/tty; echo got $x";
    let terminal = Terminal::new();
    let command = [VALETKEY, "run", "--key", "command:sh ask", "--", "sh", "-c", script];
    let child = terminal.start(&place, &command);
    terminal.until_shown("Password: ");
    assert!(!terminal.echoes());
    terminal.types("hunter2\n");
    terminal.until_shown("ready");
    terminal.types("later\n");
    terminal.until_shown("got later");
    assert_eq!(code(child), Some(0));
    let shown = terminal.shown();
    assert!(!shown.contains("hunter2") && !shown.contains("PRIVATE KEY"), "{shown}");
}

#[test]
fn ctrl_c_at_the_question_of_a_program_ends_it_and_the_run() {
    let place = Place::new();
    let terminal = Terminal::new();
    let ask = "command:sh -c 'stty -echo </dev/tty; printf Password: >/dev/tty; read word </dev/tty'";
    let child = terminal.start(&place, &[VALETKEY, "run", "--key", ask, "--", "touch", "started"]);
    terminal.until_shown("Password:");
    terminal.types("\x03");
    assert_eq!(code(child), Some(111), "{}", terminal.shown());
    assert!(terminal.shown().contains("the program ended with signal 2"), "{}", terminal.shown());
    assert!(terminal.echoes(), "as it was before");
    assert!(!place.project().join("started").exists());
}
