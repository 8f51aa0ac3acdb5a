//! Where the folders of leases lie, and which of them a process still holds.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::folder::MAX_SWEPT;
use crate::agent::socket;

/// Bytes of the longest name of a socket of a lease with the folder's own name: `/`, 16 digits and
/// `/control.sock`.
const LONGEST_NAME: usize = 30;

/// Where leases may lie, as the environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// XDG_RUNTIME_DIR, where it is set.
    pub runtime: Option<PathBuf>,
    /// RUNNER_TEMP, where it is set: GitHub's runner empties it before and after each job.
    pub runner: Option<PathBuf>,
    /// The temp folder.
    pub temp: PathBuf,
}

impl Places {
    /// Those of this process.
    #[must_use]
    pub fn from_env() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { runtime: folder("XDG_RUNTIME_DIR"), runner: folder("RUNNER_TEMP"), temp: std::env::temp_dir() }
    }

    /// The folder that holds this user's leases.
    pub(super) fn base(&self) -> PathBuf {
        self.bases().swap_remove(0)
    }

    /// Every folder where this user's leases may lie; new ones lie in the first.
    fn bases(&self) -> Vec<PathBuf> {
        let runtime = self.runtime.iter().filter(|runtime| is_own(runtime).unwrap_or(false));
        let own = format!("valetkey-{}", rustix::process::geteuid().as_raw());
        let runner = self.runner.iter().map(|runner| runner.join(&own));
        // The paths of its sockets have to fit.
        let runner = runner.filter(|runner| {
            runner.is_absolute()
                && runner.parent().is_some_and(Path::is_dir)
                && runner.as_os_str().len() + LONGEST_NAME <= socket::MAX_PATH
        });
        runtime.map(|runtime| runtime.join("valetkey")).chain(runner).chain([self.temp.join(&own)]).collect()
    }

    /// The folders of this user's leases that a process still holds.
    #[must_use]
    pub fn held(&self) -> Vec<PathBuf> {
        self.inside(is_held)
    }

    /// The folders of this user's leases that no process holds any more: what a kill left behind.
    #[must_use]
    pub fn left(&self) -> Vec<PathBuf> {
        // As `folder` names them: there is more in these places, such as what ended leases did.
        let is_name = |name: &str| name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let is_lease = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_name);
        self.inside(|path| is_lease(path) && is_own(path).unwrap_or(false) && !is_held(path))
    }

    /// What lies in the folders where leases lie, sorted.
    fn inside(&self, is_meant: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let bases = self.bases().into_iter().filter(|base| is_own(base).unwrap_or(false));
        let inside =
            bases.filter_map(|base| fs::read_dir(base).ok()).flat_map(|entries| entries.flatten().take(MAX_SWEPT));
        let mut found: Vec<PathBuf> = inside.map(|entry| entry.path()).filter(|path| is_meant(path)).collect();
        found.sort();
        found
    }
}

/// Whether a path is the folder of a lease of this user, whose process lives.
#[must_use]
pub fn is_held(path: &Path) -> bool {
    let lock = || OpenOptions::new().read(true).open(path.join("lock")).ok();
    // Shared, so that two who look do not take each other for its process.
    is_own(path).unwrap_or(false)
        && lock().is_some_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared).is_err())
}

/// Whether a path is a folder (not a link to one) of this user that nobody else can open.
pub(super) fn is_own(path: &Path) -> io::Result<bool> {
    let meta = fs::symlink_metadata(path)?;
    Ok(path.is_absolute()
        && meta.is_dir()
        && meta.uid() == rustix::process::geteuid().as_raw()
        && meta.mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_runners_folder_is_used_where_the_system_gave_none_and_sockets_fit_into_it() {
        let dir = tempfile::tempdir().unwrap();
        let temp = dir.path().join("temp");
        let own = format!("valetkey-{}", rustix::process::geteuid().as_raw());
        let filler = socket::MAX_PATH - LONGEST_NAME - own.len() - dir.path().as_os_str().len() - 2;
        for (length, used) in [(1, true), (filler, true), (filler + 1, false)] {
            let runner = dir.path().join("r".repeat(length));
            fs::create_dir(&runner).unwrap();
            let places = Places { runtime: None, runner: Some(runner.clone()), temp: temp.clone() };
            assert_eq!(places.base().starts_with(&runner), used, "{length}");
        }
        let places = Places { runtime: None, runner: Some("relative".into()), temp: temp.clone() };
        assert!(places.base().starts_with(&temp));
        let runtime = dir.path().join("runtime");
        fs::create_dir(&runtime).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
        let places = Places { runtime: Some(runtime.clone()), runner: Some(dir.path().to_owned()), temp };
        assert!(places.base().starts_with(&runtime));
    }
}
