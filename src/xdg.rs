//! Folders of ours below the XDG base directories.

use std::path::PathBuf;

/// `valetkey` below the folder that this variable names, or below this default in the home; none
/// where there is neither.
pub(crate) fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        base.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(default)))?;
    Some(base.join("valetkey"))
}
