//! Google API keys: `AIza` and 35 characters of base64url. Many are public on purpose (maps,
//! Firebase, programs that report crashes), so that one is a note.

use super::super::characters::{base64url, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "google-api-key",
    kind: "a Google API key",
    severity: Severity::Note,
    remedy: "restrict the key to what it is for, or revoke it",
    prefixes: &["AIza"],
    place: Place::Whole,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 4, 35, base64url)?;
    is_random(body).then_some(4 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("AIza{}", made::base64url(35, 1))],
        not: vec![
            format!("AIza{}", made::base64url(34, 1)),
            format!("AIza{}", made::base64url(36, 1)),
            format!("AIza{}", "x".repeat(35)),
            format!("{}AIza{}", made::base62(9, 1), made::base64url(35, 1)),
        ],
    }
}
