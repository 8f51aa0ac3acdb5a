//! Rewriting a Dockerfile: without the inserted mounts it is the same file, byte for byte, and
//! rewriting it again changes nothing more.

use valetkey::builder::dockerfile::{MOUNT, rewrite};

pub(crate) fn check(data: &[u8]) {
    let once = rewrite(data, None);
    assert_eq!(once.text.len(), data.len() + once.steps * MOUNT.len());
    assert_eq!(without_mounts(&once.text, data), once.steps, "{:?}", String::from_utf8_lossy(&once.text));
    assert_eq!(once.text.iter().filter(|&&b| b == b'\n').count(), data.iter().filter(|&&b| b == b'\n').count());

    let twice = rewrite(&once.text, None);
    assert_eq!(twice.text, once.text);
    assert_eq!((twice.steps, twice.own), (0, once.own + once.steps));

    // Clones in the place of `ADD git@…` change that instruction alone, and nothing once more.
    let served = rewrite(data, Some(0));
    let lines = |text: &[u8]| text.iter().filter(|&&b| b == b'\n').count();
    assert_eq!(lines(&served.text), lines(data));
    assert_eq!((served.steps, served.own), (once.steps, once.own));
    if served.adds.is_empty() {
        assert_eq!(served.text, once.text);
    }
    let again = rewrite(&served.text, Some(0));
    assert_eq!(again.text, served.text);
    assert!(again.adds.is_empty(), "{:?}", String::from_utf8_lossy(&served.text));
}

/// How many mounts have to be left out of `text` to get `data`.
fn without_mounts(text: &[u8], data: &[u8]) -> usize {
    let (mut left, mut count) = (data, 0);
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with(MOUNT) && !left.starts_with(MOUNT) {
            rest = &rest[MOUNT.len()..];
            count += 1;
        } else {
            assert_eq!(rest.first(), left.first());
            (rest, left) = (&rest[1..], &left[1..]);
        }
    }
    assert!(left.is_empty());
    count
}
