//! Slack's incoming webhooks: whoever has the address may post.

use super::super::characters::{base62, count};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "slack-webhook",
    kind: "the address of a Slack webhook",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["services/T", "workflows/T", "triggers/T"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    if !bytes[..at].ends_with(b"hooks.slack.com/") {
        return None;
    }
    let length = count(bytes, at, 200, |byte| base62(byte) || byte == b'/');
    let parts: Vec<&[u8]> = bytes[at..at + length].split(|byte| *byte == b'/').skip(1).collect();
    let (secret, ids) = parts.split_last()?;
    let id =
        |part: &&[u8]| part.len() >= 8 && part.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (secret.len() >= 24 && ids.len() == 2 && ids.iter().all(id) && is_random(secret)).then_some(length)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!(
            "https://hooks.slack.com/services/T{}/B{}/{}",
            made::base32(8, 1),
            made::base32(10, 2),
            made::base62(24, 3)
        )],
        not: vec![
            format!("https://hooks.slack.com/services/T00000000/B00000000/{}", "X".repeat(24)),
            format!(
                "https://hooks.slack.com/services/T{}/B{}/{}",
                made::base32(8, 1),
                made::base32(10, 2),
                made::base62(23, 3)
            ),
            format!(
                "https://example.com/services/T{}/B{}/{}",
                made::base32(8, 1),
                made::base32(10, 2),
                made::base62(24, 3)
            ),
        ],
    }
}
