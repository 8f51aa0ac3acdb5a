//! Private keys of every kind and in every encoding: a finding lies within what was shown, is the
//! same wherever a window ends, and says nothing of the secret.

use std::ops::Range;
use std::sync::LazyLock;

use valetkey::audit::finding::{Found, Key, Severity};
use valetkey::audit::keys::recognise;
use valetkey::audit::rule::Text;
use valetkey::audit::scan::Scanner;
use valetkey::cli::audit::looking::Looking;
use valetkey::image::stream::BEHIND;

/// The rules of `valetkey audit`.
static RULES: LazyLock<Scanner> = LazyLock::new(|| Looking::default().scanner().0);

/// The most bytes of a path in front of a file's content.
const MAX_PATH: usize = 64;

pub(crate) fn check(data: &[u8]) {
    let keys = recognised(data);
    hold(&keys, data);
    moved(&keys, data);
    let scanned = scan(data, 0..data.len());
    hold(&scanned, data);
    if scanned.iter().any(|found| found.key.is_some()) {
        windows(data);
    }
    file(b"x.gpg", data);
    if let Some(end) = data.iter().take(MAX_PATH).position(|byte| *byte == 0) {
        file(&data[..end], &data[end + 1..]);
    }
}

fn recognised(data: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    recognise(data, &mut found);
    assert!(found.iter().all(|found| found.key.is_some() && found.wrapped.is_empty() && found.length > 0));
    found
}

fn scan(data: &[u8], fresh: Range<usize>) -> Vec<Found> {
    let mut found = Vec::new();
    RULES.scan(&Text { bytes: data, name: b"", depth: 0 }, fresh.clone(), &mut found);
    // What is not encoded belongs to the window that its literal is in.
    let here = |found: &Found| match found.wrapped[..] {
        [] => found.at < fresh.end && found.at + found.length.max(1) > fresh.start,
        _ => fresh.contains(&found.at),
    };
    assert!(found.iter().all(here), "{found:?} begins in another window than {fresh:?}");
    found
}

fn file(path: &[u8], data: &[u8]) {
    let mut found = Vec::new();
    RULES.file(path, &Text { bytes: data, name: path, depth: 0 }, &mut found);
    hold(&found, data);
}

fn hold(found: &[Found], data: &[u8]) {
    for found in found {
        assert!(found.at + found.length <= data.len(), "{found:?} of {} bytes", data.len());
        assert!(!found.message.contains(char::is_control), "{found:?}");
        let Some(key) = &found.key else { continue };
        let locked = key.encrypted || key.known_test_key.is_some();
        assert!(!locked || found.severity < Severity::Error, "{found:?}");
        let own = &data[found.at..found.at + found.length];
        assert!(is_public(key, own) && says_little(&found.message, key), "{found:?} of {own:?}");
    }
}

/// Whether a fingerprint is a digest, or a public key that is not what was found.
fn is_public(key: &Key, own: &[u8]) -> bool {
    let Some(text) = key.fingerprint.as_deref() else { return true };
    let hex = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest = hex || text.strip_prefix("SHA256:").is_some_and(|digest| digest.len() == 43);
    let whole = matches!(key.kind.as_str(), "age" | "wireguard");
    digest || (whole && !own.windows(text.len()).any(|piece| piece == text.as_bytes()))
}

/// Whether a message has nothing but the kind of the key and the name of its format.
fn says_little(message: &str, key: &Key) -> bool {
    /// Characters of the longest name.
    const MAX_NAME: usize = 40;
    let known = key.known_test_key.as_ref().map(|package| format!("known test key of {package}: "));
    let rest = message.strip_prefix(known.as_deref().unwrap_or_default()).unwrap_or_default();
    let rest = if key.encrypted { rest.strip_prefix("encrypted ").unwrap_or_default() } else { rest };
    let rest = rest.strip_prefix(key.kind.as_str()).map_or(rest, str::trim_start);
    let format = rest.strip_prefix("private key in ");
    key.kind.len() <= MAX_NAME && format.is_some_and(|format| format.len() <= MAX_NAME)
}

/// The same keys with a line end in front or behind, and with nothing behind.
fn moved(keys: &[Found], data: &[u8]) {
    if keys.is_empty() {
        return;
    }
    let before = recognised(&[b"\n", data].concat());
    let behind = recognised(&[data, b"\n"].concat());
    for found in keys {
        let same = |other: &&Found, by: usize| other.key == found.key && other.at == found.at + by;
        // A keyring is known by its first bytes.
        let moved = found.rule == "pgp-secret-key" || before.iter().any(|other| same(&other, 1));
        assert!(moved, "{found:?} is another one behind a line end: {before:?}");
        assert!(behind.iter().any(|other| same(&other, 0)), "{found:?} is another one before a line end: {behind:?}");
        // The certificates behind a Java key are what tells it from chance.
        if found.rule == "java-keystore" {
            continue;
        }
        let alone = recognised(&data[..found.at + found.length]);
        assert!(alone.iter().any(|other| same(&other, 0)), "{found:?} is longer than it says: {alone:?}");
    }
}

/// In two windows, wherever the first one ends, nothing is missed.
fn windows(data: &[u8]) {
    // A later window begins with bytes of the one before, which are not all of those.
    let data = &[&[b'\n'; BEHIND][..], data].concat()[..];
    let all = scan(data, 0..data.len());
    let keys: Vec<_> = all.iter().filter(|found| found.key.is_some() && is_told(found, data)).collect();
    // Where the first one ends differs from file to file, and lies in a key as well.
    let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
    let anywhere = BEHIND + sum % (data.len() - BEHIND + 1);
    let inside = keys.first().map(|found| found.at + found.length / 2);
    for middle in [Some(anywhere), inside].into_iter().flatten() {
        let (first, second) = (scan(data, 0..middle), scan(data, middle..data.len()));
        hold(&second, data);
        for key in &keys {
            // Of two that overlap, which one is said depends on what was said before.
            let same = |other: &Found| {
                let overlap = other.at < key.at + key.length && key.at < other.at + other.length;
                other.key == key.key && overlap
            };
            let seen = first.iter().chain(&second).any(same);
            assert!(seen, "{key:?} is missed where a window ends at {middle}: {first:?} {second:?}");
        }
    }
}

/// Whether a key is looked for where it is: in a string, by its own version, which is escaped.
/// Without that it is seen only because another key made the string worth a look.
fn is_told(found: &Found, data: &[u8]) -> bool {
    const VERSIONS: [&[u8]; 6] = [b"\\x02\\x01", b"\\u0002", b"\\002", b"\\2\\1", b"%02%01", b"key-v1"];
    /// Bytes of a key's header, escaped.
    const HEAD: usize = 48;
    let head = &data[found.at..found.at + found.length.min(HEAD)];
    // A version that is not escaped is a control character.
    let printable = head.iter().take_while(|byte| **byte >= b' ').count();
    let escaped = |own: &&[u8]| head[..printable].windows(own.len()).any(|here| here == *own);
    !found.wrapped.contains(&"escapes") || VERSIONS.iter().any(escaped)
}
