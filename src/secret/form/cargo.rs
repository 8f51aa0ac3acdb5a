//! `cargo`: a `credentials.toml` with the token of one registry.

use super::FormError;
use super::out::Out;

/// The name of Cargo's own registry.
const CRATES_IO: &str = "crates-io";

/// Whether this can be a registry's name, which Cargo also puts into variables.
#[must_use]
pub fn is_registry(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

pub(super) fn write(registry: &str, secret: &str, out: &mut Out) -> Result<(), FormError> {
    if registry == CRATES_IO {
        out.text("[registry]\n")?;
    } else {
        for part in ["[registries.", registry, "]\n"] {
            out.text(part)?;
        }
    }
    out.text("token = ")?;
    out.quoted(secret)?;
    out.text("\n")
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::super::tests::file;
    use super::*;

    #[test]
    fn a_token_is_a_string_of_toml_under_its_registry() {
        let form = |registry: &str| Form::Cargo { registry: registry.into() };
        let text = file(&form("private"), b"Bearer a\"b\\c]").unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(table["registries"]["private"]["token"].as_str(), Some("Bearer a\"b\\c]"));
        assert_eq!(file(&form("crates-io"), b"cio").unwrap(), "[registry]\ntoken = \"cio\"\n");
    }

    #[test]
    fn an_odd_registry_is_refused() {
        assert!(is_registry(&"a".repeat(64)));
        for name in ["", "a.b", "a]", "a\nb", "a b", &"a".repeat(65)] {
            assert!(!is_registry(name), "{name:?}");
        }
    }
}
