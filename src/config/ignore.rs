//! `[[ignore]]`: findings of an audit that a person decided to live with.

use serde::Deserialize;

use super::ConfigError;
use crate::audit::ignore::{Ignore, LENT_KEY, PathGlob};

pub(super) const FIELDS: &[&str] = &["rule", "path", "fingerprint", "reason"];

#[derive(Deserialize)]
pub(super) struct RawIgnore {
    rule: Option<String>,
    path: Option<String>,
    fingerprint: Option<String>,
    /// Looked for here and not by the parser, so that its message says what it is for.
    reason: Option<String>,
}

/// Checks an entry. Values are not repeated: one may be a key in the wrong place.
pub(super) fn ignore(raw: RawIgnore, place: &str) -> Result<Ignore, ConfigError> {
    let value = |field, message: &str, hint: &str| ConfigError::Value {
        field,
        place: place.to_owned(),
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    };
    let reason = raw.reason.unwrap_or_default().trim().to_owned();
    if reason.is_empty() {
        return Err(value("reason", "there is none", "say why this finding is no danger: reason = \"…\""));
    }
    if let Some(rule) = &raw.rule
        && (rule.is_empty() || !rule.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
    {
        return Err(value("rule", "this is no rule's id", "it is what reports name, such as \"openssh-private-key\""));
    }
    if let Some(fingerprint) = &raw.fingerprint
        && (fingerprint.is_empty() || fingerprint.len() > 256 || !fingerprint.bytes().all(|b| b.is_ascii_graphic()))
    {
        return Err(value("fingerprint", "this is none", "it is what reports write, such as \"SHA256:…\""));
    }
    let path = raw.path.map(|text| {
        let hint = "it is what reports write, or a part of it with `*` and `**`: path = \"**/testdata/*.pem\"";
        text.parse::<PathGlob>().map_err(|error| value("path", &error.to_string(), hint))
    });
    let ignore = Ignore { rule: raw.rule, path: path.transpose()?, fingerprint: raw.fingerprint, reason };
    if ignore.rule.is_none() && ignore.path.is_none() && ignore.fingerprint.is_none() {
        return Err(value(
            "an entry",
            "it names no finding",
            "name a rule, a path or a fingerprint, or several of them",
        ));
    }
    if ignore.rule.as_deref() == Some(LENT_KEY) && ignore.fingerprint.is_none() {
        return Err(value(
            "rule",
            "a lent key in an image is not ignored by its rule or its path",
            "name its fingerprint, if you are sure",
        ));
    }
    Ok(ignore)
}
