//! Servers: a real sshd that is right, wrong, silent or gone; and what a visit leaves undone.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Barrier};

use super::examined::{Examined, examined as look};
use crate::agent::server::{Server, me};
use crate::gateway::place::{Place as Forge, SETTINGS};
use crate::hosts::keys::run as succeed;
use crate::run::place::Place;

const ALL: [&str; 4] = ["reach", "host-key", "login", "repository"];

/// `doctor` with a grant of the forge's repositories.
#[track_caller]
fn visited(forge: &Forge, repos: &[&str]) -> Examined {
    look(&Place::new(), &forge.config(repos, ""), &["--timeout", "20s"])
}

/// The first steps are fine, and then comes this.
#[track_caller]
fn fails_at<'a>(examined: &'a Examined, name: &'static str) -> &'a Examined {
    let at = ALL.iter().position(|one| *one == name).unwrap();
    let mut expected: Vec<_> = ALL[..at].iter().map(|name| (*name, "ok")).collect();
    expected.push((name, "failure"));
    for name in &ALL[at + 1..] {
        examined.lacks(name);
    }
    examined.stands(&expected)
}

/// The server got no login.
#[track_caller]
fn nothing_was_sent(server: &Server) {
    assert_eq!(server.accepted(), 0);
    assert!(!server.0.log().contains("userauth-request for user"), "{}", server.0.log());
}

/// The forge's config with other pins.
fn with_pins(forge: &Forge, pins: &str) -> String {
    let file = forge.keys.write("other-pins", pins);
    let config = forge.config(&["org/repo"], "");
    format!("known_hosts = {file:?}\n{}", config.split_once('\n').unwrap().1)
}

#[test]
fn a_repository_that_can_be_read_is_read_from_and_nothing_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let server = Server::with(&format!("{SETTINGS}SetEnv GIT_TRACE={}\n", trace.display()));
    let pins = server.known_hosts("", &["ed25519", "ecdsa"]);
    let forge = Forge::at(server, &pins);
    let examined = visited(&forge, &["org/repo", "org/other"]);
    examined.is(0).stands(&[
        ("reach", "ok"),
        ("host-key", "ok"),
        ("login", "ok"),
        ("repository", "ok"),
        ("repository", "ok"),
    ]);
    examined.says("repository", &["org/repo can be read: 2 references"]).says("login", &[&me(), "SHA256:"]);
    assert!(forge.server.accepted() > 0);
    let asked = fs::read_to_string(&trace).unwrap();
    assert!(asked.contains("upload-pack") && !asked.contains("pack-objects"), "{asked}");
    // The control: a clone is seen.
    forge.sh(&forge.lending(&["org/repo"], ""), &format!("git clone -q {} a", forge.url("org/repo"))).expect_code(0);
    assert!(fs::read_to_string(&trace).unwrap().contains("pack-objects"));
}

#[test]
fn a_key_that_the_server_does_not_know_is_not_accepted() {
    let forge = Forge::new();
    fs::write(forge.server.0.authorized_keys(), "").unwrap();
    let examined = visited(&forge, &["org/repo", "org/other"]);
    fails_at(&examined, "login")
        .is(111)
        .says("login", &["does not accept the login of", "SHA256:", "register the key"]);
}

#[test]
fn a_host_key_that_changed_or_was_revoked_is_told_and_nothing_is_sent() {
    let forge = Forge::new();
    let other = forge.keys.ed25519("another").text;
    let pins = format!("{} {other}\n", forge.server.name());
    let examined = look(&Place::new(), &with_pins(&forge, &pins), &[]);
    fails_at(&examined, "host-key")
        .is(112)
        .says("host-key", &["has changed", "nothing was sent", "valetkey host verify"]);
    let own = forge.server.known_hosts("", &["ed25519"]);
    let revoked = own.clone() + &forge.server.known_hosts("@revoked ", &["ed25519", "ecdsa"]);
    let examined = look(&Place::new(), &with_pins(&forge, &revoked), &[]);
    fails_at(&examined, "host-key").is(112).says("host-key", &["was revoked"]);
    nothing_was_sent(&forge.server);
    // The control: it is the pins alone.
    look(&Place::new(), &with_pins(&forge, &own), &[]).is(0);
}

#[test]
fn a_host_that_nobody_pinned_is_reached_and_its_key_is_shown() {
    let forge = Forge::new();
    let examined = look(&Place::new(), &with_pins(&forge, "# none\n"), &[]);
    fails_at(&examined, "host-key").is(112).says("host-key", &["not pinned", "SHA256:", "valetkey host add"]);
    examined.stands(&[("pin", "failure")]).says("pin", &["no host key is pinned for"]);
    nothing_was_sent(&forge.server);
}

#[test]
fn a_closed_port_and_a_name_that_is_none_are_not_reached() {
    let forge = Forge::new();
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let moved = |text: String| text.replace(&format!(":{}", forge.server.0.port()), &format!(":{closed}"));
    let config = moved(with_pins(&forge, &moved(forge.server.known_hosts("", &["ed25519"]))));
    let examined = look(&Place::new(), &config, &[]);
    fails_at(&examined, "reach").is(112).says("reach", &["failed to connect", "refused"]);
    // With an empty part: no resolver asks anybody about it.
    let named = |text: String| text.replace("127.0.0.1:", "not..a-name:").replace("[127.0.0.1]:", "[not..a-name]:");
    let config = named(with_pins(&forge, &named(forge.server.known_hosts("", &["ed25519"]))));
    let examined = look(&Place::new(), &config, &[]);
    fails_at(&examined, "reach").is(112).says("reach", &["failed to connect to [not..a-name]"]);
}

/// A grant for servers on these ports, whose pins are of no matter.
fn on_ports(forge: &Forge, ports: &[u16]) -> String {
    let key = forge.keys.ed25519(&format!("pin-{}", ports.len())).text;
    let pins: String = ports.iter().map(|port| format!("[127.0.0.1]:{port} {key}\n")).collect();
    let file = forge.keys.write("port-pins", &pins);
    let hosts: Vec<String> = ports.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    let grant =
        |host: &String| format!("[[grant]]\nkey = \"file:{}\"\nhost = {host}\n", forge.keys.path("key").display());
    format!("known_hosts = {file:?}\n{}", hosts.iter().map(grant).collect::<String>())
}

#[test]
fn a_port_that_takes_connections_and_says_nothing_is_left_at_the_time_limit() {
    let forge = Forge::new();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let config = on_ports(&forge, &[silent.local_addr().unwrap().port()]);
    let examined = look(&Place::new(), &config, &["--timeout", "1s"]);
    fails_at(&examined, "reach").is(112).says("reach", &["was silent for 1 seconds", "ssh -v"]);
}

#[test]
fn servers_are_visited_side_by_side() {
    let forge = Forge::new();
    let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    // None of them lets go before all were reached: one after another, the first would be silent.
    let all = Arc::new(Barrier::new(listeners.len()));
    for listener in listeners {
        let all = Arc::clone(&all);
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 8]);
            all.wait();
        });
    }
    let examined = look(&Place::new(), &on_ports(&forge, &ports), &["--timeout", "20s"]);
    examined.is(112).stands(&[("reach", "failure"); 3]);
    assert!(!examined.ran.out.contains("silent"), "{:#?}", examined.report);
}

#[test]
fn what_comes_after_a_server_that_is_not_reached_is_not_tried() {
    let forge = Forge::new();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let config = on_ports(&forge, &[port]) + "repos = [\"org/a\", \"org/b\", \"org/c\"]\n";
    let examined = look(&Place::new(), &config, &["--timeout", "1s"]);
    examined.is(112).stands(&[("reach", "failure"), ("repository", "not checked"), ("repository", "not checked")]);
}

#[test]
fn a_repository_that_is_not_there_is_told_in_the_servers_words() {
    let forge = Forge::new();
    let examined = visited(&forge, &["org/missing"]);
    fails_at(&examined, "repository").is(111);
    examined.says("repository", &["org/missing cannot be read", "does not appear to be a git repository", "`repos`"]);
}

#[test]
fn of_a_pattern_the_login_is_looked_at_and_of_a_grant_without_hosts_nothing() {
    let forge = Forge::new();
    let examined = visited(&forge, &["org/*"]);
    examined.is(0).stands(&[("repository", "not checked"), ("reach", "ok"), ("host-key", "ok"), ("login", "ok")]);
    assert_eq!(forge.server.accepted(), 1);
    let config = forge.config(&["org/repo"], "");
    let config: String =
        config.lines().filter(|line| !line.starts_with("host")).map(|line| format!("{line}\n")).collect();
    let examined = look(&Place::new(), &config, &[]);
    examined.is(0).stands(&[("reach", "not checked")]).says("reach", &["it names no host", "--host"]);
    assert_eq!(forge.server.accepted(), 1);
}

#[test]
fn a_grant_by_agent_is_logged_in_with() {
    let forge = Forge::new();
    let examined = look(&Place::new(), &with_agent(&forge), &[]);
    examined.is(0).stands(&[("reach", "ok"), ("host-key", "ok"), ("login", "ok")]).lacks("repository");
    assert_eq!(forge.server.accepted(), 1);
}

/// A grant without repositories.
fn with_agent(forge: &Forge) -> String {
    let config = forge.config(&["org/repo"], "");
    config.lines().filter(|line| !line.starts_with("repos")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_server_with_an_rsa_key_alone_is_read_from_as_a_build_reads_from_it() {
    let forge = Forge::with_rsa_alone();
    visited(&forge, &["org/repo"]).is(0).says("repository", &["can be read: 2 references"]);
    let examined = visited(&forge, &["org/missing"]);
    fails_at(&examined, "repository").is(111).says("repository", &["does not appear to be a git repository"]);
    let login = visited(&forge, &["org/*"]);
    login.is(0).stands(&[("repository", "not checked"), ("login", "not checked")]);
}

#[test]
fn a_server_is_looked_at_where_its_key_cannot_be_read() {
    let forge = Forge::new();
    fs::remove_file(forge.keys.path("key")).unwrap();
    let examined = visited(&forge, &["org/repo"]);
    examined.is(111).stands(&[("key", "failure"), ("reach", "ok"), ("host-key", "ok"), ("login", "not checked")]);
    assert_eq!(forge.server.accepted(), 0);
}

#[test]
fn a_host_behind_a_jump_host_is_told_as_the_gateway_tells_it() {
    let forge = Forge::new();
    let place = Place::new();
    let ssh = place.at(".ssh");
    fs::create_dir(&ssh).unwrap();
    // ssh reads the config of the account's own home folder, so the test names it.
    let wrapper = place.at("bin");
    fs::create_dir(&wrapper).unwrap();
    let config = ssh.join("config");
    fs::write(&config, "Host *\n  ProxyJump bastion.example.com\n").unwrap();
    let program =
        String::from_utf8(succeed(std::process::Command::new("sh").args(["-c", "command -v ssh"])).stdout).unwrap();
    let script = format!("#!/bin/sh\nexec {} -F {} \"$@\"\n", program.trim(), config.display());
    fs::write(wrapper.join("ssh"), script).unwrap();
    succeed(std::process::Command::new("chmod").arg("755").arg(wrapper.join("ssh")));
    place.write("valetkey.toml", forge.config(&["org/repo"], ""));
    let path = format!("{}:{}", wrapper.display(), std::env::var("PATH").unwrap());
    let ran = crate::run::place::ran(place.valetkey(&["doctor"]).env("PATH", path));
    ran.is(112).shows(&["(ProxyJump)", "--lend agent"]);
    assert_eq!(forge.server.accepted(), 0);
}
