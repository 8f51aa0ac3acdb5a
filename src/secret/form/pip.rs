//! `pip`: a `pip.conf` with an index whose URL has the token.
//!
//! pip reads it with Python's `RawConfigParser`, which puts nothing in the place of `%`, so the
//! URL stands as it is.

use super::out::Out;
use super::{Address, FormError};

/// The user's name that indexes take a token with.
pub const USER: &str = "__token__";

pub(super) fn write(url: &Address, extra: bool, secret: &str, out: &mut Out) -> Result<(), FormError> {
    let key = if extra { "extra-index-url" } else { "index-url" };
    for part in ["[global]\n", key, " = ", url.scheme(), "://", url.user().unwrap_or(USER), ":"] {
        out.text(part)?;
    }
    out.url(secret.as_bytes())?;
    for part in ["@", url.rest(), "\n"] {
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
    fn the_token_stands_in_the_url_of_the_index() {
        let form = |url: &str, extra| Form::Pip { url: Address::parse(url).unwrap(), extra };
        assert_eq!(
            file(&form("https://pypi.example/simple/", false), b"pypi-Ag@:/% #").unwrap(),
            "[global]\nindex-url = https://__token__:pypi-Ag%40%3A%2F%25%20%23@pypi.example/simple/\n"
        );
        assert_eq!(
            file(&form("https://ci@pypi.example:8443/simple", true), b"t").unwrap(),
            "[global]\nextra-index-url = https://ci:t@pypi.example:8443/simple\n"
        );
    }
}
