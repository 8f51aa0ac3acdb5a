//! The guest's command line, words ended by NUL: no name that ssh would take for an option.

use valetkey::guest::args::{Mode, parse};

pub(crate) fn check(data: &[u8]) {
    let words: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    let Ok(parsed) = parse(words.len(), |n| words[n]) else { return };
    assert!(parsed.command <= words.len());
    if parsed.mode == Mode::Version {
        return;
    }
    assert!((1..=65535).contains(&parsed.port));
    for name in [Some(parsed.host), parsed.user].into_iter().flatten() {
        assert!(!name.is_empty() && !name.starts_with(b"-"), "{name:?}");
    }
    // Every part comes out of some word; nothing is made up.
    let within = |part: &[u8]| part.is_empty() || words.iter().any(|word| word.windows(part.len()).any(|w| w == part));
    assert!(within(parsed.host) && parsed.user.is_none_or(within) && parsed.set_protocol.is_none_or(within));
}
