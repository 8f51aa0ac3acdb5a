//! The address of a registry or a package index, taken apart as far as files with credentials
//! need it. Refuses a password in it: that is what the source is for.

use std::fmt;

/// The most bytes of one.
pub const MAX_ADDRESS: usize = 2048;

/// `http://` or `https://`, perhaps a user's name, and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: &'static str,
    user: Option<String>,
    /// Host, port and path, with a slash behind the host.
    rest: String,
}

impl Address {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and repeats nothing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) => ("http", rest),
            _ => return Err("it begins with neither https:// nor http://"),
        };
        if text.len() > MAX_ADDRESS {
            return Err("it is too long");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err("it has a password, which belongs into the source"),
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        // None of these has to be escaped in any of the files.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if user.is_some_and(|user| user.is_empty() || !user.chars().all(|c| plain(c) || c == '%')) {
            return Err("its user name has characters other than letters, digits, `-`, `.`, `_`, `~` and `%`");
        }
        if host.is_empty() || !host.chars().all(|c| plain(c) || "[:]".contains(c)) {
            return Err("it has no host, or an odd one");
        }
        if !path.chars().all(|c| plain(c) || "/%+@,:".contains(c)) {
            return Err("its path has characters other than letters, digits and `/-._~%+@,:`");
        }
        let rest = if path.is_empty() { format!("{host}/") } else { format!("{host}{path}") };
        Ok(Self { scheme, user: user.map(str::to_owned), rest })
    }

    /// The user's name in it.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    pub(super) fn rest(&self) -> &str {
        &self.rest
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (text, user, shown) in [
            ("https://a.example", None, "https://a.example/"),
            ("http://127.0.0.1:8080/simple/", None, "http://127.0.0.1:8080/simple/"),
            ("https://[::1]:1/x", None, "https://[::1]:1/x"),
            ("https://ci@a.example/@org/x", Some("ci"), "https://a.example/@org/x"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.user(), address.to_string().as_str()), (user, shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_or_holds_a_password_is_refused() {
        for text in [
            "",
            "a.example",
            "ftp://a.example/",
            "HTTPS://a.example/",
            "https://",
            "https:///x",
            "https://u:p@a.example/",
            "https://@a.example/",
            "https://a.example/?token=x",
            "https://a.example/#x",
            "https://a.example/a b",
            "https://a.example/${X}",
            "https://a.example/\nindex-url = x",
            "https://a.example/;x",
            "https://a\"b/",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        let at = format!("https://{}", "a".repeat(MAX_ADDRESS - "https://".len()));
        assert!(Address::parse(&at).is_ok());
        assert!(Address::parse(&format!("{at}a")).is_err());
    }
}
