//! The file that `valetkey host add` keeps, at [`super::load::stored_path`].
//!
//! Owns: bounded reading, one writer at a time, replacement as a whole or not at all, 0600 in a
//! folder of 0700. Refuses to write where it could not read: a pin would be lost.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::known_hosts::MAX_BYTES;
use crate::exit::Code;
use crate::ui::Explain;

/// How long another valetkey may hold the file.
pub const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const LOCK_STEP: Duration = Duration::from_millis(20);

/// Why pins could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no home folder.
    #[error("there is no folder for stored host keys")]
    NoFolder,
    /// The file could not be read.
    #[error("failed to read the host keys in {0}")]
    Read(String, #[source] io::Error),
    /// The file could not be written.
    #[error("failed to write {0}")]
    Write(String, #[source] io::Error),
    /// Another valetkey is writing.
    #[error("another valetkey holds the lock on {0}")]
    Busy(String),
    /// It would be past the limit of what is read.
    #[error("{0} would be larger than {MAX_BYTES} bytes")]
    TooLarge(String),
}

impl Explain for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoFolder => Some("set HOME or XDG_CONFIG_HOME to an absolute path".into()),
            Self::Read(..) => Some("check that it is a file and that you may read it".into()),
            Self::Write(..) => Some("check that you may write to the folder and that the disk is not full".into()),
            Self::Busy(_) => Some("try again when the other command has ended".into()),
            Self::TooLarge(_) => Some("remove pins that are no longer used: valetkey host remove NAME".into()),
        }
    }

    fn code(&self) -> Code {
        Code::Host
    }
}

/// The text of the stored pins; empty where the file is not there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read_stored(path: &Path) -> Result<String, StoreError> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other.map_err(|error| StoreError::Read(path.display().to_string(), error)),
    }
}

/// Refuses what is past the limit and what is not UTF-8, because it will be written back.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Changes the stored pins under a lock. The file is replaced as a whole; nothing is written
/// where `change` leaves the text as it is.
///
/// # Errors
/// When the file cannot be read or written, or another valetkey holds it for [`LOCK_WAIT`].
pub fn update(path: &Path, change: impl FnOnce(&str) -> String) -> Result<(), StoreError> {
    let shown = path.display().to_string();
    let folder = path.parent().ok_or(StoreError::NoFolder)?;
    let failed = |error| StoreError::Write(shown.clone(), error);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join("known_hosts.lock"));
    let _held = hold(lock.map_err(failed)?, &shown)?;
    let before = read_stored(path)?;
    let after = change(&before);
    if after.len() > MAX_BYTES {
        return Err(StoreError::TooLarge(shown));
    }
    if after != before {
        replace(path, folder, &after).map_err(failed)?;
    }
    Ok(())
}

/// The lock goes with the file handle, also when the process is killed.
fn hold(lock: File, shown: &str) -> Result<File, StoreError> {
    let give_up = Instant::now() + LOCK_WAIT;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => std::thread::sleep(LOCK_STEP),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy(shown.into())),
            Err(TryLockError::Error(error)) => return Err(StoreError::Write(shown.into(), error)),
        }
    }
}

fn replace(path: &Path, folder: &Path, text: &str) -> io::Result<()> {
    // Under the lock the name is ours; what a killed writer left is overwritten.
    let new = folder.join("known_hosts.new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_file_is_the_users_alone_and_nothing_is_left_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("valetkey/known_hosts");
        update(&path, |text| format!("{text}a\n")).unwrap();
        update(&path, |text| format!("{text}b\n")).unwrap();
        assert_eq!(read_stored(&path).unwrap(), "a\nb\n");
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let mut names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["known_hosts", "known_hosts.lock"]);
    }

    #[test]
    fn two_writers_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("valetkey/known_hosts");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for line in 0..10 {
                        update(path, |text| format!("{text}{writer}.{line}\n")).unwrap();
                    }
                });
            }
        });
        assert_eq!(read_stored(&path).unwrap().lines().count(), 40);
    }

    #[test]
    fn a_held_lock_is_reported_and_nothing_is_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("valetkey/known_hosts");
        update(&path, |_| "a\n".into()).unwrap();
        let lock = File::open(home.path().join("valetkey/known_hosts.lock")).unwrap();
        lock.lock().unwrap();
        assert!(matches!(update(&path, |_| "b\n".into()), Err(StoreError::Busy(_))));
        assert_eq!(read_stored(&path).unwrap(), "a\n");
    }

    #[test]
    fn a_file_at_the_limit_is_written_and_one_byte_more_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("valetkey/known_hosts");
        update(&path, |_| " ".repeat(MAX_BYTES)).unwrap();
        assert_eq!(read_stored(&path).unwrap().len(), MAX_BYTES);
        assert!(matches!(update(&path, |text| format!("{text} ")), Err(StoreError::TooLarge(_))));
        assert_eq!(read_stored(&path).unwrap().len(), MAX_BYTES);
        fs::write(&path, " ".repeat(MAX_BYTES + 1)).unwrap();
        assert!(matches!(read_stored(&path), Err(StoreError::Read(..))));
    }
}
