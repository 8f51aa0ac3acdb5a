//! A Python package index on loopback (`integration/package-index`), down when dropped.

use std::fs;

use tempfile::TempDir;

use crate::{Run, script};

/// The packages that came with the base image.
pub struct PackageIndex {
    state: TempDir,
    /// Its simple index.
    pub url: String,
}

impl PackageIndex {
    /// One of a test's own.
    #[must_use]
    pub fn up() -> Self {
        let state = tempfile::Builder::new().prefix("valetkey-index.").tempdir().expect("a temp folder");
        Run::new(script("package-index")).arg("up").arg(state.path()).succeed();
        let url = fs::read_to_string(state.path().join("url")).expect("the url").trim().to_owned();
        Self { state, url }
    }
}

impl Drop for PackageIndex {
    fn drop(&mut self) {
        let down = Run::new(script("package-index")).arg("down").arg(self.state.path()).finish();
        if !std::thread::panicking() {
            down.expect_code(0);
        }
    }
}
