//! A stream shows every byte once, whatever is done with it.

use std::cell::RefCell;
use std::io::{self, Read};

use valetkey::image::stream::{AHEAD, BEHIND, FRESH, Sink, Stream, Window};

use super::seen::{Dice, Seen};

/// Gives as much as it likes, up to a failure.
struct Uneven<'a> {
    bytes: &'a [u8],
    dice: Dice,
    fails: bool,
}

impl Read for Uneven<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.fails {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "torn"));
        }
        if self.dice.below(8) == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = usize::try_from(1 + self.dice.below(100_000)).unwrap().min(out.len());
        self.bytes.read(&mut out[..most])
    }
}

#[test]
fn every_byte_is_fresh_once_and_in_its_entry_whatever_is_read_how() {
    for seed in 1..40 {
        let mut dice = Dice(seed);
        let length = usize::try_from(dice.below(2_000_000)).unwrap();
        let bytes = dice.bytes(length);
        let sink = RefCell::new(Seen::default());
        let mut source = Uneven { bytes: &bytes, dice: Dice(seed + 1000), fails: false };
        let mut stream = Stream::new(&mut source, &sink, vec![b"layer".to_vec()]);
        let mut expected = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            match dice.below(4) {
                0 => {
                    let count = usize::try_from(dice.below(AHEAD as u64 + 1)).unwrap();
                    let peeked = stream.peek(count).unwrap();
                    assert_eq!(peeked, &bytes[at..(at + count).min(bytes.len())]);
                    let take = usize::try_from(dice.below(peeked.len() as u64 + 1)).unwrap();
                    stream.take(take);
                    at += take;
                }
                1 => {
                    let next = stream.buffered().unwrap();
                    assert!(!next.is_empty());
                    assert_eq!(next, &bytes[at..at + next.len()]);
                    let take = usize::try_from(dice.below(next.len() as u64 + 1)).unwrap();
                    stream.take(take);
                    at += take;
                }
                2 => {
                    let count = dice.below(700_000);
                    at += usize::try_from(stream.skip(count).unwrap()).unwrap();
                }
                _ => {
                    let length = 1 + dice.below(300_000);
                    let name = format!("entry {at}");
                    stream.span(name.clone().into_bytes(), length);
                    let skipped = usize::try_from(stream.skip(length).unwrap()).unwrap();
                    if skipped > 0 {
                        expected.push((format!("layer!/{name}"), bytes[at..at + skipped].to_vec()));
                    }
                    at += skipped;
                }
            }
            assert_eq!(stream.at(), at as u64);
        }
        assert_eq!(stream.finish().unwrap(), bytes.len() as u64);
        let seen = sink.into_inner();
        assert_eq!(seen.streams.len(), 1, "seed {seed}");
        assert!(seen.streams[0].1 == bytes && seen.streams[0].2, "seed {seed}");
        assert!(seen.files == expected.into_iter().collect(), "seed {seed}");
    }
}

/// Looks for a text that is as long as a window shows ahead.
struct Longest {
    text: Vec<u8>,
    found: Vec<u64>,
}

impl Sink for Longest {
    fn window(&mut self, _trail: &[Vec<u8>], window: &Window<'_>) {
        assert!(window.bytes.len() <= FRESH + AHEAD);
        assert!(window.offset == 0 || window.fresh.start <= BEHIND);
        for at in window.fresh.clone() {
            if window.bytes[at..].starts_with(&self.text) {
                self.found.push(window.offset + at as u64);
            }
        }
    }

    fn entry(&mut self, _: &[Vec<u8>], _: &valetkey::image::stream::Entry<'_>) {}

    fn gap(&mut self, _: &[Vec<u8>], _: valetkey::image::limits::Gap) {}
}

#[test]
fn what_is_as_long_as_a_window_shows_ahead_is_seen_in_one_piece_once_wherever_it_begins() {
    let text = Dice(7).bytes(AHEAD);
    for at in [0, 1, FRESH - AHEAD, FRESH - 1, FRESH, FRESH + 1, FRESH + AHEAD - 1, FRESH + AHEAD, 2 * FRESH + 17] {
        let mut bytes = vec![0; at];
        bytes.extend_from_slice(&text);
        bytes.resize(at + AHEAD + 100_000, 0);
        let sink = RefCell::new(Longest { text: text.clone(), found: Vec::new() });
        let mut source = &bytes[..];
        Stream::new(&mut source, &sink, Vec::new()).finish().unwrap();
        assert_eq!(sink.into_inner().found, [at as u64]);
    }
}

#[test]
fn what_came_before_a_failure_is_shown_and_the_failure_is_said_each_time() {
    let bytes = Dice(3).bytes(400_000);
    let sink = RefCell::new(Seen::default());
    let mut source = Uneven { bytes: &bytes, dice: Dice(5), fails: true };
    let mut stream = Stream::new(&mut source, &sink, Vec::new());
    assert_eq!(stream.skip(u64::MAX).unwrap_err().to_string(), "torn");
    assert_eq!(stream.peek(1).unwrap_err().to_string(), "torn");
    assert_eq!(stream.finish().unwrap_err().to_string(), "torn");
    let seen = sink.into_inner();
    assert!(seen.streams[0].1 == bytes && seen.streams[0].2);
}

#[test]
fn what_came_before_a_failure_can_be_looked_at_before_the_failure_is_said() {
    let bytes = Dice(3).bytes(100);
    let sink = RefCell::new(Seen::default());
    let mut source = Uneven { bytes: &bytes, dice: Dice(5), fails: true };
    let mut stream = Stream::new(&mut source, &sink, Vec::new());
    assert_eq!(stream.peek(500).unwrap(), bytes);
    stream.take(60);
    assert_eq!(stream.peek(500).unwrap(), &bytes[60..]);
    stream.take(40);
    assert_eq!(stream.peek(500).unwrap_err().to_string(), "torn");
}

#[test]
fn an_empty_stream_is_shown_as_one_that_ends() {
    let sink = RefCell::new(Seen::default());
    Stream::new(&mut io::empty(), &sink, Vec::new()).finish().unwrap();
    assert_eq!(sink.into_inner().streams, [(String::new(), Vec::new(), true)]);
}
