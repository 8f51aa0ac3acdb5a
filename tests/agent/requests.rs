//! Requests that are too long, too short, nothing at all, or cut: each ends its own connection or
//! gets a failure, and nobody else notices.

use super::client::{Client, frame, inside, lending, resident, sign};
use valetkey::wire::agent::FAILURE;
use valetkey::wire::frame::MAX_REQUEST;

/// The most that valetkey may hold on to whatever its clients do, in KiB.
const MEMORY: u64 = 64 * 1024;

#[test]
fn a_header_that_announces_four_gigabytes_ends_its_connection() {
    if inside() {
        let mut client = Client::connect();
        client.send(&[0xff; 4]);
        assert_eq!(client.reply(), None);
        assert!(Client::connect().log_in() && resident() < MEMORY);
        return;
    }
    let (_keys, lending) = lending();
    let ended = lending.again("agent::requests::a_header_that_announces_four_gigabytes_ends_its_connection");
    ended.expect_bound("forge", 1);
    ended.expect_refused("a request of 4294967295 bytes was announced; the limit is 262144", None);
}

#[test]
fn a_request_of_no_bytes_ends_its_connection() {
    if inside() {
        let mut client = Client::connect();
        client.send(&frame(&[]));
        assert_eq!(client.reply(), None);
        assert!(Client::connect().log_in());
        return;
    }
    let (_keys, lending) = lending();
    let ended = lending.again("agent::requests::a_request_of_no_bytes_ends_its_connection");
    ended.expect_bound("forge", 1).expect_refused("a request of 0 bytes was announced", None);
}

#[test]
fn the_longest_request_is_answered_and_one_byte_more_is_not() {
    if inside() {
        let mut client = Client::connect();
        let key = client.list().unwrap().remove(0);
        let around = sign(&key, &[]).len();
        // A request in order, but for its data: no login is of this size.
        let longest = sign(&key, &vec![0; MAX_REQUEST - around]);
        assert_eq!(longest.len(), MAX_REQUEST);
        assert_eq!(client.ask(&longest), Some(vec![FAILURE]));
        assert!(client.log_in(), "the connection is as good as before");
        assert_eq!(client.ask(&sign(&key, &vec![0; MAX_REQUEST - around + 1])), None);
        assert!(resident() < MEMORY);
        return;
    }
    let (_keys, lending) = lending();
    let ended = lending.again("agent::requests::the_longest_request_is_answered_and_one_byte_more_is_not");
    ended.expect_bound("forge", 1).expect_refused("the data to sign is not an SSH login", None);
    ended.expect_refused("a request of 262145 bytes was announced; the limit is 262144", None);
}

#[test]
fn half_a_request_holds_up_nobody() {
    if inside() {
        let mut half = Client::connect();
        half.send(&frame(&[11])[..3]);
        assert!(Client::connect().log_in());
        // It is whole after all, within its time.
        half.send(&frame(&[11])[3..]);
        assert_eq!(half.reply().unwrap()[0], 12);
        return;
    }
    let (_keys, lending) = lending();
    let ended = lending.again("agent::requests::half_a_request_holds_up_nobody");
    ended.expect_bound("forge", 1);
    assert_eq!(ended.refusals(), 0, "{}", ended.report());
}

#[test]
fn ten_thousand_requests_of_garbage_are_refused_one_by_one_and_counted() {
    if inside() {
        let mut client = Client::connect();
        // Numbers without a pattern, and the same in every run.
        let mut number: u64 = 1;
        let mut next = move || {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u8::try_from(number >> 56).unwrap()
        };
        for count in 0..10_000_u32 {
            let mut body: Vec<u8> = (0..next() % 60).map(|_| next()).collect();
            if count % 2 == 0 {
                // Another extension each time: a name for every line of the log.
                body = [&[27, 0, 0, 0, 4][..], &count.to_be_bytes(), &body].concat();
            }
            body.push(0);
            assert_eq!(client.ask(&body), Some(vec![FAILURE]), "{body:?}");
        }
        assert!(client.log_in() && resident() < MEMORY);
        return;
    }
    let (_keys, lending) = lending();
    let test = "agent::requests::ten_thousand_requests_of_garbage_are_refused_one_by_one_and_counted";
    let ended = lending.again(test);
    ended.expect_bound("forge", 1);
    let refusals = ended.receipt["refusals"].as_array().unwrap();
    let counted: u64 = refusals.iter().map(|refusal| refusal["count"].as_u64().unwrap()).sum();
    let more = ended.receipt["more_refusals"].as_u64().unwrap();
    assert!(refusals.len() <= 100 && counted + more == 10_000, "{} {counted} {more}", refusals.len());
    assert!(!ended.stderr.chars().any(|c| c.is_control() && c != '\n'), "{:?}", ended.stderr);
}
