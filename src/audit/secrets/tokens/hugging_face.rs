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
    // A name in camel case changes between upper and lower far less often than chance does.
    let changes = body.windows(2).filter(|pair| pair[0].is_ascii_lowercase() != pair[1].is_ascii_lowercase()).count();
    (is_random(body) && changes >= 8).then_some(prefix + 34)
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
            "hf_loadPretrainedModelsFromTheHubCache".to_owned(),
        ],
    }
}
