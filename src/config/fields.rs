//! Fields that a table of `valetkey.toml` does not have, each named with its line and the nearest
//! one that there is.

use std::path::Path;

use toml::de::DeTable;

use super::ConfigError;

/// Refuses the first field that is not known.
pub(super) fn check_fields(
    table: &DeTable<'_>,
    known: &'static [&'static str],
    name: &'static str,
    text: &str,
    path: &Path,
) -> Result<(), ConfigError> {
    let unknown = table.keys().find(|key| !known.contains(&key.get_ref().as_ref()));
    let Some(key) = unknown else { return Ok(()) };
    let field = key.get_ref().to_string();
    let similar = |&known: &&&'static str| strsim::damerau_levenshtein(known, &field);
    let nearest = known.iter().min_by_key(similar).filter(|&known| strsim::damerau_levenshtein(known, &field) <= 3);
    Err(ConfigError::Unknown {
        path: path.to_owned(),
        line: line_of(text, key.span().start),
        field: crate::wire::text::shown(field.as_bytes()),
        table: name,
        nearest: nearest.copied(),
        known,
    })
}

/// The line of an offset, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}
