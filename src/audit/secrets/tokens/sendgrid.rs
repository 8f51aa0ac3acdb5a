//! SendGrid: `SG.`, 22 characters, `.`, 43 characters of base64url.

use super::super::characters::{base64url, count, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "sendgrid-api-key",
    kind: "a SendGrid API key",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["SG."],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let first = count(bytes, at + 3, 23, base64url);
    let second = exactly(bytes, at + 26, 43, base64url)?;
    (first == 22 && bytes[at + 25] == b'.' && is_random(second)).then_some(69)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("SG.{}.{}", made::base64url(22, 1), made::base64url(43, 2))],
        not: vec![
            format!("SG.{}.{}", made::base64url(22, 1), made::base64url(42, 2)),
            format!("SG.{}.{}", made::base64url(23, 1), made::base64url(43, 2)),
            format!("SG.{}.{}", "x".repeat(22), "x".repeat(43)),
        ],
    }
}
