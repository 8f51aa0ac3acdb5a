//! XDG_RUNTIME_DIR of one test's own, to see what a lease leaves there; and processes, by a
//! variable of their environment, to see who is left.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long processes may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of this user alone.
pub struct RuntimeFolder(TempDir);

impl Default for RuntimeFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl RuntimeFolder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("vk-run.").tempdir().expect("a temp folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("a mode");
        Self(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folders of leases in it.
    #[must_use]
    pub fn leases(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("valetkey"));
        let paths = entries.into_iter().flatten().map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.is_dir()).collect()
    }

    /// Waits until no process has this folder as its XDG_RUNTIME_DIR.
    pub fn expect_no_process(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "processes are left: {left:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The processes that have this folder as their XDG_RUNTIME_DIR.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        let variable = format!("XDG_RUNTIME_DIR={}", self.path().display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("/proc") {
            let path = entry.expect("an entry").path();
            let Some(pid) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            // Empty where it is gone meanwhile.
            let environment = fs::read(path.join("environ")).unwrap_or_default();
            if environment.split(|&byte| byte == 0).any(|set| set == variable.as_bytes()) {
                let line = fs::read(path.join("cmdline")).unwrap_or_default();
                let environment =
                    environment.split(|&byte| byte == 0).map(|set| String::from_utf8_lossy(set).into_owned());
                found.push(Process {
                    pid,
                    line: String::from_utf8_lossy(&line).replace('\0', " "),
                    environment: environment.collect(),
                });
            }
        }
        found
    }
}

/// A process that runs.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its command line.
    pub line: String,
    /// Its environment, `NAME=value` each.
    pub environment: Vec<String>,
}
