//! HashiCorp Vault since 1.10: `hvs.` (service) and 24 letters and digits or a longer body that
//! begins as its protobuf does; `hvb.` (batch).

use super::super::characters::{base62, base64url, between};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "vault-token",
    kind: "a HashiCorp Vault token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["hvs.", "hvb."],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = between(bytes, at + 4, 24, 300, base64url)?;
    let short = body.len() == 24
        && body.iter().all(|byte| base62(*byte))
        && body.iter().any(u8::is_ascii_digit)
        && bytes[at + 2] == b's';
    let long = body.len() >= 90 && (body.starts_with(b"CAES") || body.starts_with(b"AAAAAQ"));
    ((short || long) && is_random(body)).then_some(4 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            format!("hvs.{}", made::base62(24, 1)),
            format!("hvs.CAES{}", made::base64url(91, 1)),
            format!("hvb.AAAAAQ{}", made::base64url(132, 1)),
        ],
        not: vec![
            format!("hvs.{}", made::base62(23, 1)),
            format!("hvs.{}", made::base62(25, 1)),
            "hvs.aMethodWithAVeryLongName".to_owned(),
            format!("hvs.{}", "x".repeat(24)),
        ],
    }
}
