//! DigitalOcean: `dop_v1_` (personal), `doo_v1_` (OAuth) or `dor_v1_` (refresh) and 64 hexadecimal digits.

use super::super::characters::{exactly, hex};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "digitalocean-token",
    kind: "a DigitalOcean access token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["dop_v1_", "doo_v1_", "dor_v1_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 7, 64, hex)?;
    is_random(body).then_some(7 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("dop_v1_{}", made::hex(64, 1)), format!("dor_v1_{}", made::hex(64, 2))],
        not: vec![
            format!("dop_v1_{}", made::hex(63, 1)),
            format!("dop_v2_{}", made::hex(64, 1)),
            format!("dop_v1_{}", "f".repeat(64)),
        ],
    }
}
