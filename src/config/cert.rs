//! `cert` of a grant: what a certificate for the length of the lease is to say.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::key_from::{source, wrong};
use super::{ConfigError, parse_duration};
use crate::keys::issue::{DEFAULT_VALID, Issue};
use crate::ui::Explain as _;

/// Its fields.
pub(super) const FIELDS: &[&str] = &["ca", "principals", "valid", "extensions"];

/// What was written, before it is understood.
#[derive(Deserialize)]
pub(super) struct RawCert {
    ca: String,
    principals: Vec<String>,
    valid: Option<String>,
    #[serde(default)]
    extensions: BTreeMap<String, String>,
}

/// The certificate; a relative path of its authority is the config's.
pub(super) fn issue(raw: RawCert, place: &str, folder: &Path) -> Result<Issue, ConfigError> {
    let ca = source("cert.ca", &raw.ca, place, folder)?;
    let valid = raw.valid.as_deref().map(parse_duration).transpose();
    let valid = valid.map_err(|message| wrong("cert.valid", place, message, None))?;
    Issue::new(ca, raw.principals, valid.unwrap_or(DEFAULT_VALID), raw.extensions)
        .map_err(|error| wrong("cert", place, error.to_string(), error.hint()))
}

/// What was written is no table, and is not repeated.
pub(super) fn no_table(place: &str) -> ConfigError {
    let hint = "cert = { ca = \"keychain:ca\", principals = [\"git\"], valid = \"10m\" }".to_owned();
    wrong("cert", place, "a certificate is a table".to_owned(), Some(hint))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Config, ConfigError, parse};
    use super::*;
    use crate::keys::{KeyFrom, KeySource};

    fn parsed(grant: &str) -> Result<Config, ConfigError> {
        parse(&format!("[[grant]]\n{grant}\n"), Path::new("/project/valetkey.toml"))
    }

    fn said(grant: &str) -> String {
        let error = parsed(grant).unwrap_err();
        format!("{error}\n{}", error.hint().unwrap_or_default())
    }

    #[test]
    fn a_certificate_is_read_with_all_its_fields_or_few() {
        let all = "cert = { ca = \"file:ca\", principals = [\"git\", \"me\"], valid = \"5m\", \
                   extensions = { \"login@github.com\" = \"alice\" } }";
        let ca = KeySource::File("/project/ca".into());
        let extensions = BTreeMap::from([("login@github.com".to_owned(), "alice".to_owned())]);
        let principals = vec!["git".to_owned(), "me".to_owned()];
        let issue = Issue::new(ca, principals, Duration::from_secs(300), extensions).unwrap();
        assert_eq!(parsed(all).unwrap().grants[0].key, KeyFrom::Certificate(issue));
        let few = parsed("cert = { ca = \"env:CA\", principals = [\"git\"] }").unwrap();
        let issue = Issue::new(KeySource::Env("CA".into()), vec!["git".into()], DEFAULT_VALID, BTreeMap::new());
        assert_eq!(few.grants[0].key, KeyFrom::Certificate(issue.unwrap()));
        assert_eq!(few.grants[0].key.to_string(), "a certificate by env:CA");
        assert_eq!(few.grants[0].key.variables(), ["CA"]);
    }

    #[test]
    fn a_grant_has_a_key_or_a_certificate_and_not_both() {
        for grant in ["id = \"a\"", "key = \"stdin\"\ncert = { ca = \"env:CA\", principals = [\"git\"] }"] {
            assert!(said(grant).contains("key in [[grant]] 1 of /project/valetkey.toml: a grant has a key or a cert"));
        }
    }

    #[test]
    fn what_is_wrong_in_a_certificate_is_named_and_a_key_is_not_repeated() {
        for (cert, words) in [
            ("{ ca = \"env:CA\", principals = [] }", "cert in [[grant]] 1 of"),
            ("{ ca = \"env:CA\", principals = [\"\"] }", "no control characters"),
            ("{ ca = \"env:CA\", principals = [\"git\"], valid = \"25h\" }", "cert.valid in [[grant]] 1 of"),
            ("{ ca = \"env:CA\", principals = [\"git\"], valid = \"never\" }", "is not a duration"),
            ("{ ca = \"env:CA\", principal = [\"git\"] }", "did you mean \"principals\"?"),
            ("{ ca = \"env:CA\" }", "missing field"),
            ("{ principals = [\"git\"] }", "missing field"),
            ("{ ca = \"evn:CA\", principals = [\"git\"] }", "did you mean env:?"),
            (
                "{ ca = \"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\", principals = [\"git\"] }",
                "cert.ca in [[grant]] 1",
            ),
            ("\"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\"", "cert in [[grant]] 1 of"),
            ("5", "cert in [[grant]] 1 of"),
        ] {
            let said = said(&format!("cert = {cert}"));
            assert!(said.contains(words) && !said.contains("b3BlbnNz"), "{cert}: {said}");
        }
    }
}
