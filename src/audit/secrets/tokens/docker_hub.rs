//! Docker Hub: `dckr_pat_` and 27 characters, or `dckr_oat_` (an organisation's) and 32, of base64url.

use super::super::characters::{base64url, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "docker-hub-token",
    kind: "a Docker Hub access token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["dckr_pat_", "dckr_oat_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let length = if bytes[at..].starts_with(b"dckr_pat_") { 27 } else { 32 };
    let body = exactly(bytes, at + 9, length, base64url)?;
    is_random(body).then_some(9 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("dckr_pat_{}", made::base64url(27, 1)), format!("dckr_oat_{}", made::base64url(32, 1))],
        not: vec![
            format!("dckr_pat_{}", made::base64url(26, 1)),
            format!("dckr_oat_{}", made::base64url(27, 1)),
            format!("dckr_pat_{}", "x".repeat(27)),
        ],
    }
}
