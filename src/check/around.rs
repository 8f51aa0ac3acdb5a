//! What lies around a file that is checked: the other files of its folder, the repositories that those
//! name, and the pins of hosts.

use crate::hosts::Hosts;

/// A repository that the project's lock files and manifests name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The file that names it, relative to the project.
    pub file: String,
    /// Where, from 1.
    pub line: usize,
    /// `HOST/ORG/REPO`.
    pub repository: String,
    /// Whether it is fetched over SSH; else over HTTPS.
    pub is_over_ssh: bool,
}

/// Files of a folder, by path relative to it.
pub trait Files {
    /// The paths of all files, without those of version control; as many as there is a limit for.
    fn paths(&self) -> &[String];
    /// The text of a file, if it is there and not too large.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
    /// The repositories that lock files and manifests among them name.
    fn dependencies(&self) -> &[Dependency];
}

/// See the module.
pub struct Around<'a> {
    /// The folder of the file: for a Dockerfile, what a build with that folder as its context sends.
    pub files: &'a dyn Files,
    /// Pinned and revoked host keys.
    pub hosts: &'a Hosts,
}

/// Files that are at hand: those of an example, or none.
#[derive(Clone, Debug, Default)]
pub struct Given {
    paths: Vec<String>,
    texts: Vec<Vec<u8>>,
    dependencies: Vec<Dependency>,
}

impl Given {
    /// These paths and texts.
    #[must_use]
    pub fn new(files: &[(&str, &str)]) -> Self {
        let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let texts = files.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
        Self { paths, texts, dependencies: Vec::new() }
    }

    /// The same, with these repositories named by them.
    #[must_use]
    pub fn naming(self, dependencies: Vec<Dependency>) -> Self {
        Self { dependencies, ..self }
    }
}

impl Files for Given {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let index = self.paths.iter().position(|known| known == path)?;
        self.texts.get(index).cloned()
    }

    fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }
}
