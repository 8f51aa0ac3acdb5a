//! What stands behind `vault:`: `MOUNT/PATH#FIELD`.
//!
//! Owns the check that nothing in it can become another part of a URL.

use super::{MAX_NAME, SourceError};

/// The most bytes of mount and path.
pub const MAX_VAULT_PATH: usize = 512;

/// A field of a secret in a KV engine, version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPath {
    mount: String,
    path: String,
    field: String,
}

impl VaultPath {
    /// `MOUNT/PATH#FIELD`; a mount that has slashes itself ends with two: `team/kv//PATH#FIELD`.
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        let Some((place, field)) = text.rsplit_once('#') else {
            return Err(SourceError::Missing("vault", "MOUNT/PATH#FIELD"));
        };
        let (mount, path) = place.split_once("//").or_else(|| place.split_once('/')).ok_or(SourceError::VaultPath)?;
        let field_is_one = !field.is_empty() && field.len() <= MAX_NAME && !field.chars().any(char::is_control);
        if place.len() > MAX_VAULT_PATH || !is_path(mount) || !is_path(path) || !field_is_one {
            return Err(SourceError::VaultPath);
        }
        Ok(Self { mount: mount.to_owned(), path: path.to_owned(), field: field.to_owned() })
    }

    /// The field's name.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The path of the request for it, behind `/v1/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/data/{}", escaped(&self.mount), escaped(&self.path))
    }
}

impl std::fmt::Display for VaultPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let slash = if self.mount.contains('/') { "//" } else { "/" };
        write!(f, "{}{slash}{}#{}", self.mount, self.path, self.field)
    }
}

/// Components that are names: none is empty, and none leads elsewhere.
pub(crate) fn is_path(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A path as it stands in a URL (RFC 3986, section 2): what is not unreserved is escaped.
pub(crate) fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_written_alike_and_nothing_in_it_becomes_another_part_of_the_url() {
        for (text, url, field) in [
            ("secret/ci/deploy#key", "secret/data/ci/deploy", "key"),
            ("team/kv//ci#private key", "team/kv/data/ci", "private key"),
            ("kv/a b?c=d%2f#e", "kv/data/a%20b%3Fc%3Dd%252f", "e"),
            ("kv/a#b#c", "kv/data/a%23b", "c"),
        ] {
            let path = VaultPath::parse(text).expect(text);
            assert_eq!((path.url().as_str(), path.field(), path.to_string().as_str()), (url, field, text));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "kv#a",
            "/a#b",
            "kv/#b",
            "kv/a#",
            "kv/../sys#b",
            "kv/a/../b#c",
            "kv/./a#b",
            "kv/a//b//c#d",
            "kv/a\n#b",
            "kv/a#b\n",
        ] {
            assert_eq!(VaultPath::parse(text), Err(SourceError::VaultPath), "{text:?}");
        }
        assert_eq!(VaultPath::parse("kv/a"), Err(SourceError::Missing("vault", "MOUNT/PATH#FIELD")));
    }

    #[test]
    fn a_path_ends_at_its_limit() {
        let place = format!("kv/{}", "a".repeat(MAX_VAULT_PATH - 3));
        assert!(VaultPath::parse(&format!("{place}#f")).is_ok());
        assert!(VaultPath::parse(&format!("{place}a#f")).is_err());
        assert!(VaultPath::parse(&format!("kv/a#{}", "f".repeat(MAX_NAME))).is_ok());
        assert!(VaultPath::parse(&format!("kv/a#{}", "f".repeat(MAX_NAME + 1))).is_err());
    }
}
