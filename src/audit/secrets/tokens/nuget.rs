//! NuGet: base32 of 29 bytes in lower case, of which the first two are always the same: `oy2`.

use super::super::characters::{base32_lower, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "nuget-api-key",
    kind: "a NuGet API key",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["oy2"],
    place: Place::Whole,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 3, 43, base32_lower)?;
    is_random(body).then_some(3 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("oy2{}", made::base32(43, 1).to_lowercase())],
        not: vec![
            format!("oy2{}", made::base32(42, 1).to_lowercase()),
            format!("oy2{}", made::base32(43, 1)),
            format!("oy2{}", "a".repeat(43)),
        ],
    }
}
