//! GitLab's tokens of a fixed length, by prefix.
//! <https://docs.gitlab.com/security/tokens/#token-prefixes>

use super::super::characters::{Alphabet, base64url, count, exactly, hex};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

/// Those of both kinds of token.
pub(super) const PREFIXES: &[&str] =
    &["glpat-", "gldt-", "glrt-", "glcbt-", "gloas-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-", "glffct-"];

pub(super) const TOKEN: Token = Token {
    id: "gitlab-token",
    kind: "a GitLab token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: PREFIXES,
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

/// Prefix, characters behind it, their alphabet.
const FORMS: [(&[u8], usize, Alphabet); 10] = [
    (b"glpat-", 20, base64url),
    (b"gldt-", 20, base64url),
    (b"glrt-", 20, base64url),
    (b"gloas-", 64, hex),
    (b"glptt-", 40, hex),
    (b"glft-", 20, base64url),
    (b"glsoat-", 20, base64url),
    (b"glimt-", 25, base64url),
    (b"glagent-", 50, base64url),
    (b"glffct-", 20, base64url),
];

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let (prefix, length, alphabet) = if rest.starts_with(b"glcbt-") {
        // A job's token names its partition first, in hexadecimal.
        let partition = count(rest, 6, 5, |byte| byte.is_ascii_hexdigit());
        let skip = if rest.get(6 + partition) == Some(&b'_') { partition + 1 } else { 0 };
        (6 + skip, 20, base64url as Alphabet)
    } else if rest.starts_with(b"glrt-t") && rest.get(7) == Some(&b'_') && rest[6].is_ascii_digit() {
        // A runner's token says which type of runner it is.
        (8, 20, base64url as Alphabet)
    } else {
        let (prefix, length, alphabet) = FORMS.into_iter().find(|(prefix, ..)| rest.starts_with(prefix))?;
        (prefix.len(), length, alphabet)
    };
    let body = exactly(rest, prefix, length, alphabet)?;
    let words = !body.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (is_random(body) && !words).then_some(prefix + length)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            format!("glpat-{}", made::base64url(20, 1)),
            format!("gldt-{}", made::base64url(20, 2)),
            format!("glrt-{}", made::base64url(20, 3)),
            format!("glrt-t1_{}", made::base64url(20, 4)),
            format!("glcbt-64_{}", made::base64url(20, 5)),
            format!("gloas-{}", made::hex(64, 6)),
            format!("glptt-{}", made::hex(40, 7)),
            format!("glagent-{}", made::base64url(50, 8)),
        ],
        not: vec![
            format!("glpat-{}", made::base64url(19, 1)),
            format!("glpat-{}", made::base64url(21, 1)),
            format!("glpat-{}", "x".repeat(20)),
            "glpat-this-is-a-token-of-us".to_owned(),
            format!("xglpat-{}", made::base64url(20, 1)),
        ],
    }
}
