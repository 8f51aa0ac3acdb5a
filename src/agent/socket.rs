//! Binding a socket that only its owner can reach: mode 0600, in a folder that is 0700.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The longest path of a Unix socket on Linux, in bytes (`sun_path` less its final NUL).
pub const MAX_PATH: usize = 107;

/// Binds `path`. The folder's mode keeps everyone out between bind and chmod.
///
/// # Errors
/// Of the system; a path longer than [`MAX_PATH`] is refused by it.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let meta = std::fs::symlink_metadata(path)?;
    BOUND.lock().unwrap_or_else(PoisonError::into_inner).push((meta.dev(), meta.ino()));
    Ok(socket)
}

/// Device and inode of every socket that this process bound. Who listens cannot be asked: the
/// number that the kernel gives is that of whoever called `listen`, and `ssh-agent COMMAND` does
/// that in the process that becomes COMMAND.
static BOUND: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

/// Whether the socket at `path`, links followed, is one that [`bind`] made in this process.
#[must_use]
pub fn is_ours(path: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    BOUND.lock().unwrap_or_else(PoisonError::into_inner).contains(&(meta.dev(), meta.ino()))
}
