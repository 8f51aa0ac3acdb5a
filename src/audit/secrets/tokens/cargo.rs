//! crates.io (since 2021): `cio` and 32 letters and digits.

use super::super::characters::{base62, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "crates-io-token",
    kind: "a crates.io API token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["cio"],
    place: Place::Whole,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 3, 32, base62)?;
    is_random(body).then_some(3 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("cio{}", made::base62(32, 1))],
        not: vec![
            format!("cio{}", made::base62(31, 1)),
            format!("cio{}", made::base62(33, 1)),
            format!("cio{}", "x".repeat(32)),
            format!("/{}/cio{}/", made::base62(8, 2), made::base62(32, 1)),
        ],
    }
}
