//! When the command has ended, however it ended, no socket answers and no folder is left.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::place::{Place, VALETKEY, ended, line_of, ran, until};
use crate::keys::made::{self, Kind};

const NONE: [PathBuf; 0] = [];

/// Whether an agent answers at this socket.
fn answers(socket: &str) -> bool {
    let asked = Command::new("ssh-add").arg("-l").env("SSH_AUTH_SOCK", socket).output();
    asked.expect("ssh-add is needed for this test").status.code() == Some(0)
}

#[test]
fn after_success_failure_and_a_signal_nothing_is_left() {
    let place = Place::new();
    for end in ["exit 0", "exit 3", "kill -TERM $$", "kill -KILL $$"] {
        let ran = place.lend_to(&format!("ssh-add -l >&2 && echo $SSH_AUTH_SOCK && {end}"));
        ran.says(&[made::COMMENT]);
        assert!(Path::new(ran.out.trim()).starts_with(place.at("run/valetkey")), "the control: {ran:?}");
        assert!(!Path::new(ran.out.trim()).exists());
        assert_eq!(place.leases(), NONE, "{end}");
    }
}

#[test]
fn a_command_that_does_not_start_leaves_nothing() {
    let place = Place::new();
    place.lend(&["--", "no-such-command"]).is(127);
    place.lend(&["--receipt", "no/such/folder", "--", "true"]).is(114);
    ran(place.valetkey(&["run", "--key", "env:KEY", "--", "docker", "build", "."]).env("DOCKER_BUILDKIT", "0")).is(113);
    assert_eq!(place.leases(), NONE);
    assert!(place.at("run/valetkey").is_dir(), "the control: leases were made");
}

#[test]
fn what_the_command_leaves_running_gets_no_answer_any_more() {
    let place = Place::new();
    made::run("mkfifo", &[made::path_str(&place.project().join("over"))]);
    let script = "setsid sh -c 'ssh-add -l >before 2>&1; echo x >asked; read x <over; ssh-add -l >after 2>&1; echo $? >code' >/dev/null 2>&1 & until [ -s asked ]; do :; done";
    place.lend_to(script).is(0);
    std::fs::write(place.project().join("over"), "now\n").unwrap();
    assert_eq!(line_of(&place.project().join("code")), "2", "ssh-add's word for no agent");
    let read = |name: &str| std::fs::read_to_string(place.project().join(name)).unwrap();
    assert!(read("before").contains(made::COMMENT), "the control: {}", read("before"));
    assert!(!read("after").contains(made::COMMENT), "{}", read("after"));
}

/// Starts a lease, kills valetkey with no chance to clean up, and looks at what is left.
fn killed(place: &Place, prepare: impl Fn(&mut Command)) {
    let script = "echo $SSH_AUTH_SOCK >socket; exec sleep 600";
    let mut command = place.valetkey(&["run", "--key", "env:KEY", "--key", "b=env:KEY", "--", "sh", "-c", script]);
    prepare(&mut command);
    // The command outlives valetkey, and would keep pipes open.
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let socket = line_of(&place.project().join("socket"));
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let children: Vec<&str> = children.split_whitespace().collect();
    assert_eq!(children.len(), 2, "the command and the witness of its signals: {children:?}");
    child.kill().unwrap();
    child.wait().unwrap();

    assert!(Path::new(&socket).exists(), "the control: it could not clean up");
    assert!(!answers(&socket));
    let [folder] = &place.leases()[..] else { panic!("one folder: {:?}", place.leases()) };
    let secret = secret_lines();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secret.iter().any(|line| text.contains(line)), "{}", path.display());
    }
    let left = |number: &&&str| Path::new("/proc").join(number).join("exe").read_link().is_ok();
    until("the witness is gone", || (children.iter().filter(left).count() == 1).then_some(()));

    let mut next = place.valetkey(&[
        "run",
        "--key",
        "env:KEY",
        "--",
        "sh",
        "-c",
        "ls -d \"$0\" && ssh-add -l",
        made::path_str(folder),
    ]);
    prepare(&mut next);
    ran(&mut next).is(2).says(&["No such file"]);
    assert_eq!(place.leases(), NONE);
    for number in children {
        // The witness is gone already.
        let _ = Command::new("kill").args(["-KILL", number]).output();
    }
}

/// The lines of the private key's body that hold its secret half.
fn secret_lines() -> Vec<String> {
    let text = &made::key(Kind::Ed25519).text;
    text.lines().filter(|line| !line.starts_with('-')).skip(2).map(str::to_owned).collect()
}

#[test]
fn what_a_kill_leaves_answers_nothing_holds_no_secret_and_is_removed_by_the_next_start() {
    killed(&Place::new(), |_| {});
}

#[test]
fn the_same_holds_in_the_temp_folder_where_there_is_no_runtime_folder() {
    let place = Place::new();
    killed(&place, |command| {
        command.env_remove("XDG_RUNTIME_DIR");
    });
    assert!(!place.at("run/valetkey").exists(), "the control: it was the temp folder");
}

#[test]
fn two_leases_at_once_do_not_disturb_each_other() {
    let place = Place::new();
    let other = made::key(Kind::P256);
    made::run("mkfifo", &[made::path_str(&place.project().join("go"))]);
    let script = "ssh-add -L >first; echo $SSH_AUTH_SOCK >socket; read x <go; ssh-add -L >again; ssh-add -l";
    let mut first = place.valetkey(&["run", "--key", "env:KEY", "--", "sh", "-c", script]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let socket = line_of(&place.project().join("socket"));
    // The second comes and goes meanwhile, and cannot use the first one's socket.
    let script = format!("ssh-add -L; SSH_AUTH_SOCK={socket} ssh-add -L");
    let mut second = place.command(VALETKEY);
    second.args(["run", "--key", "env:OTHER", "--", "sh", "-c", &script]).env("OTHER", &other.text);
    let second = ran(&mut second);
    assert_ne!(second.code, Some(0), "{second:?}");
    assert_eq!(second.out.trim(), format!("{}", other.line.trim()), "its own and nothing else: {second:?}");
    assert_eq!(place.leases().len(), 1, "the first lease's folder stays");
    std::fs::write(place.project().join("go"), "\n").unwrap();
    ended(first).is(0).says(&["refused", "a process outside of the wrapped command"]);
    let read = |name: &str| std::fs::read_to_string(place.project().join(name)).unwrap();
    assert_eq!(read("first"), read("again"));
    assert_eq!(read("first").trim(), made::key(Kind::Ed25519).line.trim());
}

#[test]
fn a_closed_standard_error_does_not_break_the_end_of_a_lease() {
    let place = Place::new();
    for closed in ["2>&-", "2>/dev/full", "2> >(exec true)"] {
        // With a refusal and a warning to be told.
        let script = format!(
            "\"$0\" run --key env:KEY --receipt receipt.json -- sh -c 'ssh-add -D; ssh-add -l; exit 5' {closed}"
        );
        let ran = ran(place.command("bash").args(["-c", &script, VALETKEY]));
        ran.is(5).shows(&[made::COMMENT]);
        assert_eq!(place.leases(), NONE, "{closed}");
        let receipt = std::fs::read_to_string(place.project().join("receipt.json")).unwrap();
        assert!(receipt.contains("an agent message of type"), "{closed}: {receipt}");
        std::fs::remove_file(place.project().join("receipt.json")).unwrap();
    }
}

#[test]
fn a_standard_error_that_nobody_reads_does_not_hold_the_lease_open() {
    let place = Place::new();
    let fifo = place.project().join("full");
    made::run("mkfifo", &[made::path_str(&fifo)]);
    // Filled to the brim, so that the first word of the summary blocks.
    let script = "exec 3<>full; dd if=/dev/zero of=full oflag=nonblock bs=1 count=70000 2>/dev/null;
        dd if=/dev/zero of=full oflag=nonblock bs=4096 count=70 2>/dev/null;
        exec \"$0\" run --key env:KEY -- sh -c 'echo $SSH_AUTH_SOCK; exit 6' 2>&3";
    let mut command = place.command("sh");
    let mut child = command.args(["-c", script, VALETKEY]).stdout(Stdio::piped()).spawn().unwrap();
    // From the command itself: by then the lease was made, and its end is still to come.
    let mut socket = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut socket).unwrap();
    assert!(socket.contains("agent.sock"), "the control: {socket:?}");
    until("the lease is gone", || place.leases().is_empty().then_some(()));
    assert_eq!(child.try_wait().unwrap(), None, "the control: it still wants to tell");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!answers(socket.trim()));
}
