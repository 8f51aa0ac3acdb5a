//! An agent that is out of descriptors waits for some, and does not spin.

use std::io::Read as _;
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::{Client, expect_rest, frame, inside, lending, valetkey};

/// Open files that valetkey may have: a few more than it has.
const FILES: u32 = 24;

fn limit(files: u32) {
    let status =
        Command::new("prlimit").arg(format!("--pid={}", valetkey())).arg(format!("--nofile={files}:")).status();
    assert!(status.expect("prlimit cannot be run: install the package util-linux").success());
}

#[test]
fn it_recovers_when_they_are_given_back_and_does_not_burn_the_processor() {
    if inside() {
        limit(FILES);
        let mut open = Vec::new();
        // Until one is not even taken: the system has no descriptor for it.
        loop {
            let mut client = Client::connect();
            client.0.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            client.send(&frame(&[11]));
            let answered = client.0.read(&mut [0; 64]).is_ok_and(|count| count > 0);
            open.push(client);
            if !answered {
                break;
            }
            assert!(open.len() < 100, "it takes any number of connections");
        }
        expect_rest();

        drop(open);
        let give_up = Instant::now() + Duration::from_secs(20);
        while Client::connect().list().is_none_or(|listed| listed.len() != 1) {
            assert!(Instant::now() < give_up, "it does not recover");
        }
        assert!(Client::connect().log_in());
        return;
    }
    let (_keys, lending) = lending();
    let test = "agent::no_descriptors::it_recovers_when_they_are_given_back_and_does_not_burn_the_processor";
    let ended = lending.again(test);
    ended.expect_bound("forge", 1);
    ended.expect_refused("a connection, because the system had no descriptor, memory or thread for it", None);
}
