//! A build context of one test's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::engine::BASE_IMAGE;

/// What every step with an ssh mount begins with.
pub const SSH_STEP: &str =
    "RUN --mount=type=ssh --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444";

/// A folder with files, and a name that no other test's image has.
pub struct Project {
    folder: TempDir,
    /// A name for an image or a Compose project.
    pub name: String,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::Builder::new().prefix("valetkey-project.").tempdir().expect("a temp folder");
        let name = format!("valetkey-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { folder, name }
    }

    /// One with a Dockerfile: the base image, and these lines.
    #[must_use]
    pub fn with_steps(steps: &str) -> Self {
        let project = Self::new();
        project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n"))
    }

    /// One whose only step clones `url` with the lent key and the lent known_hosts. The name
    /// of the project stands in the step, so that it never comes from a cache.
    #[must_use]
    pub fn cloning(url: &str) -> Self {
        let project = Self::new();
        let steps = format!("{SSH_STEP} : {} && git clone {url} /cloned", project.name);
        project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n"))
    }

    /// Its image after a build with [`Project::with_compose`].
    #[must_use]
    pub fn service_image(&self) -> String {
        format!("{}-app", self.name)
    }

    /// Writes a file; its folders are made.
    #[must_use]
    pub fn write(self, path: &str, content: &str) -> Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
        self
    }

    /// A compose.yaml with one service `app` that builds the folder.
    #[must_use]
    pub fn with_compose(self) -> Self {
        let text = format!(
            "name: {}\nservices:\n  app:\n    network_mode: host\n    build: {{context: ., network: host}}\n",
            self.name
        );
        self.write("compose.yaml", &text)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file of it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every file of it with what it holds, to compare.
    #[must_use]
    pub fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path.clone());
                    files.insert(path, String::new());
                } else {
                    let bytes = fs::read(&path).expect("a file");
                    files.insert(path, String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
        files
    }
}
