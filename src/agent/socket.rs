//! Binding a socket that only its owner can reach: mode 0600, in a folder that is 0700.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The longest path of a Unix socket on Linux, in bytes (`sun_path` less its final NUL).
pub const MAX_PATH: usize = 107;

/// Binds `path`, for as long as this process lives. The folder's mode keeps everyone out between
/// bind and chmod.
///
/// # Errors
/// Of the system; a path longer than [`MAX_PATH`] is refused by it.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = bind_briefly(path)?;
    let file = of(&std::fs::symlink_metadata(path)?);
    BOUND.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    Ok(socket)
}

/// The same for a socket that is gone long before this process: [`is_ours`] does not know it.
///
/// # Errors
/// As [`bind`].
pub fn bind_briefly(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(socket)
}

/// A file, whatever its names: device, inode, and when it was made where the file system knows,
/// because the inode of a removed one is given to another.
type File = (u64, u64, Option<SystemTime>);

fn of(meta: &Metadata) -> File {
    (meta.dev(), meta.ino(), meta.created().ok())
}

/// Every socket that this process bound to keep. Who listens cannot be asked: the
/// number that the kernel gives is that of whoever called `listen`, and `ssh-agent COMMAND` does
/// that in the process that becomes COMMAND.
static BOUND: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Whether the socket at `path`, links followed, is one that [`bind`] made in this process.
#[must_use]
pub fn is_ours(path: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    BOUND.lock().unwrap_or_else(PoisonError::into_inner).contains(&of(&meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_kept_is_ours_under_every_name_and_one_in_its_place_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("kept"), folder.path().join("link"));
        let kept = bind(&path).unwrap();
        std::fs::hard_link(&path, &link).unwrap();
        assert!(is_ours(&path) && is_ours(&link));
        drop(kept);
        // Again and again, because an inode is given to somebody else when it likes.
        for _ in 0..64 {
            let _ = std::fs::remove_file(&path);
            let _ = std::fs::remove_file(&link);
            let _brief = bind_briefly(&path).unwrap();
            assert!(!is_ours(&path));
        }
    }
}
