//! GitLab's routable tokens: prefix, base64url of what routes it and of random bytes, `.`, a
//! version and `.` in later ones, the length of the base64url and a checksum of all that.
//! <https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/>

use super::super::characters::{base36, base64url, count, exactly};
use super::super::checksum::base36 as base36_sum;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "gitlab-routable-token",
    kind: "a GitLab token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: super::gitlab::PREFIXES,
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

/// The base64url: 16 random bytes, their number, and at least `o:` and a digit; at most what
/// GitLab makes.
const PAYLOAD: std::ops::RangeInclusive<usize> = 27..=300;

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let prefix = count(bytes, at, 8, base36) + 1;
    let payload = count(bytes, at + prefix, PAYLOAD.end() + 1, base64url);
    let mut end = at + prefix + payload;
    if !PAYLOAD.contains(&payload) || bytes.get(end) != Some(&b'.') {
        return None;
    }
    if count(bytes, end + 1, 3, base36) == 2 && bytes.get(end + 3) == Some(&b'.') {
        end += 3;
    }
    let tail = exactly(bytes, end + 1, 9, base36)?;
    let (_, sum) = tail.split_at(2);
    (base36_sum(&bytes[at..end + 3])[..] == *sum).then_some(end + 10 - at)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![routable("glpat-", "."), routable("glpat-", ".01."), routable("glrt-", ".")],
        not: vec![
            format!("glpat-{}.{}", made::base64url(40, 1), made::hex(9, 2)),
            routable("glpat-", ".").replace(".14", ".13"),
            {
                let token = routable("glpat-", ".");
                token[..token.len() - 1].to_owned()
            },
        ],
    }
}

#[cfg(test)]
fn routable(prefix: &str, dots: &str) -> String {
    // 40 characters are `14` in base 36.
    let body = format!("{prefix}{}{dots}14", super::super::made::base64url(40, 1));
    let sum = base36_sum(body.as_bytes());
    format!("{body}{}", String::from_utf8_lossy(&sum))
}
