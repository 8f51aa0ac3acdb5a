//! GitHub's fine-grained tokens: `github_pat_`, 22 letters and digits, `_`, 59 more.

use super::super::characters::{base62, count, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "github-fine-grained-token",
    kind: "a fine-grained GitHub token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["github_pat_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let first = count(bytes, at + 11, 23, base62);
    let second = exactly(bytes, at + 34, 59, base62)?;
    (first == 22 && bytes[at + 33] == b'_' && is_random(second)).then_some(93)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("github_pat_{}_{}", made::base62(22, 1), made::base62(59, 2))],
        not: vec![
            format!("github_pat_{}_{}", made::base62(22, 1), made::base62(58, 2)),
            format!("github_pat_{}_{}", made::base62(21, 1), made::base62(60, 2)),
            format!("github_pat_{}_{}", "x".repeat(22), "x".repeat(59)),
            format!("github_pat_{}", made::base62(82, 1)),
        ],
    }
}
