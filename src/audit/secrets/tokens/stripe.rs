//! Stripe's secret (`sk_`) and restricted (`rk_`) keys for live data.

use super::super::characters::{base62, between};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "stripe-key",
    kind: "a Stripe key for live data",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["sk_live_", "rk_live_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = between(bytes, at + 8, 24, 247, base62)?;
    is_random(body).then_some(8 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("sk_live_{}", made::base62(24, 1)), format!("rk_live_{}", made::base62(99, 1))],
        not: vec![
            format!("sk_live_{}", made::base62(23, 1)),
            format!("sk_test_{}", made::base62(24, 1)),
            format!("pk_live_{}", made::base62(24, 1)),
            format!("sk_live_{}", "x".repeat(24)),
        ],
    }
}
