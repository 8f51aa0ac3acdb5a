//! Binding a socket that only its owner can reach: mode 0600, in a folder that is 0700.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// The longest path of a Unix socket on Linux, in bytes (`sun_path` less its final NUL).
pub const MAX_PATH: usize = 107;

/// Binds `path`. The folder's mode keeps everyone out between bind and chmod.
///
/// # Errors
/// Of the system; a path longer than [`MAX_PATH`] is refused by it.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(socket)
}
