//! What the key sources gave: identities, with what a certificate among them says of time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::check::{Check, Section};
use crate::exit::Code;
use crate::signer::{Identity, fingerprint};
use crate::wire::key_type;

const KEYS: Section = Section::Keys;
/// Identities of one source that are named.
const MAX_NAMED: usize = 10;
/// From how short a rest on a certificate is warned of: a lease's default time limit.
pub const ENDS_SOON: Duration = crate::policy::grant::DEFAULT_TIME_LIMIT;

/// One check for the source, and one for each certificate that does not hold now.
#[must_use]
pub fn loaded(source: &str, identities: &[Identity], warnings: &[String], now: SystemTime) -> Vec<Check> {
    let named: Vec<String> = identities.iter().take(MAX_NAMED).map(named).collect();
    let more = identities.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut checks = vec![Check::ok(KEYS, "key", format!("{source}: {}{more}", named.join(", ")))];
    checks.extend(warnings.iter().map(|text| Check::warning(KEYS, "key", format!("{source}: {text}"))));
    checks.extend(identities.iter().filter_map(|identity| window(source, identity, now)));
    checks
}

fn named(identity: &Identity) -> String {
    let kind = key_type(&identity.blob).unwrap_or("a key");
    format!("{kind} {} ({})", fingerprint(&identity.blob), identity.comment)
}

/// A certificate outside of its time, or soon.
fn window(source: &str, identity: &Identity, now: SystemTime) -> Option<Check> {
    let kind = key_type(&identity.blob).filter(|kind| kind.contains("-cert-v01@"))?;
    let name = "certificate";
    let Ok(certificate) = ssh_key::Certificate::from_bytes(&identity.blob) else {
        return Some(Check::not_checked(
            KEYS,
            name,
            &format!("{source}: the time of its {kind}"),
            "it is of a kind that is not read here",
        ));
    };
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    judged(source, certificate.valid_after(), certificate.valid_before(), now)
}

/// `after` and `before` in seconds since 1970; the latter is the first in which it does not hold.
fn judged(source: &str, after: u64, before: u64, now: u64) -> Option<Check> {
    let name = "certificate";
    if now < after {
        let said = format!(
            "{source}: its certificate is not valid yet: for {} more seconds by this machine's clock",
            after - now
        );
        return Some(Check::failure(KEYS, name, Code::Key, said).with_hint("check the clock, then the certificate"));
    }
    if now >= before {
        let said =
            format!("{source}: its certificate has expired, {} seconds ago by this machine's clock", now - before);
        return Some(
            Check::failure(KEYS, name, Code::Key, said).with_hint("have a new one issued, or check the clock"),
        );
    }
    (before - now < ENDS_SOON.as_secs()).then(|| {
        let said = format!("{source}: its certificate expires in {} seconds", before - now);
        Check::warning(KEYS, name, said).with_hint("a build that takes longer is refused then")
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn a_certificate_holds_from_its_first_second_to_the_one_before_its_last() {
        let soon = ENDS_SOON.as_secs();
        let state = |now| judged("file:k", 1000, 2000 + soon, now).map(|check| check.state);
        assert_eq!(state(999), Some(State::Failure(Code::Key)));
        assert_eq!(state(1000), None);
        assert_eq!(state(2000), None);
        assert_eq!(state(2001), Some(State::Warning));
        assert_eq!(state(1999 + soon), Some(State::Warning));
        assert_eq!(state(2000 + soon), Some(State::Failure(Code::Key)));
        assert_eq!(judged("file:k", 0, u64::MAX, 1), None);
    }
}
