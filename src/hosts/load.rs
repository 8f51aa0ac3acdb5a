//! Loading pins: the built-in ones, those that `valetkey host add` stored, and the files that
//! the user named.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Hosts;
use super::known_hosts::{MAX_BYTES, TooLarge};
use crate::exit::Code;
use crate::ui::Explain;

/// Why pins could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that was named cannot be read.
    #[error("failed to read the known_hosts file {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is past a limit.
    #[error("failed to use a known_hosts file")]
    TooLarge(#[from] TooLarge),
}

impl Explain for LoadError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooLarge(error) => error.hint(),
            Self::Read { .. } => None,
        }
    }

    fn code(&self) -> Code {
        Code::Host
    }
}

/// Where `valetkey host add` stores pins: `$XDG_CONFIG_HOME/valetkey/known_hosts`, or below
/// `~/.config`. `None` without a home.
#[must_use]
pub fn stored_path() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(config.join("valetkey/known_hosts"))
}

/// All pins, with a warning for each line that could not be read.
///
/// # Errors
/// [`LoadError`]: a file that was named and cannot be used stops the run, because without it
/// a login would be refused or, worse, a revocation overlooked.
pub fn load(files: &[PathBuf]) -> Result<(Hosts, Vec<String>), LoadError> {
    let mut hosts = Hosts::builtin();
    let mut warnings = Vec::new();
    if let Some(path) = stored_path().filter(|path| path.exists()) {
        warnings.extend(hosts.add_stored(&read(&path)?, &path.display().to_string())?);
    }
    for path in files {
        warnings.extend(hosts.add_known_hosts(&read(path)?, &path.display().to_string())?);
    }
    Ok((hosts, warnings))
}

fn read(path: &Path) -> Result<String, LoadError> {
    let mut bytes = Vec::new();
    // One byte past the limit is enough for the parser to refuse it.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    // A byte that is not UTF-8 spoils its own line, not the file.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
