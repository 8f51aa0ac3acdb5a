//! Slack: `xoxb-` and others with two or more numbers and a secret; `xapp-` with an app's id.
//! <https://docs.slack.dev/authentication/tokens/>

use super::super::characters::{base62, count};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "slack-token",
    kind: "a Slack token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let length = count(bytes, at, 250, |byte| base62(byte) || byte == b'-');
    let token = &bytes[at..at + length];
    let mut parts: Vec<&[u8]> = token.split(|byte| *byte == b'-').skip(1).collect();
    let secret = parts.pop()?;
    let (mut numbers, mut ids) = (0, 0);
    for part in parts {
        if part.len() >= 9 && part.iter().all(u8::is_ascii_digit) {
            numbers += 1;
        } else if part.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            ids += 1;
        } else {
            return None;
        }
    }
    let form = if token.starts_with(b"xapp-") {
        numbers >= 1 && ids >= 1 && secret.len() == 64
    } else {
        numbers >= 2 && ids <= 1 && (24..=34).contains(&secret.len())
    };
    (form && is_random(secret)).then_some(length)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            format!("xoxb-{}-{}-{}", made::decimal(12, 1), made::decimal(13, 2), made::base62(24, 3)),
            format!(
                "xoxp-{}-{}-{}-{}",
                made::decimal(12, 1),
                made::decimal(12, 2),
                made::decimal(13, 3),
                made::hex(32, 4)
            ),
            format!("xapp-1-A{}-{}-{}", made::base32(10, 1), made::decimal(13, 2), made::hex(64, 3)),
        ],
        not: vec![
            format!("xoxb-{}-{}", made::decimal(12, 1), made::base62(24, 3)),
            format!("xoxb-{}-{}-{}", made::decimal(12, 1), made::decimal(13, 2), made::base62(23, 3)),
            format!("xoxb-{}-{}-{}", made::decimal(12, 1), made::decimal(13, 2), "x".repeat(24)),
            "xoxb-not-a-real-token-this-will-not-work".to_owned(),
        ],
    }
}
