//! PURE: addresses with a credential in them, as recipes write them: `https://x:$TOKEN@host/`,
//! `https://${{ secrets.TOKEN }}@host/`, `https://x:$(cat token)@host/`. What stands there as it is, is
//! judged by the audit.

use std::ops::Range;

use super::secret_text::{expression, is_secret_name, variables};
use crate::audit::secrets::url::{self, LITERAL};

/// Bytes of a scheme and of what stands before `@` that are looked at.
const SCHEME: usize = 16;
const USERINFO: usize = 1_024;
/// Bytes of a host's name (RFC 1035, section 2.3.4).
const HOST: usize = 255;

/// An address with a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// From its scheme to its host.
    pub whole: Range<usize>,
    /// The host.
    pub host: Range<usize>,
    /// The password, or the user where that is the secret.
    pub secret: Range<usize>,
    /// Whether the secret stands there as it is.
    pub is_literal: bool,
}

/// The addresses of HTTP with a credential in a text.
pub fn addresses(text: &[u8]) -> impl Iterator<Item = Address> {
    memchr::memmem::find_iter(text, LITERAL).filter_map(|at| address(text, at))
}

fn address(text: &[u8], at: usize) -> Option<Address> {
    let scheme = text.get(..at)?.iter().rev().take(SCHEME);
    let scheme = scheme.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'+').count();
    let name = text.get(at - scheme..at)?;
    if !name.ends_with(b"http") && !name.ends_with(b"https") {
        return None;
    }
    let start = at + LITERAL.len();
    let (colon, end) = userinfo(text, start)?;
    let is_host = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._${}".contains(byte);
    let host = end + 1..end + 1 + text.get(end + 1..)?.iter().take(HOST).take_while(is_host).count();
    let behind = colon.map_or(end..end, |colon| colon + 1..end);
    let is_alone = behind.is_empty() || text.get(behind.clone()) == Some(b"x-oauth-basic");
    let secret = if is_alone { start..colon.unwrap_or(end) } else { behind };
    let value = text.get(secret.clone())?;
    if host.is_empty() || value.is_empty() {
        return None;
    }
    let whole = at - scheme..host.end;
    if value.iter().any(|byte| matches!(byte, b'$' | b'`')) {
        // A user with an empty password behind it is a token.
        let is_credential = !is_alone
            || colon.is_some()
            || expression(value).is_some()
            || value.windows(2).any(|two| two == b"$(")
            || variables(value)
                .iter()
                .any(|name| is_secret_name(name) || name.to_ascii_lowercase().ends_with(b"token"));
        return is_credential.then_some(Address { whole, host, secret, is_literal: false });
    }
    let given = url::given(text, at).filter(|given| given.secret == secret)?;
    Some(Address { whole, host: given.host, secret, is_literal: true })
}

/// Where the user ends, if a password follows, and where the `@` stands.
fn userinfo(text: &[u8], start: usize) -> Option<(Option<usize>, usize)> {
    let mut colon = None;
    let mut at = start;
    while at < start + USERINFO {
        let rest = text.get(at..)?;
        let closing: Option<&[u8]> = match rest {
            [b'$', b'{', b'{', ..] => Some(b"}}"),
            [b'$', b'{', ..] => Some(b"}"),
            [b'$', b'(', ..] => Some(b")"),
            _ => None,
        };
        if let Some(closing) = closing {
            at += memchr::memmem::find(rest.get(..USERINFO).unwrap_or(rest), closing)? + closing.len();
            continue;
        }
        match rest.first()? {
            b'@' => return Some((colon, at)),
            b'`' => at += memchr::memchr(b'`', rest.get(1..USERINFO).unwrap_or(rest.get(1..)?))? + 1,
            b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'|' => return None,
            byte if !byte.is_ascii_graphic() => return None,
            b':' if colon.is_none() => colon = Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::secrets::made;

    fn found(text: &str) -> Vec<(&str, &str)> {
        addresses(text.as_bytes()).map(|address| (&text[address.secret], &text[address.host])).collect()
    }

    #[test]
    fn credentials_of_every_spelling_are_found_with_their_host() {
        for (text, secret) in [
            ("https://x:$TOKEN@git.example.com/a", "$TOKEN"),
            ("https://${TOKEN}@git.example.com/a", "${TOKEN}"),
            ("url.https://x:${{ secrets.A }}@git.example.com/.insteadOf", "${{ secrets.A }}"),
            ("git+https://${{ secrets.A }}@git.example.com/a", "${{ secrets.A }}"),
            ("https://x:$(cat /run/secrets/a)@git.example.com/a", "$(cat /run/secrets/a)"),
            ("https://x:`cat /a`@git.example.com/a", "`cat /a`"),
            ("https://$TOKEN:x-oauth-basic@git.example.com/a", "$TOKEN"),
            ("https://$A:@git.example.com/a", "$A"),
            ("https://$GITTOKEN@git.example.com/a", "$GITTOKEN"),
        ] {
            assert_eq!(found(text), [(secret, "git.example.com")], "{text}");
        }
        let literal = format!("https://ci:{}@git.corp/a", made::base62(20, 1));
        assert_eq!(found(&literal).len(), 1);
    }

    #[test]
    fn addresses_without_one_are_not_found() {
        for text in [
            "https://git@git.example.com/a",
            "https://$USER@git.example.com/a",
            "https://user:password@git.corp/a",
            "https://user:<token>@git.corp/a",
            "ssh://git:$TOKEN@git.example.com/a",
            "https://git.example.com/@scope:$X@1",
            "https://git.example.com/$A",
            "https://x:$TOKEN@",
            "https://x:$(never@git",
            "https://",
            "://x:$TOKEN@h",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn what_stands_before_the_host_is_read_to_the_limit_and_no_further() {
        let text = |length: usize| format!("https://x:${}@git.example.com/", "A".repeat(length - 3));
        assert_eq!((found(&text(USERINFO - 1)).len(), found(&text(USERINFO)).len()), (1, 0));
    }
}
