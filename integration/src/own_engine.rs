//! An engine of one test's own, that may be killed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Engine, Run, script};

/// Its name; it has containerd's image store, and no image.
const NAME: &str = "docker-28-containerd";

/// A running engine without images.
pub struct OwnEngine {
    folder: TempDir,
    /// How it is used.
    pub engine: Engine,
}

impl Default for OwnEngine {
    fn default() -> Self {
        Self::up()
    }
}

impl OwnEngine {
    /// A new one.
    #[must_use]
    pub fn up() -> Self {
        let folder = tempfile::Builder::new().prefix("vk-engine.").tempdir().expect("a temp folder");
        Run::new(script("engine")).args(["up", NAME]).arg(folder.path().join("engine")).succeed();
        let engine = Engine::at(NAME, &folder.path().join("engine"));
        Self { folder, engine }
    }

    /// All that it keeps.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.folder.path()
    }

    /// Kills its daemon, with no chance to clean up.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.pidfile()).expect("its number");
        Run::new("kill").args(["-KILL", pid.trim()]).succeed();
    }

    fn pidfile(&self) -> PathBuf {
        self.folder.path().join("engine/dockerd.pid")
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        let _ = Run::new(script("engine")).arg("down").arg(self.folder.path().join("engine")).finish();
    }
}
