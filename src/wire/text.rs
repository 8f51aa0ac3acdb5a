//! Text that came from a client, made fit for a log: bounded, and without control characters.

/// How many characters of a client's text are shown at most.
pub const MAX_SHOWN: usize = 64;

/// Whether a character only shows itself: no control character, and none of those that break
/// lines or turn the direction of the text around them (Unicode's UAX 9), which make a terminal
/// show something else than what is there.
#[must_use]
pub fn is_harmless(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !turns && !c.is_control()
}

/// The text as a person may see it.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    // Four bytes are the longest character: what lies behind cannot be shown anyway.
    let bytes = bytes.get(..(MAX_SHOWN + 1) * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == MAX_SHOWN {
            out.push('…');
            break;
        }
        out.push(if is_harmless(c) { c } else { '\u{fffd}' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_at_the_limit_is_whole_and_one_more_is_cut() {
        assert_eq!(shown(&[b'a'; MAX_SHOWN]), "a".repeat(MAX_SHOWN));
        assert_eq!(shown(&[b'a'; MAX_SHOWN + 1]), format!("{}…", "a".repeat(MAX_SHOWN)));
        assert_eq!(shown(&[b'a'; 1 << 20]).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn an_escape_sequence_does_not_reach_a_terminal() {
        assert_eq!(shown(b"\x1b[2Jgit\n"), "\u{fffd}[2Jgit\u{fffd}");
        assert_eq!(shown("g\u{202e}ti\u{2028}".as_bytes()), "g\u{fffd}ti\u{fffd}");
    }
}
