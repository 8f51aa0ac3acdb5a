//! `file:PATH`: a key file, under the rules that ssh and ssh-add have for one.
//!
//! Owns opening and the check of its mode. Refuses a file that is ours and open to others, as
//! `sshkey_perm_ok` in OpenSSH's `authfile.c` does.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::exit::Code;
use crate::ui::Explain;

use super::{Secret, stdin};

/// Why a file gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing is there.
    #[error("there is no such file")]
    Missing,
    /// A folder is there.
    #[error("it is a folder, not a file")]
    Folder(PathBuf),
    /// The file may not be read.
    #[error("permission to read it is denied")]
    Denied,
    /// Ours, and others can read or write it: its mode.
    #[error("others can read or write it (mode {1:04o}), so ssh would not use it either")]
    TooOpen(PathBuf, u32),
    /// `~` without a home folder.
    #[error("the home folder is not known, so ~ means nothing")]
    NoHome,
    /// The system's error.
    #[error("it cannot be read: {0}")]
    Io(ErrorKind),
}

impl Explain for FileError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing => "check the path; ls ~/.ssh shows the usual places".to_owned(),
            Self::Folder(path) => {
                format!("name one key in it, such as file:{}/id_ed25519", path.display())
            }
            Self::Denied => "run as the user whose key it is; a key is not shared".to_owned(),
            Self::TooOpen(path, _) => {
                format!("chmod 600 {0} (where that cannot be done: --key stdin < {0})", path.display())
            }
            Self::NoHome => "set HOME, or write the whole path".to_owned(),
            Self::Io(_) => "check the disk and the path".to_owned(),
        })
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

impl FileError {
    fn of(error: &std::io::Error, path: &Path) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::IsADirectory => Self::Folder(path.to_owned()),
            kind => Self::Io(kind),
        }
    }
}

/// The path with a leading `~/` replaced.
pub(super) fn resolved(path: &Path, home: Option<&Path>) -> Result<PathBuf, FileError> {
    match path.strip_prefix("~") {
        Ok(rest) => home.map(|home| home.join(rest)).ok_or(FileError::NoHome),
        Err(_) => Ok(path.to_owned()),
    }
}

/// The text of a key file, or of a file with another secret; at most one byte more than `limit`.
pub(super) fn read(path: &Path, limit: usize) -> Result<Secret, FileError> {
    let file = File::open(path).map_err(|error| FileError::of(&error, path))?;
    let metadata = file.metadata().map_err(|error| FileError::of(&error, path))?;
    if metadata.is_dir() {
        return Err(FileError::Folder(path.to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Not ours: the mode is the owner's business, and we were let in.
        let ours = metadata.uid() == rustix::process::getuid().as_raw();
        // A public key is meant to be open; that it is one is the better message.
        let public = path.extension().is_some_and(|extension| extension == "pub");
        if ours && !public && metadata.mode() & 0o077 != 0 {
            return Err(FileError::TooOpen(path.to_owned(), metadata.mode() & 0o7777));
        }
    }
    stdin::bounded(&mut &file, limit).map_err(|error| FileError::of(&error, path))
}
