//! Where what earlier audits found is kept: `$XDG_CACHE_HOME/valetkey/layers`, with its key in
//! `$XDG_STATE_HOME/valetkey/cache.key`.

use std::path::PathBuf;

use crate::audit::RULES;
use crate::audit::cache::{Cache, CacheError};
use crate::ui;

use super::looking::Looking;

/// The cache of this user, for audits that look for these keys; none where there is no home, or
/// none that can be written.
pub(super) fn open(looking: &Looking) -> Option<Cache> {
    let root = folder("XDG_CACHE_HOME", ".cache")?.join("layers");
    let key = folder("XDG_STATE_HOME", ".local/state")?.join("cache.key");
    let context = looking.context();
    match Cache::open(&root, &key, [RULES].into_iter().chain(context.iter().map(String::as_str))) {
        Ok(cache) => Some(cache),
        Err(CacheError::File { .. }) => None,
        Err(error) => {
            ui::warning(&format!("every layer is read: {error}"));
            None
        }
    }
}

/// A folder of ours below one of the XDG base directories, or its default below the home.
fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        base.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(default)))?;
    Some(base.join("valetkey"))
}
