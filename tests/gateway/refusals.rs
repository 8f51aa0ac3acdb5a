//! What the gateway refuses a real Git and the real guest, by name; the granted clone beside it
//! works.

use super::place::Place;
use crate::agent::server::me;

/// Runs a script beside the control, in a lease for `org/repo`.
#[track_caller]
fn refuse(script: &str, reason: &str) {
    let place = Place::new();
    let before = (place.refs("org/repo"), place.refs("org/other"));
    let fill = |text: &str| {
        let text = text.replace("URL_OTHER", &place.url("org/other")).replace("URL", &place.url("org/repo"));
        let text = text.replace("PATH_OTHER", &place.bare("org/other").display().to_string());
        let text = text.replace("PATH_REPO", &place.bare("org/repo").display().to_string());
        let text =
            text.replace("ME@", &format!("{}@", me())).replace("-p PORT", &format!("-p {}", place.server.0.port()));
        text.replace("SSH", &format!("ssh -p {} {}@127.0.0.1", place.server.0.port(), me()))
    };
    let lending = place.lending(&["org/repo"], "");
    let ended = place.sh(&lending, &fill(&format!("git clone -q URL control && cat control/file; {script}; true")));
    ended.expect_code(0);
    assert_eq!(ended.stdout, "a file\n", "the control, and nothing else: {}", ended.report());
    ended.expect_refused(reason, None.or(hint(reason)));
    let inside = ended.stderr.lines().any(|line| line.starts_with("valetkey: ") && line.contains(reason));
    assert!(inside, "said inside the step: {}", ended.report());
    assert_eq!((place.refs("org/repo"), place.refs("org/other")), before);
    assert_eq!(place.server.accepted(), 1, "the control alone logged in: {}", ended.report());
}

fn hint(reason: &str) -> Option<&'static str> {
    match reason {
        _ if reason.contains("as user") => Some("user = "),
        _ if reason.ends_with("org/other is not granted to this build") => Some("to the repos of its [[grant]]"),
        _ if reason.contains("is not granted to this build") => Some("add a [[grant]]"),
        _ => None,
    }
}

#[test]
fn another_repository() {
    refuse("git clone -q URL_OTHER b", "org/other is not granted to this build");
}

#[test]
fn a_path_that_goes_through_dots() {
    refuse("SSH \"git-upload-pack 'PATH_REPO/../other.git'\" </dev/null", "goes through \".\" or \"..\"");
}

#[test]
fn two_paths_in_one_command() {
    refuse("SSH \"git-upload-pack 'PATH_REPO' 'PATH_OTHER'\" </dev/null", "the repository's path has a quote in it");
    refuse("SSH \"git-upload-pack PATH_REPO PATH_OTHER\" </dev/null", "has a space in it, or an option before it");
}

#[test]
fn a_command_behind_the_path() {
    refuse("SSH \"git-upload-pack PATH_REPO;id\" </dev/null", "has a character in it that no repository needs");
    refuse("SSH \"git-upload-pack 'PATH_REPO\\$(id)'\" </dev/null", "has a character in it that no repository needs");
}

#[test]
fn percent_and_unicode_forms() {
    refuse("SSH \"git-upload-pack 'PATH_REPO%2f..%2fother.git'\" </dev/null", "has a percent sign in it");
    refuse("SSH \"git-upload-pack 'PATH_REPO․․'\" </dev/null", "that is not ASCII");
}

#[test]
fn a_shell_and_other_commands() {
    refuse("SSH </dev/null", "a shell was asked for");
    refuse("SSH id", "the command \"id\" is not one of Git's");
    refuse("SSH \"sh -c id\"", "is not one of Git's");
}

#[test]
fn another_user_host_or_port() {
    refuse("ssh -p PORT nobody2@127.0.0.1 \"git-upload-pack 'PATH_REPO'\"", "is as user \"nobody2\"");
    refuse("ssh -p 1 ME@127.0.0.1 \"git-upload-pack 'PATH_REPO'\"", "[127.0.0.1]:1 is not granted to this build");
    refuse("ssh ME@localhost \"git-upload-pack 'PATH_REPO'\"", "localhost is not granted to this build");
}

#[test]
fn a_path_of_a_megabyte() {
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "");
    let ssh = format!("ssh -p {} {}@127.0.0.1", place.server.0.port(), me());
    // 100 kB is the most that a kernel takes as one argument; the rest comes as further words.
    let ended = place.sh(
        &lending,
        &format!(
            "a=$(head -c 100000 /dev/zero | tr '\\0' a); {ssh} git-upload-pack $a $a $a $a $a $a $a $a $a $a; echo $?; \
             {ssh} \"git-upload-pack '$(head -c 2000 /dev/zero | tr '\\0' a)'\"; git clone -q {} c && cat c/file",
            place.url("org/repo")
        ),
    );
    ended.expect_code(0);
    assert_eq!(ended.stdout, "255\na file\n", "{}", ended.report());
    assert!(ended.stderr.contains("the command is too long to be a Git command"), "{}", ended.report());
    ended.expect_refused("the repository's path is too long", None);
}

#[test]
fn the_login_after_the_last_of_the_budget() {
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "max_signatures = 2");
    let url = place.url("org/repo");
    let script =
        format!("git clone -q {url} a && git clone -q {url} b && echo two; git clone -q {url} c || echo refused");
    let ended = place.sh(&lending, &script);
    assert_eq!(ended.stdout, "two\nrefused\n", "{}", ended.report());
    ended.expect_refused("the budget of 2 logins is used up", Some("--max-signatures"));
    assert_eq!(place.server.accepted(), 2);
}

#[test]
fn a_host_key_that_changed_since_it_was_pinned() {
    let place = Place::new();
    let changed = place.keys.ed25519("another-host-key");
    let pinned = format!("{} {}\n", place.server.name(), changed.text);
    let file = place.keys.write("changed", &pinned);
    let config = place.config(&["org/repo"], "");
    let rest = config.split_once('\n').unwrap().1;
    let lending = crate::agent::lending::Lending::new().config(&format!("known_hosts = {file:?}\n{rest}"));
    let ended = place.sh(&lending, &format!("git clone -q {} a; true", place.url("org/repo")));
    ended.expect_refused("has changed: it shows SHA256:", Some("valetkey host verify"));
    let both = ended.receipt["refusals"][0]["reason"].as_str().unwrap().matches("SHA256:").count();
    assert_eq!(both, 2, "both fingerprints: {}", ended.report());
    assert!(ended.stderr.contains("nothing was sent to it"), "{}", ended.report());
    assert_eq!(place.server.accepted(), 0);
    assert!(!place.server.0.log().contains("userauth-request for user"), "{}", place.server.0.log());
}

#[test]
fn a_host_key_that_was_revoked() {
    let place = Place::new();
    let all = place.server.known_hosts("", &["ed25519", "ecdsa"]);
    let revoked = place.server.known_hosts("@revoked ", &["ed25519", "ecdsa"]);
    let file = place
        .keys
        .write("revoked", &format!("{all}{revoked}{} {}\n", place.server.name(), place.keys.ed25519("other").text));
    let config = place.config(&["org/repo"], "");
    let rest = config.split_once('\n').unwrap().1;
    let lending = crate::agent::lending::Lending::new().config(&format!("known_hosts = {file:?}\n{rest}"));
    let ended = place.sh(&lending, &format!("git clone -q {} a; true", place.url("org/repo")));
    ended.expect_refused("shows a host key that was revoked", Some("do not trust this server"));
    assert_eq!(place.server.accepted(), 0);
}
