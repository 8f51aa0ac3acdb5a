//! RubyGems.org: `rubygems_` and 48 hexadecimal digits.

use super::super::characters::{exactly, hex};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "rubygems-api-key",
    kind: "a RubyGems API key",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["rubygems_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 9, 48, hex)?;
    is_random(body).then_some(9 + body.len())
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("rubygems_{}", made::hex(48, 1))],
        not: vec![
            format!("rubygems_{}", made::hex(47, 1)),
            format!("rubygems_{}", made::hex(49, 1)),
            format!("rubygems_{}", "a".repeat(48)),
        ],
    }
}
