//! Passwords in addresses: `https://user:password@host` (RFC 3986, section 3.2.1).
//!
//! Manuals and test suites are full of them. So in any text only what a generator made is
//! believed; in files that hold credentials, what is no placeholder.

use std::ops::Range;

use super::placeholder;
use crate::audit::finding::{Found, Severity};
use crate::wire::text::shown;

/// What stands before each: the search's literal.
pub(crate) const LITERAL: &[u8] = b"://";

/// The rule's id.
pub(super) const ID: &str = "url-password";
/// What it is.
pub(super) const KIND: &str = "a password in an address";
/// What to do about it.
pub(super) const REMEDY: &str = "change the password, and give the build a credential by a secret mount";

/// Bytes of a scheme, and of what stands before `@`, that are looked at.
const SCHEME: usize = 16;
const USERINFO: usize = 1_024;
/// Bytes of a host's name (RFC 1035, section 2.3.4).
const HOST: usize = 255;
/// Characters of a password that can be told from a word.
const STRONG: usize = 12;
/// Characters from which on it needs no digit to be no word.
const LONG: usize = 24;

/// An address with a secret in it.
pub(crate) struct Password {
    /// From the scheme to the host.
    pub(crate) whole: Range<usize>,
    pub(crate) user: Range<usize>,
    /// The password, or the user where that is the secret.
    pub(crate) secret: Range<usize>,
    pub(crate) host: Range<usize>,
}

/// The address with user, password and host around the `://` at `at`, whatever they are worth.
#[must_use]
pub(crate) fn parse(bytes: &[u8], at: usize) -> Option<Password> {
    let scheme = bytes[..at].iter().rev().take(SCHEME).take_while(|byte| is_scheme(**byte)).count();
    let start = at + LITERAL.len();
    let userinfo = bytes.get(start..)?.iter().take(USERINFO).take_while(|byte| is_userinfo(**byte)).count();
    let end = start + userinfo;
    let host = bytes.get(end + 1..)?.iter().take(HOST).take_while(|byte| is_host(**byte)).count();
    if scheme < 2 || userinfo == 0 || bytes[end] != b'@' || host < 3 {
        return None;
    }
    let colon = bytes[start..end].iter().position(|byte| *byte == b':').map_or(end, |colon| start + colon);
    let user = start..colon;
    let password = (colon + 1).min(end)..end;
    // GitHub takes a token for the user, too.
    let alone = bytes[password.clone()].is_empty() || &bytes[password.clone()] == b"x-oauth-basic";
    let secret = if alone { user.clone() } else { password };
    Some(Password { whole: at - scheme..end + 1 + host, user, secret, host: end + 1..end + 1 + host })
}

/// An address whose password is one wherever it stands.
#[must_use]
pub(crate) fn strong(bytes: &[u8], at: usize) -> Option<Password> {
    let address = parse(bytes, at)?;
    let secret = &bytes[address.secret.clone()];
    let alone = address.user == address.secret;
    let mixed = secret.iter().any(u8::is_ascii_lowercase) && secret.iter().any(u8::is_ascii_uppercase);
    let digit = secret.iter().any(u8::is_ascii_digit) && secret.iter().any(u8::is_ascii_alphabetic);
    let kinds = digit || (mixed && secret.len() >= LONG);
    // A user alone may be an account's public id.
    let long = secret.len() >= if alone { 40 } else { STRONG };
    let known = !alone || bytes[..address.secret.end + 1].ends_with(b":") || is_forge(&bytes[address.host.clone()]);
    (kinds && long && known && is_real(bytes, &address) && placeholder::is_random(secret)).then_some(address)
}

/// An address in a file that holds credentials: its password need be no placeholder.
#[must_use]
pub(crate) fn given(bytes: &[u8], at: usize) -> Option<Password> {
    let address = parse(bytes, at)?;
    let alone = address.user == address.secret;
    let secret = &bytes[address.secret.clone()];
    let long = !alone || (secret.len() >= 16 && placeholder::is_random(secret));
    (long && is_real(bytes, &address)).then_some(address)
}

/// Whether the scan of any text says that there is a password in that range.
pub(super) fn says(bytes: &[u8], secret: &Range<usize>) -> bool {
    let from = secret.start.saturating_sub(USERINFO);
    memchr::memmem::rfind(&bytes[from..secret.start], LITERAL)
        .and_then(|at| strong(bytes, from + at))
        .is_some_and(|address| address.secret == *secret)
}

/// The finding.
pub(super) fn found(address: &Password, bytes: &[u8]) -> Found {
    Found {
        rule: ID,
        severity: Severity::Error,
        message: format!("{KIND} of {}", shown(&bytes[address.host.clone()])),
        remedy: REMEDY,
        at: address.whole.start,
        length: address.whole.len(),
        wrapped: Vec::new(),
        key: None,
    }
}

fn is_real(bytes: &[u8], address: &Password) -> bool {
    let host = &bytes[address.host.clone()];
    let host = host.strip_suffix(b".").unwrap_or(host).to_ascii_lowercase();
    // RFC 2606, RFC 6761, and what manuals call a host.
    let reserved = ["example.com", "example.org", "example.net", "localhost", ".example", ".test", ".invalid"];
    let words: [&[u8]; 9] =
        [b"host", b"hostname", b"server", b"domain", b"domain.com", b"host.com", b"proxy", b"127.0.0.1", b"0.0.0.0"];
    !placeholder::is(&bytes[address.secret.clone()])
        && !placeholder::is(&bytes[address.host.clone()])
        && !reserved.iter().any(|end| host.ends_with(end.as_bytes()))
        && !words.contains(&&host[..])
}

fn is_forge(host: &[u8]) -> bool {
    [&b"github."[..], b"gitlab.", b"bitbucket."].iter().any(|forge| host.starts_with(forge))
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Unreserved characters, sub-delimiters, `%` and `:`, and those that people forget to escape.
fn is_userinfo(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'@' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | b'|')
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
}

#[cfg(test)]
pub(super) fn examples() -> super::Examples {
    use super::made;
    let secret = made::base62(20, 1);
    super::Examples {
        found: vec![
            format!("git clone https://ci:{secret}@forge.corp/a.git"),
            format!("postgres://app:{}7@db.corp:5432/app", made::base62(11, 2)),
            format!("https://{}:x-oauth-basic@github.com/a/b", made::hex(40, 3)),
            format!("https://{}@github.com/a/b", made::hex(40, 3)),
            format!("https://oauth2:{secret}%21@forge.corp/"),
        ],
        not: vec![
            "https://user:password@forge.corp/".to_owned(),
            "https://forge.corp/@scope:name@1.0".to_owned(),
            "https://git@forge.corp/".to_owned(),
            "https://joe:hunter2@forge.corp/".to_owned(),
            format!("https://ci:{secret}@example.com/"),
            format!("https://ci:{secret}@api.example.org/"),
            format!("https://ci:{secret}@localhost/"),
            "https://ci:${CI_JOB_TOKEN_OF_THE_BUILD_1}@forge.corp/".to_owned(),
            "https://ci:$CI_JOB_TOKEN_1234@forge.corp/".to_owned(),
            "https://ci:{token_number_12345}@forge.corp/".to_owned(),
            "https://ci:%(password1234567)s@forge.corp/".to_owned(),
            format!("https://ci:{secret}"),
            format!("https://ci:{secret}/@forge.corp"),
            // The public half of a client's key, as error trackers have it.
            format!("https://{}@errors.corp/1", made::hex(32, 3)),
        ],
    }
}
