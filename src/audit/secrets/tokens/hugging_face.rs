//! Hugging Face: `hf_` (a user's) or `api_org_` (an organisation's) and 34 letters.

use super::super::characters::exactly;
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "hugging-face-token",
    kind: "a Hugging Face access token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["hf_", "api_org_"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let prefix = if bytes[at] == b'h' { 3 } else { 8 };
    let body = exactly(bytes, at + prefix, 34, |byte| byte.is_ascii_alphabetic())?;
    // A name in camel case has no two capitals in a row; one in a thousand tokens has none either.
    let capitals = body.windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase));
    (is_random(body) && capitals).then_some(prefix + 34)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!("hf_{}", made::letters(34, 1)), format!("api_org_{}", made::letters(34, 2))],
        not: vec![
            format!("hf_{}", made::letters(33, 1)),
            format!("hf_{}", made::letters(35, 1)),
            format!("hf_{}", "x".repeat(34)),
            "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".to_owned(),
        ],
    }
}
