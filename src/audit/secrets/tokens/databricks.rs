//! Databricks: `dapi` and 32 hexadecimal digits, with `-` and a digit in some clouds.

use super::super::characters::{exactly, hex};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "databricks-token",
    kind: "a Databricks access token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["dapi"],
    place: Place::Whole,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 4, 32, hex)?;
    let suffix = match bytes.get(at + 36..) {
        Some([b'-', digit, ..]) if digit.is_ascii_digit() => 2,
        _ => 0,
    };
    is_random(body).then_some(36 + suffix)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("dapi{}", made::hex(32, 1)), format!("dapi{}-2", made::hex(32, 2))],
        not: vec![
            format!("dapi{}", made::hex(31, 1)),
            format!("dapi{}", made::hex(40, 1)),
            format!("dapi{}", "0123456789abcdef".repeat(2)),
            format!("dapi{}/rest", made::hex(32, 1)),
        ],
    }
}
