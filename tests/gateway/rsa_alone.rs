//! Servers whose only host key is RSA: read through the system's `ssh`, with the same strictness.

use std::fs;
use std::path::Path;

use super::carried::expect_a_push_only_where_the_grant_may_write;
use super::gate::Gate;
use super::place::{Place, SETTINGS};
use crate::agent::lending::{Ended, Lending};
use crate::agent::server::Server;
use crate::sshd::Sshd;

/// A script that clones `org/repo` and shows its file.
fn clone(place: &Place) -> String {
    format!("git clone -q {} a && cat a/file", place.url("org/repo"))
}

/// The `SHA256:…` of a public key.
fn fingerprint(key: &Path) -> String {
    let output = crate::hosts::keys::run(std::process::Command::new("ssh-keygen").arg("-lf").arg(key)).stdout;
    String::from_utf8(output).unwrap().split(' ').nth(1).unwrap().to_owned()
}

fn host_key(place: &Place) -> String {
    fingerprint(&place.server.0.host_key("rsa").with_extension("pub"))
}

/// Another RSA key as a pin of this server, and its fingerprint.
fn another(place: &Place) -> (String, String) {
    let key = place.keys.make("another", "rsa", Some(2048));
    let pin = format!("{} {}\n", place.server.name(), key.text);
    (pin, fingerprint(&place.keys.path("another.pub")))
}

/// Refused before a login was tried.
#[track_caller]
fn expect_nothing_sent(place: &Place, ended: &Ended) {
    assert_eq!((ended.stdout.as_str(), place.server.accepted()), ("", 0), "{}", ended.report());
    assert!(!place.server.0.log().contains("userauth-request for user"), "{}", place.server.0.log());
}

/// What is left of the lease's folders.
fn left(lending: &Lending) -> Vec<String> {
    let folders = fs::read_dir(lending.folder().join("run/valetkey")).unwrap().flatten();
    folders.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name != ".lock").collect()
}

#[test]
fn a_clone_a_fetch_an_archive_and_the_servers_own_answers() {
    let place = Place::with_rsa_alone();
    place.repository("org/large", &"0123456789abcdef".repeat(300_000));
    let lending = place.lending(&["org/repo", "org/large", "org/missing"], "");
    let (url, large, missing) = (place.url("org/repo"), place.url("org/large"), place.url("org/missing"));
    let ended = place.sh(
        &lending,
        &format!(
            "set -e; git clone -q {url} a; cat a/file; git -C a fetch -q; git archive --remote={url} main | tar -t; \
             git clone -q {large} b; wc -c <b/file; git clone -q {missing} c || echo code $?"
        ),
    );
    ended.expect_code(0);
    assert_eq!(ended.stdout, "a file\nfile\n4800000\ncode 128\n", "{}", ended.report());
    assert!(ended.stderr.contains("does not appear to be a git repository"), "{}", ended.report());
    let carried = ended.receipt["repositories"].as_array().unwrap();
    assert!(carried.iter().all(|one| one["host_key"] == host_key(&place).as_str()), "{}", ended.report());
    assert!(carried.iter().any(|one| one["exit"] == 128), "{}", ended.report());
    assert_eq!(place.server.accepted(), 5, "a login for each: {}", ended.report());
    // The build was lent no login: it was valetkey that logged in.
    assert_eq!((ended.refusals(), ended.logins()), (0, vec![]), "{}", ended.report());
    assert!(ended.stderr.contains("the build held no key"), "{}", ended.report());
    assert_eq!(left(&lending), [""; 0]);
}

#[test]
fn a_push_is_refused_and_one_that_is_granted_is_carried() {
    expect_a_push_only_where_the_grant_may_write(&Place::with_rsa_alone());
}

#[test]
fn a_host_key_that_changed_is_told_with_both_fingerprints() {
    let place = Place::with_rsa_alone();
    let (pin, pinned) = another(&place);
    let ended = place.sh(&place.pinning(&pin, ""), &clone(&place));
    let told = format!("has changed: it shows {}, and pinned are {pinned}; nothing was sent to it", host_key(&place));
    ended.expect_code(128).expect_refused(&told, Some("valetkey host verify"));
    assert!(ended.stderr.contains(&format!("valetkey: the host key of {} {told}", place.server.name())));
    expect_nothing_sent(&place, &ended);
}

#[test]
fn a_host_key_that_was_revoked() {
    let place = Place::with_rsa_alone();
    let pins = place.server.known_hosts("", &["rsa"]) + &another(&place).0;
    let revoked = place.server.known_hosts("@revoked ", &["rsa"]);
    let ended = place.sh(&place.pinning(&(pins + &revoked), ""), &clone(&place));
    ended.expect_code(128).expect_refused("shows a host key that was revoked", Some("do not trust this server"));
    expect_nothing_sent(&place, &ended);
}

#[test]
fn a_server_that_shows_one_key_to_valetkey_and_another_to_ssh() {
    // The first connection, on which valetkey looks, reaches the pinned server; the second one,
    // on which ssh would log in, another that lets the same key in.
    let place = Place::with_rsa_alone();
    let impostor = Server::with_rsa_alone(SETTINGS);
    impostor.let_in(&place.keys.path("key"));
    let (pinned, shown) = (host_key(&place), fingerprint(&impostor.0.host_key("rsa").with_extension("pub")));
    let open = place.keys.write("open", "");
    let through = |ports: Vec<u16>| {
        let gate = Gate::new(ports, 0, open.clone());
        let own = format!(":{}", place.server.0.port());
        let there = format!(":{}", gate.port);
        let config = place.config(&["org/repo"], "").replace(&own, &there);
        let pins = place.server.known_hosts("", &["rsa"]).replace(&own, &there);
        let file = place.keys.write("gate-pins", &pins);
        let rest = config.split_once('\n').unwrap().1;
        let lending = Lending::new().config(&format!("known_hosts = {file:?}\n{rest}"));
        (place.sh(&lending, &clone(&place).replace(&own, &there)), gate)
    };
    let (control, gate) = through(vec![place.server.0.port()]);
    assert_eq!((control.expect_code(0).stdout.as_str(), gate.came()), ("a file\n", 2), "{}", control.report());
    let (ended, gate) = through(vec![place.server.0.port(), impostor.0.port()]);
    let told = format!("has changed: it shows {shown}, and pinned are {pinned}; nothing was sent to it");
    ended.expect_code(128).expect_refused(&told, Some("valetkey host verify"));
    assert_eq!((ended.stdout.as_str(), impostor.accepted(), gate.came()), ("", 0, 2), "{}", ended.report());
    assert!(!impostor.0.log().contains("userauth-request for user"), "{}", impostor.0.log());
    let receipt = &ended.receipt["repositories"][0];
    assert_eq!(receipt["host_key"], shown.as_str(), "{}", ended.report());
}

#[test]
fn a_key_that_is_pinned_by_its_fingerprint_or_by_an_authority() {
    let place = Place::with_rsa_alone();
    let script = clone(&place);
    let by_fingerprint = |fingerprint: &str| {
        let host = format!("[[host]]\nname = \"{}\"\nfingerprint = \"{fingerprint}\"\n", place.server.name());
        place.sh(&place.pinning("# none\n", &host), &script)
    };
    let (_, other) = another(&place);
    let ended = by_fingerprint(&other);
    ended.expect_code(128).expect_refused(&format!("and pinned are {other}"), Some("valetkey host verify"));
    expect_nothing_sent(&place, &ended);
    let ended = by_fingerprint(&host_key(&place));
    assert_eq!(ended.expect_code(0).stdout, "a file\n", "{}", ended.report());

    // A host certificate of its RSA key, by an authority that is pinned; and for another name.
    let keys = crate::hosts::keys::Keys::new();
    let authority = keys.ed25519("authority");
    for (principal, served) in [("127.0.0.1", true), ("elsewhere", false)] {
        let server = Server(Sshd::with(&["rsa"], |folder| {
            let mut sign = std::process::Command::new("ssh-keygen");
            sign.args(["-q", "-I", "host", "-h", "-n", principal, "-s"]).arg(keys.path("authority"));
            crate::hosts::keys::run(sign.arg(folder.join("rsa.pub")));
            format!("{SETTINGS}HostCertificate {}\n", folder.join("rsa-cert.pub").display())
        }));
        let pin = format!("@cert-authority {} {}\n", server.name(), authority.text);
        let place = Place::at(server, &pin);
        let ended = place.sh(&place.lending(&["org/repo"], ""), &clone(&place));
        if served {
            assert_eq!(ended.expect_code(0).stdout, "a file\n", "{}", ended.report());
        } else {
            ended.expect_code(128).expect_refused("has changed: it shows", Some("valetkey host verify"));
            expect_nothing_sent(&place, &ended);
        }
    }
}

#[test]
fn an_rsa_key_of_a_host_that_gave_up_its_other_keys_is_still_its_own() {
    // Pinned with an ed25519 key that the server has no more, and with the one that it has.
    let place = Place::with_rsa_alone();
    let gone = format!("{} {}\n", place.server.name(), place.keys.ed25519("gone").text);
    let both = place.server.known_hosts("", &["rsa"]) + &gone;
    let ended = place.sh(&place.pinning(&both, ""), &clone(&place));
    assert_eq!(ended.expect_code(0).stdout, "a file\n", "{}", ended.report());
    let before = place.server.accepted();
    let ended = place.sh(&place.pinning(&gone, ""), &clone(&place));
    ended.expect_code(128).expect_refused("has changed: it shows", Some("valetkey host verify"));
    assert_eq!(place.server.accepted(), before, "{}", ended.report());
}

#[test]
fn nobody_but_that_one_ssh_is_answered_at_its_socket_which_is_gone_once_it_was_used() {
    let place = Place::with_rsa_alone();
    let lending_folder = tempfile::tempdir().unwrap();
    let go_on = lending_folder.path().join("go-on");
    // valetkey's own look passes; ssh waits behind the gate, and its socket waits with it.
    let gate = Gate::new(vec![place.server.0.port()], 1, go_on.clone());
    let (own, there) = (format!(":{}", place.server.0.port()), format!(":{}", gate.port));
    let pins = place.server.known_hosts("", &["rsa"]).replace(&own, &there);
    let file = place.keys.write("gate-pins", &pins);
    let config = place.config(&["org/repo"], "").replace(&own, &there);
    let rest = config.split_once('\n').unwrap().1;
    let lending = Lending::new().config(&format!("known_hosts = {file:?}\n{rest}"));
    let url = place.url("org/repo").replace(&own, &there);
    let ended = place.sh(
        &lending,
        &format!(
            "git clone -q {url} a & pid=$!
             until socket=$(ls $XDG_RUNTIME_DIR/valetkey/*/s0/a 2>/dev/null); do kill -0 $pid || exit 9; done
             (trap '' PIPE; SSH_AUTH_SOCK=$socket ssh-add -l 2>&1); echo listed $?
             touch {}; wait $pid && cat a/file; ls $socket 2>/dev/null; echo gone $?",
            go_on.display()
        ),
    );
    ended.expect_code(0);
    // Where it is hung up on before it has asked, it must not end by SIGPIPE; what it ends with
    // depends on the moment, and is never the 0 of a list.
    assert!(
        ended.stdout.ends_with("listed 2\na file\ngone 2\n") || ended.stdout.ends_with("listed 1\na file\ngone 2\n"),
        "{}",
        ended.report()
    );
    assert!(!ended.stdout.contains("SHA256:"), "{}", ended.report());
    ended.expect_refused("at the socket that is for valetkey's own ssh alone (ssh-add ", None);
    assert_eq!((place.server.accepted(), left(&lending)), (1, vec![]), "{}", ended.report());
}

#[test]
fn a_key_that_the_server_does_not_know_and_a_machine_without_ssh_are_said_so() {
    let place = Place::with_rsa_alone();
    fs::write(place.server.0.authorized_keys(), "").unwrap();
    let ended = place.sh(&place.lending(&["org/repo"], ""), &clone(&place));
    ended.expect_code(128).expect_refused("did not accept the lent key", Some("check that the key is registered"));

    place.server.let_in(&place.keys.path("key"));
    // valetkey's PATH is one without ssh; the command's own is not.
    let bare = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/sh", bare.path().join("sh")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let lending = place.lending(&["org/repo"], "").env("PATH", bare.path());
    let ended = place.sh(&lending, &format!("export PATH=$HOME/guest:{path}; {}", clone(&place)));
    let said = "it has an RSA host key, which takes the system's ssh, and there is none";
    ended.expect_code(128).expect_refused(said, Some("install the OpenSSH client"));
    assert_eq!(place.server.accepted(), 0, "{}", ended.report());
    let ended = place.sh(&place.lending(&["org/repo"], ""), &clone(&place));
    assert_eq!(ended.expect_code(0).stdout, "a file\n", "{}", ended.report());
}
