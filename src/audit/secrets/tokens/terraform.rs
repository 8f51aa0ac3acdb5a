//! HCP Terraform: 14 characters, `.atlasv1.`, 60 to 70 of base64url.

use super::super::characters::{base62, base64url, between};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "terraform-token",
    kind: "an HCP Terraform token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["atlasv1."],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = between(bytes, at + 8, 60, 70, base64url)?;
    let (id, dot) = bytes[at.checked_sub(15)?..at].split_at(14);
    (dot == b"." && id.iter().all(|byte| base62(*byte)) && is_random(body)).then_some(8 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("{}.atlasv1.{}", made::base62(14, 1), made::base64url(67, 2))],
        not: vec![
            format!("{}.atlasv1.{}", made::base62(14, 1), made::base64url(59, 2)),
            format!("{}.atlasv1.{}", made::base62(5, 1), made::base64url(67, 2)),
            format!("{}.atlasv1.{}", made::base62(14, 1), "x".repeat(67)),
        ],
    }
}
