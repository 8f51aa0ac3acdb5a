//! `key` of a grant: one key source, or a list of them that are tried in order.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::ConfigError;
use super::file::in_folder;
use crate::keys::from::MAX_SOURCES;
use crate::keys::{KeyFrom, KeySource};
use crate::ui::Explain as _;

/// What was written, before it is understood.
pub(super) struct RawSources(Vec<String>);

impl<'de> Deserialize<'de> for RawSources {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SourcesVisitor)
    }
}

impl RawSources {
    /// As they were written, in order.
    pub(super) fn into_texts(self) -> Vec<String> {
        self.0
    }
}

struct SourcesVisitor;

impl<'de> Visitor<'de> for SourcesVisitor {
    type Value = RawSources;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key source or a list of key sources")
    }
    fn visit_str<E>(self, text: &str) -> Result<RawSources, E> {
        Ok(RawSources(vec![text.to_owned()]))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawSources, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(RawSources(texts))
    }
}

/// The sources of a grant; a relative path is the config's.
pub(super) fn sources(raw: RawSources, place: &str, folder: &Path) -> Result<KeyFrom, ConfigError> {
    if raw.0.is_empty() || raw.0.len() > MAX_SOURCES {
        let hint = "key = [\"keychain:deploy\", \"env:DEPLOY_KEY\"]: the first that is there is used".to_owned();
        return Err(wrong("key", place, format!("a key has 1 to {MAX_SOURCES} sources"), Some(hint)));
    }
    let sources = raw.0.iter().map(|text| source("key", text, place, folder));
    Ok(KeyFrom::Sources(sources.collect::<Result<_, _>>()?))
}

/// One source of a field.
pub(super) fn source(field: &'static str, text: &str, place: &str, folder: &Path) -> Result<KeySource, ConfigError> {
    let source: KeySource = text
        .parse()
        .map_err(|error: crate::keys::source::SourceError| wrong(field, place, error.to_string(), error.hint()))?;
    Ok(placed(source, folder))
}

/// A relative path is the config's.
pub(super) fn placed(source: KeySource, folder: &Path) -> KeySource {
    match source {
        KeySource::File(path) => KeySource::File(in_folder(folder, &path.to_string_lossy())),
        other => other,
    }
}

pub(super) fn wrong(field: &'static str, place: &str, message: String, hint: Option<String>) -> ConfigError {
    ConfigError::Value { field, place: place.to_owned(), message, hint }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError, parse};
    use super::*;

    fn parsed(text: &str) -> Result<Config, ConfigError> {
        parse(text, Path::new("/project/valetkey.toml"))
    }

    #[test]
    fn a_key_is_one_source_or_a_list_in_its_order() {
        let config = parsed("[[grant]]\nkey = [\"keychain:k\", \"file:k\", \"env:K\"]\n").unwrap();
        let sources =
            vec![KeySource::Keychain("k".into()), KeySource::File("/project/k".into()), KeySource::Env("K".into())];
        assert_eq!(config.grants[0].key, KeyFrom::Sources(sources));
        assert_eq!(config.grants[0].key.to_string(), "keychain:k or file:/project/k or env:K");
        assert_eq!(parsed("[[grant]]\nkey = \"env:K\"\n").unwrap().grants[0].key, KeySource::Env("K".into()).into());
    }

    #[test]
    fn a_list_at_the_limit_is_taken_and_a_longer_or_empty_one_is_not() {
        let of = |count: usize| parsed(&format!("[[grant]]\nkey = [{}]\n", "\"env:K\",".repeat(count)));
        assert!(of(MAX_SOURCES).is_ok());
        for count in [0, MAX_SOURCES + 1] {
            let error = of(count).unwrap_err();
            assert!(
                error.to_string().contains("key in [[grant]] 1 of /project/valetkey.toml: a key has 1 to 8 sources")
            );
        }
    }

    #[test]
    fn a_wrong_source_of_a_list_is_named_as_one_alone_is_and_a_key_is_not_repeated() {
        let error = parsed("[[grant]]\nkey = [\"env:K\", \"keychian:k\"]\n").unwrap_err();
        assert!(error.hint().unwrap().starts_with("did you mean keychain:?"));
        let error =
            parsed("[[grant]]\nkey = [\"env:K\", \"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\"]\n").unwrap_err();
        assert!(!format!("{error}{error:?}{:?}", error.hint()).contains("b3BlbnNz"), "{error}");
        for text in ["[[grant]]\n\nkey = 5\n", "[[grant]]\n\nkey = [\"env:K\", 5]\n", "[[grant]]\n\nkey = { a = 1 }\n"]
        {
            assert!(parsed(text).unwrap_err().to_string().contains("line 3: "), "{text}");
        }
    }
}
