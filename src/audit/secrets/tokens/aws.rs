//! AWS: an access key id (`AKIA`, or `ASIA` for one that ends by itself), which has the account
//! in it, and the secret of 40 characters that stands near.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>

use super::super::characters::{base32, base64, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const PAIR: Token = Token {
    id: "aws-access-key",
    kind: "an AWS access key id with a secret access key near it",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["AKIA", "ASIA"],
    place: Place::Whole,
    check: |bytes, at| id(bytes, at).filter(|length| has_secret_near(bytes, at, *length)),
    #[cfg(test)]
    examples: pairs,
};

pub(super) const ID: Token = Token {
    id: "aws-access-key-id",
    kind: "an AWS access key id, without its secret",
    severity: Severity::Note,
    remedy: "see where its secret is: the id alone names an account and opens nothing",
    prefixes: &["AKIA", "ASIA"],
    place: Place::Whole,
    check: |bytes, at| id(bytes, at).filter(|length| !has_secret_near(bytes, at, *length)),
    #[cfg(test)]
    examples: ids,
};

/// Bytes before and behind an id in which its secret is looked for.
const NEAR: usize = 512;

fn id(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 4, 16, base32)?;
    // The first 48 bits of it, in base32: a bit that is set, the account, seven others. Ids from
    // before 2019 begin with I or J, and have no account.
    let bits = body.iter().take(10).fold(0_u64, |bits, digit| {
        let value = if digit.is_ascii_uppercase() { digit - b'A' } else { digit - b'2' + 26 };
        bits << 5 | u64::from(value)
    }) >> 2;
    let account = (bits & 0x7fff_ffff_ff80) >> 7;
    let new = bits >> 47 == 1 && account < 1_000_000_000_000;
    let old = matches!(body[0], b'I' | b'J');
    ((new || old) && is_random(body)).then_some(20)
}

fn has_secret_near(bytes: &[u8], at: usize, length: usize) -> bool {
    // Padding between two files of an archive is a wall.
    let before = &bytes[at.saturating_sub(NEAR)..at];
    let before = &before[before.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1)..];
    let behind = &bytes[at + length..bytes.len().min(at + length + NEAR)];
    let behind = &behind[..behind.iter().position(|byte| *byte == 0).unwrap_or(behind.len())];
    [before, behind].into_iter().any(|text| {
        let parts = text.split(|byte| !base64(*byte) && *byte != b'_' && *byte != b'-');
        parts.into_iter().any(|part| {
            let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
            part.len() == 40 && kinds.iter().all(|kind| part.iter().any(kind)) && is_random(part)
        })
    })
}

#[cfg(test)]
fn made_id(first: char) -> String {
    // The second character keeps the account below 10^12.
    format!("AK{}{first}A{}", "IA", super::super::made::base32(14, 1))
}

#[cfg(test)]
fn pairs() -> super::super::Examples {
    use super::super::made;
    let secret = made::base62(40, 7);
    super::super::Examples {
        found: vec![
            format!("aws_access_key_id = {}\naws_secret_access_key = {secret}", made_id('Q')),
            format!("{{\"SecretAccessKey\":\"{secret}\",\"AccessKeyId\":\"{}\"}}", made_id('Z')),
            format!("AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={secret}", made_id('J')),
        ],
        not: vec![
            // The vendor's own example.
            format!("AKIA{} wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}", "IOSFODNN7EXAMPLE", "EXAMPLEKEY"),
            // A digest in hexadecimal is no secret, and an id of no account is no id.
            format!("{} {secret}", made_id('A')),
            format!("AKIA{} {secret}", made::base32(15, 1)),
        ],
    }
}

#[cfg(test)]
fn ids() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![
            made_id('Q'),
            format!("{} commit {}", made_id('Q'), made::hex(40, 1)),
            format!("{}\0\0{}", made_id('Q'), made::base62(40, 7)),
        ],
        not: vec![
            made_id('B'),
            format!("{}X", made_id('Q')),
            made_id('Q').to_lowercase(),
            format!("{}/{}", made::base62(20, 1), made_id('Q')),
        ],
    }
}
