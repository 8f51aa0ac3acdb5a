//! Anthropic: `sk-ant-`, what it is for (`api03`), `-`, 93 characters of base64url, `AA`.

use super::super::characters::{base36, base64url, count, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "anthropic-key",
    kind: "an Anthropic API key",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["sk-ant-"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let kind = count(bytes, at + 7, 10, base36);
    let start = at + 7 + kind + 1;
    let body = exactly(bytes, start, 95, base64url)?;
    (kind >= 5 && bytes[start - 1] == b'-' && body.ends_with(b"AA") && is_random(body)).then_some(start + 95 - at)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            format!("sk-ant-api03-{}AA", made::base64url(93, 1)),
            format!("sk-ant-admin01-{}AA", made::base64url(93, 2)),
        ],
        not: vec![
            format!("sk-ant-api03-{}AB", made::base64url(93, 1)),
            format!("sk-ant-api03-{}AA", made::base64url(92, 1)),
            format!("sk-ant-api03-{}AA", "x".repeat(93)),
        ],
    }
}
