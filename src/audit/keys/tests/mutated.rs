//! Keys with bits flipped, cut and glued: none, or still the same key, and never a panic.

use super::made::{keyrings, keys};
use super::*;

/// Marsaglia's xorshift64, so that every run tries the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Tries for each key.
const TRIES: usize = 150;

#[test]
fn one_flipped_bit_gives_no_key_or_the_same() {
    let mut random = Random(0x5eed);
    for made in keys().iter().filter(|made| !made.encrypted && made.fingerprint.is_some()) {
        for _ in 0..TRIES {
            let mut bytes = made.bytes.clone();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            for found in all(&bytes) {
                let key = found.key.unwrap();
                let same = key.fingerprint == made.fingerprint;
                // Without a public half, or on a curve that nothing is computed on, any other
                // number is as good a key.
                let unchecked = ["bare", "ed25519-8", "k1", "explicit"].iter().any(|name| made.name.contains(name));
                assert!(same || unchecked, "{} {at}", made.name);
            }
        }
    }
}

#[test]
fn mutations_of_all_kinds_end_without_a_panic() {
    let mut random = Random(0xbad5eed);
    let mut corpus: Vec<&[u8]> = keys().iter().map(|made| made.bytes.as_slice()).collect();
    corpus.extend(keyrings().iter().flat_map(|keyring| [keyring.binary.as_slice(), keyring.armoured.as_slice()]));
    for (index, bytes) in corpus.iter().enumerate() {
        for _ in 0..TRIES {
            let mut bytes = bytes.to_vec();
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                match random.below(6) {
                    0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                    1 => bytes[at] = [0, 0xff, 0x7f, 0x80, 0x30, b'\\', b'"', b'%', b'&', b'<'][random.below(10)],
                    2 => bytes.truncate(at.max(1)),
                    3 => drop(bytes.drain(at..(at + random.below(9)).min(bytes.len()))),
                    4 => {
                        let other = corpus[random.below(corpus.len())];
                        let from = random.below(other.len());
                        let piece = &other[from..(from + random.below(200)).min(other.len())];
                        bytes.splice(at..at, piece.iter().copied());
                    }
                    _ => bytes[at] ^= 1 << random.below(8),
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            for found in all(&bytes) {
                assert!(found.at + found.length <= bytes.len(), "{index}: {} {}", found.at, found.length);
            }
            scanned(&bytes);
        }
    }
}

#[test]
fn every_literal_at_every_place_of_noise_ends_without_a_panic() {
    let mut random = Random(0x5eed);
    for literal in LITERALS {
        for length in 0..60 {
            let noise: Vec<u8> = (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
            let at = random.below(length + 1);
            let bytes = [&noise[..at], literal, &noise[at..]].concat();
            for (index, _) in LITERALS.iter().enumerate().filter(|(_, other)| **other == literal) {
                Keys.at_literal(index, at, &Text { bytes: &bytes, name: b"", depth: 0 }, &mut Vec::new());
            }
            assert_eq!(all(&bytes), []);
        }
    }
}
