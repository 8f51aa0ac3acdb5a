//! `netrc`: `machine HOST login LOGIN password SECRET`.
//!
//! There is no grammar that all readers share: curl and Python know quotes and backslashes in
//! their own ways and by version, others take them as they stand. So what any of them would take
//! for something else is refused.

use super::FormError;
use super::out::Out;

/// The most bytes of a host or login.
pub const MAX_WORD: usize = 255;

/// Whether a word can stand in the file.
fn odd(word: &str) -> Option<&'static str> {
    if word.starts_with('#') {
        return Some("a `#` at its beginning");
    }
    word.chars().find_map(|c| match c {
        c if c.is_whitespace() => Some("white space"),
        '"' | '\'' => Some("a quotation mark"),
        '\\' => Some("a backslash"),
        c if c.is_control() => Some("a control character"),
        _ => None,
    })
}

/// Whether a host name can be one here: without a port, which the file has no place for.
#[must_use]
pub fn is_host(host: &str) -> bool {
    !host.is_empty() && host.len() <= MAX_WORD && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// Whether this can be a user's name here.
#[must_use]
pub fn is_login(login: &str) -> bool {
    !login.is_empty() && login.len() <= MAX_WORD && odd(login).is_none()
}

pub(super) fn write(host: &str, login: &str, secret: &str, out: &mut Out) -> Result<(), FormError> {
    if let Some(what) = odd(secret) {
        return Err(FormError::Character(what));
    }
    for part in ["machine ", host, " login ", login, " password ", secret, "\n"] {
        out.text(part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::super::tests::file;
    use super::*;

    #[test]
    fn a_token_is_written_and_what_readers_disagree_on_is_refused() {
        let form = Form::Netrc { host: "example.com".into(), login: "git".into() };
        let token = "glpat-aZ09_~!$%^&*()#;:@/?{}[]|<>,.+=`";
        assert_eq!(file(&form, token.as_bytes()).unwrap(), format!("machine example.com login git password {token}\n"));
        for secret in ["a b", "a\"b", "a'b", "a\\b", "#a"] {
            assert!(matches!(file(&form, secret.as_bytes()), Err(FormError::Character(_))), "{secret:?}");
        }
    }

    #[test]
    fn words_end_at_their_limit() {
        let at = "a".repeat(MAX_WORD);
        assert!(is_host(&at) && is_login(&at));
        assert!(!is_host(&format!("{at}a")) && !is_login(&format!("{at}a")));
        for host in ["", "a b", "a:443", "a/b", "a\nmachine b"] {
            assert!(!is_host(host), "{host:?}");
        }
        for login in ["", "a b", "a\nb", "#a"] {
            assert!(!is_login(login), "{login:?}");
        }
    }
}
