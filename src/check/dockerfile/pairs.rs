//! Names and values of `ENV`, `ARG` and `LABEL` (BuildKit's `parseNameVal`).

use super::words::skip_blanks;
use crate::check::mapped::Mapped;
use crate::check::setting::{Kind, Setting};

/// The pairs. `ENV NAME value to the end of the line` is one too.
pub(super) fn pairs(rest: &Mapped, kind: Kind, escape: u8) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut at = skip_blanks(&rest.text, 0);
    let first = rest.text.get(at..).unwrap_or_default();
    let length = first.iter().position(u8::is_ascii_whitespace).unwrap_or(first.len());
    let name = first.get(..length).unwrap_or_default();
    if kind != Kind::Arg && !name.is_empty() && !name.contains(&b'=') {
        let value = skip_blanks(&rest.text, at + length);
        let text = rest.text.get(value..).unwrap_or_default().trim_ascii_end();
        let span = rest.span(at..value + text.len());
        return vec![Setting { kind, name: name.to_vec(), value: Some(text.to_vec()), span }];
    }
    while at < rest.text.len() {
        let start = at;
        let mut text = Vec::new();
        let mut equals = None;
        let mut quote = None;
        while let Some(&byte) = rest.text.get(at) {
            match (quote, byte) {
                (None, byte) if byte.is_ascii_whitespace() => break,
                (None, b'\'' | b'"') => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                (quote, byte) if byte == escape && quote != Some(b'\'') => {
                    at += 1;
                    text.extend(rest.text.get(at));
                }
                (None, b'=') if equals.is_none() => equals = Some(text.len()),
                _ => text.push(byte),
            }
            at += 1;
        }
        at = at.min(rest.text.len());
        let (name, value) = match equals {
            Some(equals) => (text.get(..equals).unwrap_or_default().to_vec(), text.get(equals..).map(<[u8]>::to_vec)),
            None => (text, None),
        };
        found.push(Setting { kind, name, value, span: rest.span(start..at) });
        at = skip_blanks(&rest.text, at);
    }
    found
}
