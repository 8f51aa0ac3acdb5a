//! Attacks on the tunnel, frame by frame, from a descendant of the wrapped command. Each ends
//! with the control that the granted repository is still served.

use std::fs;
use std::time::{Duration, Instant};

use super::frame_client::{Answer, Guest, bytes, fetch, refused, variable};
use super::place::Place;
use crate::agent::client::{Client, inside, resident, sign};
use crate::agent::lending::{Ended, Lending};
use crate::agent::server::me;
use valetkey::gateway::tunnel::MAX_CHANNELS;
use valetkey::wire::put_string;
use valetkey::wire::tunnel::{MAX_WRITE, Request, Token};

const TOKEN: Token = *b"0123456789abcdef";
const NO_CHANNEL: &str = "there is no such channel in this lease";

/// Runs the calling test once more inside a lease for `org/repo`.
#[track_caller]
fn attack(test: &str) -> (Place, Ended) {
    let place = Place::new();
    let ended = with_variables(&place, place.lending(&["org/repo"], "")).again(test);
    (place, ended)
}

fn with_variables(place: &Place, lending: Lending) -> Lending {
    lending
        .env("REPOSITORY", place.bare("org/repo"))
        .env("OTHER", place.bare("org/other"))
        .env("PORT", place.server.0.port().to_string())
        .env("USER_AT_SERVER", me())
}

#[test]
fn garbage_another_version_and_frames_that_are_too_long_are_refused() {
    if inside() {
        let mut guest = Guest::new();
        let damaged = refused("a tunnel frame is damaged, too long or of another version");
        let ping = bytes(&Request::Ping);
        let long = vec![0; MAX_WRITE + 1];
        let long = bytes(&Request::Write { token: TOKEN, offset: 0, eof: false, bytes: &long });
        for frame in [&b"vkt1"[..], b"vkt1\x09", &ping[..4], &[&ping[..], &[0]].concat(), b"vkt1\x01short", &long] {
            assert_eq!(guest.raw(frame), Some(damaged.clone()), "{frame:?}");
        }
        // Of another version it is no frame at all, and so a login that is none.
        assert_eq!(guest.raw(b"vkt2\x05"), None);
        for seed in 0..500u32 {
            let noise: Vec<u8> =
                (0..seed % 97).map(|n| seed.wrapping_mul(2_654_435_761).rotate_left(n) as u8).collect();
            assert!(!matches!(guest.raw(&[b"vkt1", &noise[..]].concat()), Some(Answer::Opened | Answer::Data(..))));
        }
        return guest.still_serves();
    }
    let (_, ended) = attack("gateway::tunnel::garbage_another_version_and_frames_that_are_too_long_are_refused");
    ended.expect_refused("a tunnel frame that is damaged or out of order", None);
}

#[test]
fn frames_that_are_replayed_reordered_or_left_out_change_nothing_that_was_taken() {
    if inside() {
        let mut guest = Guest::new();
        let command = fetch(&variable("REPOSITORY"));
        assert_eq!(guest.open(TOKEN, &command), Answer::Opened);
        // Sent again, as after a lost connection: the same answer, and one session.
        assert_eq!(guest.open(TOKEN, &command), Answer::Opened);
        // Another command under the same token.
        assert_eq!(guest.open(TOKEN, &fetch(&variable("OTHER"))), refused("the channel is open already"));
        let write = |offset, eof, bytes| Request::Write { token: TOKEN, offset, eof, bytes };
        assert_eq!(guest.ask(&write(0, false, b"00")), Answer::Wrote(2));
        assert_eq!(guest.ask(&write(0, false, b"00")), Answer::Wrote(2));
        assert_eq!(guest.ask(&write(0, true, b"0000")), Answer::Wrote(4));
        // Behind its own end nothing is taken any more.
        assert_eq!(guest.ask(&write(4, false, b"0032want")), Answer::Wrote(12));
        let (out, _, exit) = guest.finish(TOKEN);
        assert!(exit == 0 && !out.is_empty());
        // Output that was acknowledged is not there twice; the channel is over.
        let Answer::Refused(_) = guest.ask(&Request::Read { token: TOKEN, ack: 0, piece: 0, hold: 0 }) else {
            panic!("replayed")
        };
        assert_eq!(guest.ask(&Request::Read { token: TOKEN, ack: 0, piece: 0, hold: 0 }), refused(NO_CHANNEL));

        let token = *b"another channel.";
        assert_eq!(guest.open(token, &command), Answer::Opened);
        let gap = Request::Write { token, offset: 1, eof: false, bytes: b"x" };
        assert_eq!(guest.ask(&gap), refused("a frame of stdin came out of order"));
        assert_eq!(guest.ask(&Request::Read { token, ack: 0, piece: 0, hold: 0 }), refused(NO_CHANNEL));
        return guest.still_serves();
    }
    let test = "gateway::tunnel::frames_that_are_replayed_reordered_or_left_out_change_nothing_that_was_taken";
    let (place, ended) = attack(test);
    ended.expect_refused("out of order", None);
    assert!(place.server.accepted() <= 3, "one session for each channel: {}", ended.report());
}

#[test]
fn a_channel_of_another_lease_or_of_none_is_not_there() {
    if inside() {
        let mut guest = Guest::new();
        let token: Token = fs::read(variable("TOKEN_FILE")).unwrap().try_into().unwrap();
        for request in [
            Request::Read { token, ack: 0, piece: 0, hold: 0 },
            Request::Write { token, offset: 0, eof: true, bytes: b"x" },
            Request::Read { token: [0; 16], ack: 0, piece: 0, hold: 0 },
        ] {
            assert_eq!(guest.ask(&request), refused(NO_CHANNEL));
        }
        // Closing what is not there says nothing about it.
        assert_eq!(guest.ask(&Request::Close { token }), Answer::Closed);
        // Nor does the other lease's pseudo-identity work here.
        let other = fs::read(variable("KEY_FILE")).unwrap();
        assert_ne!(other, guest.key);
        let own = std::mem::replace(&mut guest.key, other);
        assert_eq!(guest.raw(&bytes(&Request::Ping)), None);
        guest.key = own;
        return guest.still_serves();
    }
    if std::env::var_os("OUTER").is_some() {
        return;
    }
    let place = Place::new();
    // The other lease: its channel is open for as long as its command waits on a pipe.
    let folder = tempfile::tempdir().unwrap();
    let (token, key) = (folder.path().join("token"), folder.path().join("key"));
    fs::write(&token, TOKEN).unwrap();
    let other = with_variables(&place, place.lending(&["org/repo"], ""))
        .env("KEY_FILE", &key)
        .again("gateway::tunnel::holds_a_channel_open");
    assert!(key.exists(), "{}", other.report());
    let ended = with_variables(&place, place.lending(&["org/repo"], ""))
        .env("TOKEN_FILE", &token)
        .env("KEY_FILE", &key)
        .again("gateway::tunnel::a_channel_of_another_lease_or_of_none_is_not_there");
    ended.expect_refused("not one that was lent", None);
}

/// The other lease of the test above: opens the channel, and notes its pseudo-identity.
#[test]
fn holds_a_channel_open() {
    if inside() {
        let mut guest = Guest::new();
        assert_eq!(guest.open(TOKEN, &fetch(&variable("REPOSITORY"))), Answer::Opened);
        if let Some(file) = std::env::var_os("KEY_FILE") {
            fs::write(file, &guest.key).unwrap();
        }
        return guest.still_serves();
    }
    let (_, ended) = attack("gateway::tunnel::holds_a_channel_open");
    assert_eq!(ended.refusals(), 0, "{}", ended.report());
}

#[test]
fn a_thousand_channels_are_cut_off_at_the_limit_and_cost_no_memory() {
    if inside() {
        let mut guest = Guest::new();
        let command = fetch(&variable("REPOSITORY"));
        let before = resident();
        let mut opened = 0;
        for number in 0..1000u128 {
            match guest.open(number.to_be_bytes(), &command) {
                Answer::Opened => opened += 1,
                answer => {
                    let full = format!("{MAX_CHANNELS} commands run already; wait for one to end");
                    assert_eq!((answer, opened), (refused(&full), MAX_CHANNELS));
                }
            }
        }
        assert_eq!(opened, MAX_CHANNELS);
        assert!(resident() < before + 64 * 1024, "{} KiB after {before}", resident());
        for number in 0..MAX_CHANNELS as u128 {
            guest.ask(&Request::Close { token: number.to_be_bytes() });
        }
        return guest.still_serves();
    }
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "max_signatures = 2000");
    let test = "gateway::tunnel::a_thousand_channels_are_cut_off_at_the_limit_and_cost_no_memory";
    let ended = with_variables(&place, lending).again(test);
    ended.expect_refused("too many run at once", None);
}

#[test]
fn a_reader_that_stalls_costs_a_few_megabytes_and_not_the_repository() {
    if inside() {
        let mut guest = Guest::new();
        guest.still_serves();
        let before = resident();
        assert_eq!(guest.open(TOKEN, &format!("git-upload-archive '{}'", variable("REPOSITORY"))), Answer::Opened);
        let ask = b"0012argument HEAD\n0000";
        assert_eq!(guest.ask(&Request::Write { token: TOKEN, offset: 0, eof: true, bytes: ask }), Answer::Wrote(22));
        // Slower than the server, until there is always more to be had.
        let (started, mut ack, mut last) = (Instant::now(), 0, Vec::new());
        while last.len() < 400_000 && started.elapsed() < Duration::from_secs(30) {
            ack += u64::from(!last.is_empty());
            let read = Request::Read { token: TOKEN, ack, piece: ack, hold: 50 };
            let Answer::Data(_, chunks) = guest.ask(&read) else { panic!("no data") };
            last = chunks;
            std::thread::park_timeout(Duration::from_millis(20));
        }
        assert!(last.len() >= 400_000, "{} bytes", last.len());
        // Never acknowledged: what has been given is given again, and no more is fetched.
        for ahead in [0, 1].repeat(20) {
            let read = Request::Read { token: TOKEN, ack, piece: ack + ahead, hold: 50 };
            let Answer::Data(_, chunks) = guest.ask(&read) else { panic!("no data") };
            assert!(ahead == 1 || chunks == last);
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 12 * 1024, "{grown} KiB");
        return guest.still_serves();
    }
    let place = Place::new();
    place.repository("org/large", &"x".repeat(60_000_000));
    let lending = place.lending(&["org/large"], "");
    with_variables(&place, lending)
        .env("REPOSITORY", place.bare("org/large"))
        .again("gateway::tunnel::a_reader_that_stalls_costs_a_few_megabytes_and_not_the_repository");
}

/// The signed data of an unbound login with this key, in order to the last byte.
fn login(key: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    put_string(&mut data, &[9; 32]);
    data.push(50);
    for field in [variable("USER_AT_SERVER").as_bytes(), b"ssh-connection", b"publickey"] {
        put_string(&mut data, field);
    }
    data.push(1);
    put_string(&mut data, b"ssh-ed25519");
    put_string(&mut data, key);
    data
}

#[test]
fn nothing_is_signed_on_the_side() {
    if inside() {
        let mut guest = Guest::new();
        // A login with the pseudo-identity, and one with the real key, which is not listed.
        let real = fs::read_to_string(variable("PUBLIC")).unwrap();
        let real = crate::hosts::keys::Key::parse(&real).blob;
        let key = guest.key.clone();
        for key in [key, real] {
            let data = login(&key);
            assert_eq!(Client::connect().ask(&sign(&key, &data)).unwrap()[0], 5);
            assert_eq!(Client::connect().ask(&sign(&key, b"SSHSIG\0\0\0\x03git")).unwrap()[0], 5);
        }
        return guest.still_serves();
    }
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "").env("PUBLIC", place.keys.path("key").with_extension("pub"));
    let ended = with_variables(&place, lending).again("gateway::tunnel::nothing_is_signed_on_the_side");
    ended.expect_refused("not one that was lent", None);
    assert_eq!(ended.logins(), [], "{}", ended.report());
}
