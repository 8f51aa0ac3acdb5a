//! What a lease said at its end that nobody waited for, until it is asked for.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::LeaseError;
use super::folder::MAX_SWEPT;
use super::places::is_own;

/// The folder beside the leases that holds the receipts of those that ended by themselves.
pub(super) const ENDED: &str = "ended";
/// Receipts that are kept there.
const MAX_ENDED: usize = 32;
/// Bytes of what a lease says at its end.
pub const MAX_SAID: u64 = 16 << 20;

/// Keeps what a lease says at its end for whoever asks for it later, beside the folder of the lease
/// at `path`. Of older ones the last [`MAX_ENDED`] stay.
///
/// # Errors
/// [`LeaseError::File`] of the system.
pub fn keep_ended(path: &Path, said: &[u8]) -> Result<(), LeaseError> {
    let failed = |source| LeaseError::File { path: path.to_owned(), source };
    let kept = ended_of(path).ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let folder = kept.parent().unwrap_or(path);
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    if !is_own(folder).map_err(failed)? {
        return Err(LeaseError::Unsafe(folder.to_owned()));
    }
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&kept);
    written.and_then(|mut file| io::Write::write_all(&mut file, said)).map_err(failed)?;
    let entries = fs::read_dir(folder).map_err(failed)?.flatten();
    let mut all: Vec<_> = entries
        .take(MAX_SWEPT)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    all.sort();
    let old = all.len().saturating_sub(MAX_ENDED);
    all.drain(..old).for_each(|(_, path)| drop(fs::remove_file(path)));
    Ok(())
}

/// What a lease said at its end, taken away: it is asked for once.
#[must_use]
pub fn take_ended(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let kept = ended_of(path)?;
    if !is_own(kept.parent()?).unwrap_or(false) {
        return None;
    }
    let mut said = Vec::new();
    File::open(&kept).ok()?.take(MAX_SAID).read_to_end(&mut said).ok()?;
    let _ = fs::remove_file(kept);
    Some(said)
}

fn ended_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str().filter(|name| name.chars().all(|c| c.is_ascii_hexdigit()))?;
    Some(path.parent()?.join(ENDED).join(format!("{name}.json")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn base() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        dir
    }

    #[test]
    fn what_was_said_is_given_once() {
        let base = base();
        let lease = base.path().join("0123456789abcdef");
        keep_ended(&lease, b"said").unwrap();
        assert_eq!(take_ended(&lease).as_deref(), Some(&b"said"[..]));
        assert_eq!(take_ended(&lease), None);
    }

    #[test]
    fn the_last_ones_are_kept_and_no_more() {
        let base = base();
        for number in 0..=MAX_ENDED {
            keep_ended(&base.path().join(format!("{number:016x}")), b"").unwrap();
        }
        assert_eq!(fs::read_dir(base.path().join(ENDED)).unwrap().count(), MAX_ENDED);
    }

    #[test]
    fn a_name_that_leads_elsewhere_and_a_folder_of_others_are_refused() {
        let base = base();
        assert!(keep_ended(&base.path().join("x"), b"").is_err());
        assert!(take_ended(Path::new("..")).is_none());
        let lease = base.path().join("0123456789abcdef");
        let target = base.path().join("target");
        fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink(&target, base.path().join(ENDED)).unwrap();
        assert!(matches!(keep_ended(&lease, b""), Err(LeaseError::Unsafe(_))));
    }
}
