//! GitHub since 2021: three letters, `_`, 30 random characters and the checksum of those.
//! <https://github.blog/engineering/behind-githubs-new-authentication-token-formats/>

use super::super::characters::{base62, exactly};
use super::super::checksum::base62_holds;
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "github-token",
    kind: "a GitHub token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    place: Place::Anywhere,
    check,
    #[cfg(test)]
    examples,
};

/// Of an access token; of a refresh token.
const LENGTHS: [usize; 2] = [36, 76];

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    LENGTHS.into_iter().find_map(|length| {
        let body = exactly(bytes, at + 4, length, base62)?;
        (base62_holds(body) && is_random(body)).then_some(4 + length)
    })
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            made::checked("ghp_", 1),
            made::checked("gho_", 2),
            made::checked("ghu_", 3),
            made::checked("ghs_", 4),
            made::checked("ghr_", 5),
            format!("x{}", made::checked("ghp_", 6)),
        ],
        not: vec![
            format!("ghp_{}", made::base62(36, 1)),
            format!("ghp_{}", "x".repeat(36)),
            made::checked("ghx_", 1),
            made::checked("ghp_", 1)[..39].to_owned(),
            format!("{}0", made::checked("ghp_", 1)),
        ],
    }
}
