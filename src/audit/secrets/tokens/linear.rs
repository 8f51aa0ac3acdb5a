//! Linear: `lin_api_` and 40 letters and digits.

use super::super::characters::{base62, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "linear-api-key",
    kind: "a Linear API key",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["lin_api_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 8, 40, base62)?;
    is_random(body).then_some(8 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("lin_api_{}", made::base62(40, 1))],
        not: vec![format!("lin_api_{}", made::base62(39, 1)), format!("lin_api_{}", "x".repeat(40))],
    }
}
