//! OpenAI: `sk-`, of which the middle is base64 of the vendor's name.

use super::super::characters::{base64url, between};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "openai-key",
    kind: "an OpenAI API key",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["sk-"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

/// base64 of `OpenAI`.
const MIDDLE: &[u8] = b"T3BlbkFJ";

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = between(bytes, at + 3, 48, 300, base64url)?;
    let middle = memchr::memmem::find(body, MIDDLE)?;
    let behind = &body[middle + MIDDLE.len()..];
    (middle >= 20 && behind.len() >= 20 && is_random(&body[..middle]) && is_random(behind)).then_some(3 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            format!("sk-{}T3Blbk{}{}", made::base62(20, 1), "FJ", made::base62(20, 2)),
            format!("sk-proj-{}T3Blbk{}{}", made::base64url(74, 1), "FJ", made::base64url(74, 2)),
        ],
        not: vec![
            format!("sk-{}", made::base62(48, 1)),
            format!("sk-{}T3Blbk{}{}", "x".repeat(20), "FJ", "x".repeat(20)),
            format!("sk-{}T3Blbk{}{}", made::base62(20, 1), "FJ", made::base62(19, 2)),
        ],
    }
}
