//! `[[host]]`: a host and the keys that are trusted for it.

use serde::Deserialize;

use super::ConfigError;
use crate::hosts::PinEntry;
use crate::ui::Explain as _;

pub(super) const FIELDS: &[&str] = &["name", "keys", "fingerprint", "binds"];

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawHost {
    name: String,
    #[serde(default)]
    keys: Vec<String>,
    fingerprint: Option<OneOrMany>,
    binds: Option<bool>,
}

/// Checks an entry.
pub(super) fn entry(raw: RawHost, place: &str) -> Result<PinEntry, ConfigError> {
    let fingerprints = raw.fingerprint.map(OneOrMany::into_vec).unwrap_or_default();
    PinEntry::parse(&raw.name, None, &raw.keys, &fingerprints, raw.binds).map_err(|error| ConfigError::Value {
        field: "a host",
        place: place.to_owned(),
        message: error.to_string(),
        hint: error.hint(),
    })
}
