//! Words of an instruction that is not a shell's.

use super::Argument;
use crate::check::mapped::Mapped;

/// The flags in front of what an instruction says, and that (BuildKit's `extractBuilderFlags`).
pub(super) fn flags(rest: &Mapped) -> (Vec<Argument>, Mapped) {
    let mut found = Vec::new();
    let mut at = skip_blanks(&rest.text, 0);
    while rest.text.get(at..).is_some_and(|rest| rest.starts_with(b"--")) {
        let start = at;
        let mut text = Vec::new();
        let mut quote = None;
        while let Some(&byte) = rest.text.get(at) {
            match (quote, byte) {
                (None, byte) if byte.is_ascii_whitespace() => break,
                (None, b'\'' | b'"') => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                (_, b'\\') => {
                    at += 1;
                    text.extend(rest.text.get(at));
                }
                _ => text.push(byte),
            }
            at += 1;
        }
        at = at.min(rest.text.len());
        let span = rest.span(start..at);
        at = skip_blanks(&rest.text, at);
        if text == b"--" {
            break;
        }
        found.push(Argument { text, span });
    }
    (found, rest.from(at))
}

/// The words of `COPY a b`, `FROM a AS b`; those of the JSON form.
pub(super) fn words(rest: &Mapped) -> Vec<Argument> {
    if let Ok(words) = serde_json::from_slice::<Vec<String>>(&rest.text) {
        let span = rest.span(0..rest.text.len());
        return words.into_iter().map(|word| Argument { text: word.into_bytes(), span: span.clone() }).collect();
    }
    let mut found = Vec::new();
    let mut at = skip_blanks(&rest.text, 0);
    while at < rest.text.len() {
        let word = rest.text.get(at..).unwrap_or_default();
        let length = word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len());
        let text = unquoted(word.get(..length).unwrap_or_default());
        found.push(Argument { text: text.to_vec(), span: rest.span(at..at + length) });
        at = skip_blanks(&rest.text, at + length);
    }
    found
}

fn unquoted(word: &[u8]) -> &[u8] {
    let inside = |quote: u8| word.strip_prefix(&[quote]).and_then(|word| word.strip_suffix(&[quote]));
    inside(b'"').or_else(|| inside(b'\'')).unwrap_or(word)
}

pub(super) fn skip_blanks(text: &[u8], at: usize) -> usize {
    at + text.get(at..).map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count())
}
