//! The folder of a lease: who may open it, and sweeping up after a kill.
//!
//! Each folder has a `lock` file that its process holds locked for as long as it lives: a
//! folder whose lock is free belongs to nobody. Making and sweeping happen under one lock of
//! the folder above, so that a new folder is never taken for an old one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::ended::ENDED;
use super::places::is_own;
use super::{LeaseError, Places};
use crate::agent::socket;

/// Old folders that one start looks at, at most.
pub(super) const MAX_SWEPT: usize = 256;
/// Entries that a folder is emptied of, at most; a lease makes about six, and a folder for each
/// session that is left to the system's `ssh`.
const MAX_FILES: usize = 256;
/// The folder in it that holds the guest.
const GUEST: &str = "guest";
/// The folder in it that holds clones of what a build may read.
pub const CLONES: &str = "git";
/// The folder in it with what bake is given, beside what Compose is.
pub const BAKE: &str = "bake";
/// An empty folder in it, for a build without a context.
const EMPTY: &str = "empty";

/// A folder of one lease. Removed when dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked while this process lives.
    _lock: Option<File>,
}

impl Folder {
    /// Makes a new folder, after sweeping up what killed leases left.
    ///
    /// # Errors
    /// [`LeaseError`] when the place is not ours alone or the system refuses.
    pub fn make(places: &Places) -> Result<Self, LeaseError> {
        let base = places.base();
        let failed = |source| LeaseError::Folder { path: base.clone(), source };
        match DirBuilder::new().mode(0o700).create(&base) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        if !is_own(&base).map_err(failed)? {
            return Err(LeaseError::Unsafe(base));
        }
        let gate = lock_file(&base.join(".lock")).map_err(failed)?;
        flock(&gate, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        sweep(&base);
        for _ in 0..16 {
            let path = base.join(random_name().map_err(failed)?);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let lock = lock_file(&path.join("lock")).map_err(failed)?;
                    // Waits for no longer than somebody takes to look whether it is held.
                    flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
                    return Ok(Self { path, _lock: Some(lock) });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    /// The path of a socket in it. Numbered rather than named: an ssh id is the user's text,
    /// and paths are short.
    ///
    /// # Errors
    /// [`LeaseError::TooLong`].
    pub fn socket_path(&self, number: usize) -> Result<PathBuf, LeaseError> {
        let name = if number == 0 { "agent.sock".to_owned() } else { format!("agent{number}.sock") };
        let path = self.path.join(name);
        let length = path.as_os_str().len();
        if length > socket::MAX_PATH { Err(LeaseError::TooLong { path, length }) } else { Ok(path) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the lease, 0600 unless `mode` says otherwise.
    ///
    /// # Errors
    /// [`LeaseError::File`] of the system.
    pub fn write(&self, path: &Path, mode: u32, content: &[u8]) -> Result<(), LeaseError> {
        use std::io::Write as _;
        let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        let written = written.and_then(|mut file| file.write_all(content));
        written.map_err(|source| LeaseError::File { path: path.to_owned(), source })
    }

    /// Writes the guest into a folder of its own, to be given to builds as a named context, and
    /// says where that is. Everyone may read and run it there: what the context holds is what
    /// the step sees, whatever its user.
    ///
    /// # Errors
    /// [`LeaseError::File`] of the system.
    pub fn write_guest(&self) -> Result<PathBuf, LeaseError> {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = self.path.join(GUEST);
        let program = folder.join(crate::guest::NAME);
        let failed = |source| LeaseError::File { path: program.clone(), source };
        DirBuilder::new().mode(0o755).create(&folder).map_err(failed)?;
        self.write(&program, 0o755, crate::guest::PROGRAM)?;
        // Whatever the umask was: modes are part of a step's cache key.
        for path in [&folder, &program] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        }
        Ok(folder)
    }

    /// Removes it. Idempotent.
    pub fn remove(&mut self) {
        empty(&self.path);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.remove();
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
}

/// Eight random bytes in hexadecimal: short, because a socket's path is.
pub(crate) fn random_name() -> io::Result<String> {
    let mut bytes = [0u8; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

/// Removes the folders whose process is gone.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten().take(MAX_SWEPT) {
        let path = entry.path();
        if !is_own(&path).unwrap_or(false) || path.file_name().is_some_and(|name| name == ENDED) {
            continue;
        }
        if is_free(&path) {
            empty(&path);
        }
    }
}

/// Removes what a lease left whose process is gone; one that is held stays.
pub fn clear(path: &Path) {
    if is_own(path).unwrap_or(false) && is_free(path) {
        empty(path);
    }
}

/// Whether no process holds a folder.
fn is_free(path: &Path) -> bool {
    // Without a lock file it is a folder whose making was cut short: nobody's as well.
    match OpenOptions::new().read(true).open(path.join("lock")) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes the files of a folder and of the guest's folder in it, and both; what is not a plain
/// entry of them stays, and no link is followed.
fn empty(path: &Path) {
    let guest = path.join(GUEST);
    if fs::symlink_metadata(&guest).is_ok_and(|meta| meta.is_dir()) {
        let _ = fs::remove_file(guest.join(crate::guest::NAME));
        let _ = fs::remove_dir(guest);
    }
    // Follows no link, and removes one that stands in its place.
    let _ = fs::remove_dir_all(path.join(CLONES));
    let _ = fs::remove_dir_all(path.join(BAKE));
    let _ = fs::remove_dir(path.join(EMPTY));
    if let Ok(entries) = fs::read_dir(path) {
        for entry in entries.flatten().take(MAX_FILES) {
            // The type of the entry itself: a link to a folder is a file here.
            if entry.file_type().is_ok_and(|of| of.is_dir()) {
                remove_session(&entry.path());
            } else {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    let _ = fs::remove_dir(path);
}

/// Removes the folder of one session, and the plain entries of it.
pub(crate) fn remove_session(path: &Path) {
    if let Ok(entries) = fs::read_dir(path) {
        for entry in entries.flatten().take(MAX_FILES) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn places() -> (tempfile::TempDir, Places) {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let places = Places { runtime: Some(dir.path().to_owned()), runner: None, temp: "/nonexistent".into() };
        (dir, places)
    }

    #[test]
    fn a_folder_is_open_to_its_owner_alone_and_is_gone_when_dropped() {
        let (_dir, places) = places();
        let folder = Folder::make(&places).unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        folder.write(&path.join("f"), 0o600, b"x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_lease_left_is_swept_up_and_a_living_one_is_not() {
        let (_dir, places) = places();
        let living = Folder::make(&places).unwrap();
        let dead = living.path().with_file_name("0123456789abcdef");
        DirBuilder::new().mode(0o700).create(&dead).unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        fs::write(dead.join("known_hosts"), "x").unwrap();
        fs::create_dir(dead.join("s0")).unwrap();
        fs::write(dead.join("s0/known_hosts"), "x").unwrap();
        let _next = Folder::make(&places).unwrap();
        assert!(!dead.exists());
        assert!(living.path().exists());
    }

    #[test]
    fn a_runtime_folder_that_others_can_open_is_not_used() {
        let (dir, _) = places();
        let runtime = dir.path().join("open");
        DirBuilder::new().mode(0o755).create(&runtime).unwrap();
        let places = Places { runtime: Some(runtime.clone()), runner: None, temp: dir.path().to_owned() };
        assert!(!Folder::make(&places).unwrap().path().starts_with(&runtime));
    }

    #[test]
    fn a_folder_planted_in_the_temp_folder_is_refused() {
        let (dir, _) = places();
        let places = Places { runtime: None, runner: None, temp: dir.path().to_owned() };
        let target = dir.path().join("target");
        DirBuilder::new().mode(0o700).create(&target).unwrap();
        std::os::unix::fs::symlink(&target, places.base()).unwrap();
        assert!(matches!(Folder::make(&places), Err(LeaseError::Unsafe(_))));
        fs::remove_file(places.base()).unwrap();
        assert!(Folder::make(&places).is_ok());
    }

    #[test]
    fn a_socket_path_at_the_limit_is_taken_and_a_longer_one_is_refused() {
        let (dir, _) = places();
        // valetkey/ and sixteen digits, /agent.sock.
        let rest = "/valetkey/0123456789abcdef/agent.sock".len();
        for (length, fits) in [(socket::MAX_PATH, true), (socket::MAX_PATH + 1, false)] {
            let filler = "x".repeat(length - rest - dir.path().as_os_str().len() - 1);
            let runtime = dir.path().join(filler);
            DirBuilder::new().mode(0o700).create(&runtime).unwrap();
            let folder =
                Folder::make(&Places { runtime: Some(runtime), runner: None, temp: "/nonexistent".into() }).unwrap();
            let path = folder.socket_path(0);
            assert_eq!(path.is_ok(), fits, "{path:?}");
            assert_eq!(path.is_ok_and(|path| crate::agent::socket::bind(&path).is_ok()), fits);
        }
    }

    #[test]
    fn a_file_that_is_there_already_is_not_written_through() {
        let (dir, places) = places();
        let folder = Folder::make(&places).unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "before").unwrap();
        let planted = folder.path().join("planted");
        std::os::unix::fs::symlink(&victim, &planted).unwrap();
        assert!(folder.write(&planted, 0o600, b"after").is_err());
        assert_eq!(fs::read_to_string(victim).unwrap(), "before");
    }
}
