//! The budget of signatures and the time limit, at the limit and one past it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::client::{Client, inside, lending};

#[test]
fn the_64th_signature_is_given_and_the_65th_is_refused() {
    if inside() {
        let mut clients = [Client::connect(), Client::connect()];
        assert!((0..64).all(|number| clients[number % 2].log_in()));
        assert!(!clients[0].log_in() && !Client::connect().log_in());
        return;
    }
    let (_keys, lending) = lending();
    let ended = lending.again("agent::limits::the_64th_signature_is_given_and_the_65th_is_refused");
    ended.expect_bound("forge", 64);
    ended.expect_refused("the budget of 64 signatures is used up", Some("--max-signatures"));
    assert_eq!(ended.receipt["refusals"][0]["count"], 2, "{}", ended.report());
}

#[test]
fn a_smaller_budget_is_kept() {
    if inside() {
        let mut client = Client::connect();
        assert_eq!([client.log_in(), client.log_in(), client.log_in()], [true, true, false]);
        return;
    }
    let (_keys, lending) = lending();
    let ended = lending.flags(["--max-signatures", "2"]).again("agent::limits::a_smaller_budget_is_kept");
    ended.expect_bound("forge", 2).expect_refused("the budget of 2 signatures is used up", Some("--max-signatures"));
}

#[test]
fn many_at_once_get_no_more_than_the_budget() {
    if inside() {
        let signed = || (0..20).filter(|_| Client::connect().log_in()).count();
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(signed)).collect();
        let signed: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(signed, 64);
        return;
    }
    let (_keys, lending) = lending();
    lending.again("agent::limits::many_at_once_get_no_more_than_the_budget").expect_bound("forge", 64);
}

#[test]
fn after_the_time_limit_nothing_answers_and_the_command_goes_on() {
    if inside() {
        let mut client = Client::connect();
        assert!(client.log_in());
        let give_up = Instant::now() + Duration::from_secs(30);
        let error = loop {
            match Client::try_connect() {
                Err(error) => break error,
                Ok(_) => std::thread::sleep(Duration::from_millis(10)),
            }
            assert!(Instant::now() < give_up, "it still answers");
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(client.list(), None, "a connection from before is closed as well");
        return;
    }
    let (_keys, lending) = lending();
    let test = "agent::limits::after_the_time_limit_nothing_answers_and_the_command_goes_on";
    let ended = lending.flags(["--time-limit", "3s"]).again(test);
    ended.expect_bound("forge", 1);
    assert_eq!(ended.receipt["ended_by"], "time-limit", "{}", ended.report());
    assert!(ended.stderr.contains("the lease ended at its time limit, before the command did"), "{}", ended.report());
}
