//! Files in memory, for tools that cannot read what a process holds: 0600, in a folder of this
//! user alone, on tmpfs, overwritten before they are removed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{HolderError, MAX_SECRET};
use crate::keys::Secret;
use crate::lease::{Folder, Places};

/// Where every Linux has a tmpfs that all users share.
const SHARED: &str = "/dev/shm";
/// `statfs(2)`: a file system whose files are nowhere but in memory.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// A place for such files.
pub(super) struct Place {
    folder: PathBuf,
    /// Where the lease's own folder lies on a disk; removed when dropped.
    apart: Option<Folder>,
}

impl Place {
    /// The lease's folder where that is in memory, else one of its own that is.
    pub(super) fn find(lease: &Path) -> Result<Self, HolderError> {
        if in_memory(lease) {
            return Ok(Self { folder: lease.to_owned(), apart: None });
        }
        if !in_memory(Path::new(SHARED)) {
            return Err(HolderError::NoMemory(lease.to_owned()));
        }
        let apart =
            Folder::make(&Places { runtime: None, runner: None, temp: SHARED.into() }).map_err(HolderError::Folder)?;
        Ok(Self { folder: apart.path().to_owned(), apart: Some(apart) })
    }

    /// The file of the secret with this number.
    pub(super) fn file(&self, number: usize) -> PathBuf {
        self.folder.join(format!("secret{number}"))
    }

    /// The folder that is to be removed with the files.
    pub(super) fn apart(&self) -> Option<&Path> {
        self.apart.as_ref().map(Folder::path)
    }
}

fn in_memory(folder: &Path) -> bool {
    let kind = rustix::fs::statfs(folder).ok().and_then(|found| u64::try_from(found.f_type).ok());
    kind.is_some_and(|kind| IN_MEMORY.contains(&kind))
}

/// Writes a file that is not there yet.
pub(super) fn write(path: &Path, secret: &Secret) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(secret.expose())
}

/// Overwrites a file and removes it. One that is gone is none to remove; a link is not followed.
pub(super) fn wipe(path: &Path) {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    if let Ok(mut file) = OpenOptions::new().write(true).custom_flags(flags).open(path) {
        let length = file.metadata().map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(MAX_SECRET));
        let _ = file.write_all(&vec![0; length.min(MAX_SECRET)]);
    }
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_file_is_overwritten_before_it_is_removed() {
        let folder = tempfile::tempdir_in(SHARED).unwrap();
        assert!(in_memory(folder.path()));
        let path = folder.path().join("secret0");
        write(&path, &Secret::new(b"s3cret".to_vec())).unwrap();
        let mut open = fs::File::open(&path).unwrap();
        wipe(&path);
        assert!(!path.exists());
        let mut left = Vec::new();
        open.read_to_end(&mut left).unwrap();
        assert_eq!(left, [0; 6]);
        wipe(&path);
    }

    #[test]
    fn a_link_in_its_place_is_removed_and_not_followed() {
        let folder = tempfile::tempdir_in(SHARED).unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("secret0"));
        fs::write(&victim, "before").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(write(&path, &Secret::new(b"s3cret".to_vec())).is_err());
        wipe(&path);
        assert_eq!((fs::read_to_string(victim).unwrap().as_str(), path.exists()), ("before", false));
    }

    #[test]
    fn a_disk_is_no_memory() {
        assert!(!in_memory(Path::new("/proc")) && !in_memory(Path::new("/nonexistent")));
    }
}
