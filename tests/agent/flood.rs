//! Clients that take up room: silent ones, and one that never reads.

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::{Client, INSIDE, frame, inside, lending, resident};
use super::lending::Lending;
use super::server::{LOGGED_IN, Server, me, ssh};
use crate::hosts::keys::Keys;
use valetkey::agent::listener::MAX_CONNECTIONS;

#[test]
fn five_hundred_silent_connections_do_not_keep_a_real_login_out() {
    if inside() {
        let mut clients: Vec<Client> = (0..500).map(|_| Client::connect()).collect();
        // Connections are taken in turn: once the last is answered, all were.
        assert_eq!(clients.last_mut().unwrap().list().unwrap().len(), 1);
        let login = std::env::var("TEST_LOGIN").unwrap();
        let ssh = Command::new("sh").args(["-c", &login]).env_remove(INSIDE).output().unwrap();
        assert_eq!(ssh.status.code(), Some(LOGGED_IN), "{ssh:?}");
        assert!(resident() < 64 * 1024, "{} KiB", resident());
        let is_open = |client: &&mut Client| {
            client.0.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            (&client.0).read(&mut [0]).is_err()
        };
        let open = clients.iter_mut().filter(is_open).count();
        assert!((100..=MAX_CONNECTIONS).contains(&open), "{open} are still open");
        return;
    }
    let keys = Keys::new();
    keys.ed25519("key");
    let server = Server::letting_in(&keys.path("key"));
    let lending = Lending::of(&keys.path("key")).flags(["--user", &me(), "--host", &server.host(), "--known-hosts"]);
    let lending = lending.flags([server.pinned(&keys.path(""))]).env("TEST_LOGIN", ssh(&server, ""));
    let ended = lending.again("agent::flood::five_hundred_silent_connections_do_not_keep_a_real_login_out");
    ended.expect_bound(&server.name(), 1);
    assert_eq!(server.accepted(), 1, "{}", server.0.log());
}

#[test]
fn a_client_that_never_reads_holds_up_neither_others_nor_the_end() {
    if inside() {
        let mut deaf = Client::connect();
        deaf.0.set_nonblocking(true).unwrap();
        let request = frame(&[11]);
        // Until both directions are full: the agent waits for the client to read.
        let give_up = Instant::now() + Duration::from_secs(30);
        let mut full = 0;
        while full < 20 {
            assert!(Instant::now() < give_up, "it takes any number of requests");
            match deaf.0.write(&request) {
                Ok(count) if count == request.len() => full = 0,
                _ => {
                    full += 1;
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
        assert!(Client::connect().log_in() && resident() < 64 * 1024);
        return;
    }
    let (_keys, lending) = lending();
    let started = Instant::now();
    let ended = lending.again("agent::flood::a_client_that_never_reads_holds_up_neither_others_nor_the_end");
    ended.expect_bound("forge", 1);
    assert!(started.elapsed() < valetkey::agent::connection::REPLY_TIME, "the end waited for it");
}
