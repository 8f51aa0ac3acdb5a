//! What the last lease of this user came to, between `run` and `doctor --last`:
//! `$XDG_STATE_HOME/valetkey/last.json`, for its owner alone.
//!
//! Owns the file. Refuses to read one that somebody else could have written, and to stand in the
//! way of a build: where it cannot be written, there is none.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::diagnosis::{Facts, FactsError, MAX_RECORD};
use crate::exit::Code;
use crate::receipt::Replacing;
use crate::ui::Explain;

/// Why the last lease cannot be told of.
#[derive(Debug, thiserror::Error)]
pub enum LastError {
    /// There is no home and no folder for state.
    #[error("failed to find the folder of the last lease's record: neither HOME nor XDG_STATE_HOME names one")]
    Nowhere,
    /// No lease was recorded.
    #[error("no lease has been recorded: there is no {}", .0.display())]
    None(PathBuf),
    /// The system does not let us read it.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A link, a folder, or of somebody else.
    #[error("failed to trust {}: it is not a file of your own", .0.display())]
    Foreign(PathBuf),
    /// More than a record may have.
    #[error("failed to read {}: it is larger than {MAX_RECORD} bytes, which no record is", .0.display())]
    TooLarge(PathBuf),
    /// What is in it.
    #[error("failed to read {}", path.display())]
    Facts {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: FactsError,
    },
}

impl Explain for LastError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nowhere => "set HOME or XDG_STATE_HOME to the folder that `valetkey run` had".into(),
            Self::None(_) => "`valetkey run` writes it when its command has ended, where it can".into(),
            Self::Read { .. } => return None,
            Self::Foreign(path) | Self::TooLarge(path) | Self::Facts { path, .. } => {
                format!("remove {}, and run the build again", path.display())
            }
        })
    }

    fn code(&self) -> Code {
        Code::Lease
    }
}

/// Where the record is; none where there is no home.
#[must_use]
pub fn place() -> Option<PathBuf> {
    Some(crate::xdg::folder("XDG_STATE_HOME", ".local/state")?.join("last.json"))
}

/// Writes the record in the place of the one before. That it cannot be written is no error of the
/// build.
pub fn write(facts: &Facts) {
    if let (Some(path), Some(json)) = (place(), facts.to_json()) {
        let _ = write_to(&path, &json);
    }
}

fn write_to(path: &Path, json: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Replacing::open(path, 0o600)?.write(json)
}

/// Reads the record.
///
/// # Errors
/// [`LastError`].
pub fn read() -> Result<Facts, LastError> {
    read_from(&place().ok_or(LastError::Nowhere)?)
}

fn read_from(path: &Path) -> Result<Facts, LastError> {
    let path = || path.to_owned();
    let failed = |source: io::Error| match source.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => LastError::None(path()),
        Some(libc::ELOOP) => LastError::Foreign(path()),
        _ => LastError::Read { path: path(), source },
    };
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path()).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() || about.uid() != rustix::process::geteuid().as_raw() {
        return Err(LastError::Foreign(path()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_RECORD as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_RECORD {
        return Err(LastError::TooLarge(path()));
    }
    Facts::parse(&bytes).map_err(|source| LastError::Facts { path: path(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_record_is_for_its_owner_alone_and_replaces_a_link_instead_of_following_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, victim) = (dir.path().join("valetkey/last.json"), dir.path().join("victim"));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(&victim, "before").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(matches!(read_from(&path), Err(LastError::Foreign(_))));
        write_to(&path, b"{}").unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "before");
        assert_eq!(path.symlink_metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_record_that_is_none_is_told_from_one_that_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("last.json");
        assert!(matches!(read_from(&path), Err(LastError::None(_))));
        assert!(matches!(read_from(&path.join("below")), Err(LastError::None(_))));
        assert!(matches!(read_from(Path::new("/dev/null/valetkey/last.json")), Err(LastError::None(_))));
        std::fs::write(&path, "no JSON").unwrap();
        assert!(matches!(read_from(&path), Err(LastError::Facts { .. })));
        assert!(matches!(read_from(dir.path()), Err(LastError::Foreign(_))));
        std::fs::write(&path, vec![b' '; MAX_RECORD]).unwrap();
        assert!(matches!(read_from(&path), Err(LastError::Facts { .. })), "at the limit");
        std::fs::write(&path, vec![b' '; MAX_RECORD + 1]).unwrap();
        assert!(matches!(read_from(&path), Err(LastError::TooLarge(_))));
        // 100 MiB, of which no more than the limit is read.
        File::create(&path).unwrap().set_len(100 << 20).unwrap();
        assert!(matches!(read_from(&path), Err(LastError::TooLarge(_))));
    }

    #[test]
    fn a_record_is_not_waited_for_where_a_pipe_lies_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("last.json");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(matches!(read_from(&path), Err(LastError::Foreign(_))));
    }
}
