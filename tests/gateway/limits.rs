//! The time limits of a session, short, with russh and through the system's `ssh`: at each of them
//! it goes on, and past it it is cut.

use std::time::{Duration, Instant};

use super::frame_client::Answer;
use super::gate::Gate;
use super::inside::{Finished, Inside};
use super::place::{Place, SETTINGS};
use crate::agent::server::Server;
use valetkey::gateway::TimeLimits;

/// A time limit that a test can wait for, and far longer than a busy machine takes for a login.
const SHORT: Duration = Duration::from_secs(4);
const SHORT_STALL: TimeLimits =
    TimeLimits { connect: Duration::from_secs(30), stall: SHORT, silence: Duration::from_secs(30) };

/// Does it at a server that runs this whatever is asked: once with russh, once through `ssh`.
fn both(command: &str, act: impl Fn(&Place, &str) + Sync) {
    let settings = format!("{SETTINGS}ForceCommand {command}\n");
    std::thread::scope(|scope| {
        let one = scope.spawn(|| {
            let server = Server::with(&settings);
            let pins = server.known_hosts("", &["ed25519"]);
            act(&Place::at(server, &pins), &pins);
        });
        let server = Server::with_rsa_alone(&settings);
        let pins = server.known_hosts("", &["rsa"]);
        act(&Place::at(server, &pins), &pins);
        one.join().unwrap();
    });
}

fn inside(place: &Place, pins: &str, limits: TimeLimits) -> Inside {
    Inside::new(place, pins, place.server.0.port(), limits)
}

#[track_caller]
fn expect_cut(inside: &Inside, ended: &Finished) {
    let said = format!("was silent for {} seconds", SHORT.as_secs());
    assert!(ended.err.contains(&said) && ended.exit == 255, "{ended:?}");
    let refusals = inside.tally().refusals;
    assert!(refusals.len() == 1 && refusals[0].text.ends_with(&said), "{refusals:?}");
    assert!(ended.took < 5 * SHORT, "{ended:?}");
    assert_eq!(inside.left(), 0);
}

#[test]
fn a_server_that_pauses_is_waited_for_and_one_that_is_silent_is_cut() {
    both("for n in 1 2 3; do printf x; sleep 1.4; done; exit 3", |place, pins| {
        let inside = inside(place, pins, SHORT_STALL);
        inside.open();
        let ended = inside.finish();
        assert_eq!((ended.out.as_slice(), ended.exit), (&b"xxx"[..], 3), "{ended:?}");
        assert!(ended.took > SHORT && inside.tally().refusals.is_empty(), "{ended:?}");
    });
    both("printf x; exec cat", |place, pins| {
        let inside = inside(place, pins, SHORT_STALL);
        inside.open();
        let ended = inside.finish();
        assert_eq!((ended.out.as_slice(), place.server.accepted()), (&b"x"[..], 1), "{ended:?}");
        expect_cut(&inside, &ended);
        assert!(ended.took >= SHORT, "{ended:?}");
    });
}

#[test]
fn a_long_push_to_a_server_that_says_nothing_is_not_cut() {
    let slowly = "for n in $(seq 18); do \
                  head -c 524288 >/dev/null; sleep 0.3; done; cat >/dev/null; printf taken";
    both(slowly, |place, pins| {
        let inside = inside(place, pins, SHORT_STALL);
        inside.open();
        let began = Instant::now();
        inside.send(&vec![7; 18 * 524_288]);
        let ended = inside.finish();
        assert_eq!((ended.out.as_slice(), ended.exit), (&b"taken"[..], 0), "{ended:?}");
        assert!(began.elapsed() > SHORT, "{:?}", began.elapsed());
    });
}

#[test]
fn a_build_that_reads_slowly_is_not_cut() {
    both("head -c 6000000 /dev/zero", |place, pins| {
        let inside = inside(place, pins, SHORT_STALL);
        inside.open();
        let began = Instant::now();
        // It lives, and takes nothing.
        while began.elapsed() < SHORT * 3 / 2 {
            assert!(matches!(inside.read(0, 100), Answer::Data(0, _)));
            std::thread::sleep(Duration::from_millis(100));
        }
        let ended = inside.finish();
        assert_eq!((ended.out.len(), ended.exit), (6_000_000, 0), "{}", ended.err);
    });
}

#[test]
fn a_server_that_never_says_what_it_is_is_cut() {
    let limits = TimeLimits { connect: SHORT, ..TimeLimits::default() };
    both("printf x", |place, pins| {
        let never = place.keys.path("never");
        // Number 0 is russh, or the look at an RSA key; number 1 is ssh.
        for held in [0, 1, 2] {
            let gate = Gate::new(vec![place.server.0.port()], held, never.clone());
            let inside = Inside::new(place, pins, gate.port, limits);
            inside.open();
            let ended = inside.finish();
            let connections = if pins.contains("ssh-rsa") { 2 } else { 1 };
            if held >= connections {
                assert_eq!((ended.out.as_slice(), gate.came()), (&b"x"[..], connections), "{ended:?}");
            } else {
                assert!(ended.out.is_empty() && gate.came() == held + 1, "{ended:?}");
                expect_cut(&inside, &ended);
            }
        }
        assert!(place.server.accepted() <= 2);
    });
}

#[test]
fn a_guest_that_asks_now_and_then_is_served_and_one_that_is_silent_is_gone() {
    let limits = TimeLimits { silence: SHORT, ..TimeLimits::default() };
    both("printf x; exec cat", |place, pins| {
        let inside = inside(place, pins, limits);
        inside.open();
        let began = Instant::now();
        while began.elapsed() < SHORT * 3 / 2 {
            assert!(matches!(inside.read(0, 0), Answer::Data(0, _)));
            std::thread::sleep(SHORT / 6);
        }
        assert!(inside.tally().carried.is_empty());
        // And now nothing.
        let silent = Instant::now();
        assert_eq!(inside.carried(), None);
        assert!(silent.elapsed() > SHORT * 2 / 3, "{:?}", silent.elapsed());
        assert_eq!(inside.left(), 0);
    });
}

#[test]
fn a_server_that_nobody_pinned_is_sent_nothing() {
    both("printf x", |place, _| {
        let inside = inside(place, "# none\n", TimeLimits::default());
        inside.open();
        let ended = inside.finish();
        assert!(ended.err.contains("shows a host key that is not pinned (SHA256:"), "{ended:?}");
        assert_eq!((ended.out.len(), ended.exit, place.server.accepted()), (0, 255, 0), "{ended:?}");
        let refusals = inside.tally().refusals;
        assert!(refusals[0].hint.as_deref().is_some_and(|hint| hint.contains("valetkey host add")), "{refusals:?}");
        assert!(!place.server.0.log().contains("userauth-request for user"));
    });
}
