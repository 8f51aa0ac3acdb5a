//! Where what earlier audits found is kept: `$XDG_CACHE_HOME/valetkey/layers`, with its key in
//! `$XDG_STATE_HOME/valetkey/cache.key`.

use crate::audit::RULES;
use crate::audit::cache::{Cache, CacheError};
use crate::ui;
use crate::xdg::folder;

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
