//! The guest where no gateway is behind the agent's socket.

use std::os::unix::net::UnixListener;
use std::process::{Command, Output};

use super::place::{Place, guest};
use crate::agent::server::me;

/// The guest first in PATH, with these variables, in front of `path`.
fn run(place: &Place, path: &str, variables: &[(&str, &str)], args: &[&str]) -> Output {
    let folder = guest(place.keys.path("key").parent().unwrap());
    let mut command = Command::new(folder.join("ssh"));
    command.env_clear().env("PATH", format!("{}:{path}", folder.display())).envs(variables.iter().copied());
    command.args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_says_what_is_missing_where_the_image_has_no_ssh() {
    let place = Place::new();
    let nobody = place.keys.path("nobody.sock").display().to_string();
    for (variables, message) in [
        (&[][..], "give its RUN --mount=type=ssh"),
        (&[("SSH_AUTH_SOCK", "")][..], "give its RUN --mount=type=ssh"),
        (&[("SSH_AUTH_SOCK", nobody.as_str())][..], "nobody answers at"),
    ] {
        // It is the only ssh in PATH, twice: it must not hand over to itself.
        let own = place.keys.path("guest").display().to_string();
        let output = run(&place, &own, variables, &["git@127.0.0.1", "true"]);
        assert_eq!(output.status.code(), Some(255), "{}", said(&output));
        assert!(said(&output).contains(message), "{}", said(&output));
    }
}

/// A copy is another file: only its size tells that it is the guest again.
#[test]
fn two_copies_do_not_hand_over_to_each_other() {
    let place = Place::new();
    let first = guest(place.keys.path("key").parent().unwrap());
    let second = place.keys.path("second");
    std::fs::create_dir(&second).unwrap();
    std::fs::copy(first.join("ssh"), second.join("ssh")).unwrap();
    let run = |behind: &str| {
        let mut command = Command::new("/usr/bin/timeout");
        // Handing over for ever is one process that never ends.
        command.args(["20"]).arg(first.join("ssh")).args(["-F", "none", "-o", "BatchMode=yes"]);
        command.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        command.args(["-p", &place.server.0.port().to_string(), "nobody@127.0.0.1", "true"]);
        let path = format!("{}:{}:{}{behind}", first.display(), second.display(), first.display());
        command.env_remove("SSH_AUTH_SOCK").env("PATH", path).output().unwrap()
    };
    let output = run("");
    assert_eq!(output.status.code(), Some(255), "{}", said(&output));
    assert!(said(&output).contains("give its RUN --mount=type=ssh"), "{}", said(&output));
    // The control: behind both there is an ssh, which is reached.
    let output = run(":/usr/bin");
    assert!(said(&output).contains("Permission denied"), "{}", said(&output));
}

#[test]
fn it_becomes_the_ssh_of_the_image_behind_a_plain_agent() {
    let place = Place::new();
    let known_hosts = place.server.pinned(place.keys.path("key").parent().unwrap());
    let script = "ssh-add -q \"$1\" && shift && exec \"$@\"";
    let folder = guest(place.keys.path("key").parent().unwrap());
    let port = place.server.0.port().to_string();
    let mut command = Command::new("ssh-agent");
    command.args(["sh", "-c", script, "sh"]).arg(place.keys.path("key")).arg(folder.join("ssh"));
    command.args(["-F", "none", "-o", "BatchMode=yes", "-o", &format!("UserKnownHostsFile={}", known_hosts.display())]);
    command.args(["-p", &port, &format!("{}@127.0.0.1", me()), "exit 52"]);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = command.env("PATH", path).output().unwrap();
    assert_eq!(output.status.code(), Some(52), "{}", said(&output));
    assert_eq!(place.server.accepted(), 1);
}

#[test]
fn an_agent_that_hangs_up_is_not_waited_for_for_ever() {
    let place = Place::new();
    let path = place.keys.path("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = std::thread::spawn(move || {
        // Each is closed at once, as by a builder whose agent is gone.
        for connection in listener.incoming().take(10) {
            drop(connection);
        }
    });
    let own = place.keys.path("guest").display().to_string();
    let output = run(&place, &own, &[("SSH_AUTH_SOCK", &path.display().to_string())], &["git@127.0.0.1", "true"]);
    assert!(said(&output).contains("nobody answers at"), "{}", said(&output));
    serving.join().unwrap();
}

#[test]
fn it_is_small_static_and_needs_nothing_of_the_image() {
    let program = valetkey::guest::PROGRAM;
    assert!(!program.is_empty() && program.len() <= 64 * 1024, "{} bytes", program.len());
    let place = Place::new();
    let folder = guest(place.keys.path("key").parent().unwrap());
    let headers = Command::new("readelf").args(["-lW"]).arg(folder.join("ssh")).output().unwrap();
    let headers = String::from_utf8(headers.stdout).unwrap();
    assert!(headers.contains("LOAD"), "{headers}");
    assert!(!headers.contains("INTERP") && !headers.contains("DYNAMIC"), "{headers}");
    // No segment is both writable and executable.
    assert!(!headers.contains("RWE"), "{headers}");
    let version = run(&place, "", &[], &["-V"]);
    assert!(version.status.success() && said(&version).starts_with("valetkey "), "{}", said(&version));
}
