//! `npmrc`: the token of one registry, and which packages come from there.
//!
//! npm reads the file as INI (a value in quotes is JSON) and puts variables in the place of
//! `${NAME}` afterwards, for which there is no escape that all of npm, pnpm and Yarn know.

use super::out::Out;
use super::{Address, FormError};

/// Whether this is a scope: `@org`.
#[must_use]
pub fn is_scope(scope: &str) -> bool {
    scope.strip_prefix('@').is_some_and(|name| {
        !name.is_empty() && name.len() < 214 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
    })
}

pub(super) fn write(registry: &Address, scope: Option<&str>, secret: &str, out: &mut Out) -> Result<(), FormError> {
    if secret.contains("${") {
        return Err(FormError::Character("`${`"));
    }
    // The token is npm's for everything below the path, which ends with a slash.
    let slash = if registry.rest().ends_with('/') { "" } else { "/" };
    if let Some(scope) = scope {
        out.text(scope)?;
        out.text(":")?;
    }
    for part in ["registry=", registry.scheme(), "://", registry.rest(), slash, "\n//", registry.rest(), slash] {
        out.text(part)?;
    }
    out.text(":_authToken=")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+/=~".contains(c);
    if secret.chars().all(plain) {
        out.text(secret)?
    } else {
        out.quoted(secret)?
    }
    out.text("\n")
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::super::tests::file;
    use super::*;

    fn form(registry: &str, scope: Option<&str>) -> Form {
        Form::Npmrc { registry: Address::parse(registry).unwrap(), scope: scope.map(str::to_owned) }
    }

    #[test]
    fn a_token_is_for_its_registry_and_scope() {
        assert_eq!(
            file(&form("https://npm.example.com/", None), b"npm_a-Z=").unwrap(),
            "registry=https://npm.example.com/\n//npm.example.com/:_authToken=npm_a-Z=\n"
        );
        assert_eq!(
            file(&form("http://127.0.0.1:1/npm", Some("@org")), b"a;b#\"c\\").unwrap(),
            "@org:registry=http://127.0.0.1:1/npm/\n//127.0.0.1:1/npm/:_authToken=\"a;b#\\\"c\\\\\"\n"
        );
    }

    #[test]
    fn what_npm_would_take_for_a_variable_is_refused() {
        assert_eq!(file(&form("https://npm.example.com/", None), b"a${HOME}"), Err(FormError::Character("`${`")));
        assert!(file(&form("https://npm.example.com/", None), b"a$HOME").is_ok());
    }

    #[test]
    fn a_scope_begins_with_an_at_sign() {
        for (scope, is) in
            [("@org", true), ("@a-b.c", true), ("org", false), ("@", false), ("@a/b", false), ("@a b", false)]
        {
            assert_eq!(is_scope(scope), is, "{scope}");
        }
    }
}
