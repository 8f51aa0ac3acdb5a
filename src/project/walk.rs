//! Walking over a project: which of its files are read, and how much of them.
//!
//! Owns every bound. Refuses to follow links that lead out of the project, to open what is no
//! plain file, and to look into folders that hold other people's sources.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::format::{self, Format};
use super::{Place, Reading};
use crate::exit::Code;
use crate::ui::Explain;

mod folder;
mod repository;

pub use folder::Folder;

/// How many folders deep files are looked for.
pub const MAX_DEPTH: usize = 12;
/// The most entries of folders that are looked at.
pub const MAX_ENTRIES: usize = 200_000;
/// The most files that are read.
pub const MAX_FILES: usize = 5_000;
/// The longest file that is read, in bytes.
pub const MAX_FILE: usize = crate::document::MAX_SIZE;
/// The most bytes that are read altogether.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;
/// How many files may lead from one to the next (`-r`, `include`).
pub const MAX_CHAIN: usize = 16;

/// The repository's own configuration, wherever that is.
const GIT_CONFIG: &str = ".git/config";

/// Folders with other people's sources, or with what a tool made.
const SKIPPED: &[&str] = &[
    ".cache",
    ".git",
    ".gradle",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pnpm-store",
    ".pytest_cache",
    ".svn",
    ".terraform",
    ".tox",
    ".venv",
    ".yarn",
    "__pycache__",
    "bower_components",
    "node_modules",
    "site-packages",
    "target",
    "vendor",
    "venv",
];

/// The files of a project, by paths relative to its folder, with `/` between the parts.
pub trait Files {
    /// The names in a folder (`""` is the project's own), each with whether it is a folder.
    /// Links to folders, and what is neither file nor folder, are left out.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self, folder: &str) -> std::io::Result<Vec<(String, bool)>>;

    /// The bytes of a plain file inside the project, at most one more than `max`; `None` where
    /// there is none.
    ///
    /// # Errors
    /// When it cannot be read, or leads out of the project.
    fn read(&self, file: &str, max: usize) -> std::io::Result<Option<Vec<u8>>>;
}

/// Why a project could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Its folder cannot be listed.
    #[error("failed to read the folder {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Explain for ProjectError {
    fn hint(&self) -> Option<String> {
        Some("name the folder of a project".to_owned())
    }

    fn code(&self) -> Code {
        Code::Usage
    }
}

/// Reads what a project says that its build reads from Git.
///
/// # Errors
/// When its folder cannot be listed. What else cannot be read is in [`Reading::unread`].
pub fn read(root: &Path) -> Result<Reading, ProjectError> {
    let folder = match repository::config(root) {
        Some(config) => Folder::new(root).with(GIT_CONFIG, config),
        None => Folder::new(root),
    };
    read_from(&folder).map_err(|source| ProjectError::Folder { path: root.to_owned(), source })
}

/// The same, from any [`Files`].
///
/// # Errors
/// When the project's folder cannot be listed.
pub fn read_from(files: &dyn Files) -> std::io::Result<Reading> {
    let mut walk = Walk { files, reading: Reading::default(), read: HashSet::new(), bytes: 0, is_full: false };
    for file in walk.found()? {
        format::of(&file).for_each(|format| walk.read(&file, format, None));
    }
    Ok(walk.reading.resolved())
}

struct Walk<'a> {
    files: &'a dyn Files,
    reading: Reading,
    /// What was read, each as which format: a file that names itself is read once.
    read: HashSet<(String, &'static str)>,
    bytes: usize,
    is_full: bool,
}

impl Walk<'_> {
    /// The paths that some format wants, sorted.
    fn found(&mut self) -> std::io::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut folders = vec![(String::new(), 0)];
        let mut entries = 0;
        // The repository's own configuration stands in a folder that is not walked over.
        found.insert(GIT_CONFIG.to_owned());
        while let Some((folder, depth)) = folders.pop() {
            let names = match self.files.list(&folder) {
                Ok(names) => names,
                Err(error) if folder.is_empty() => return Err(error),
                Err(error) => {
                    self.reading
                        .unread(Place::new(&folder, 1), format!("this folder cannot be read: {}", error.kind()));
                    continue;
                }
            };
            for (name, is_folder) in names {
                entries += 1;
                if entries > MAX_ENTRIES {
                    let why = format!("more than {MAX_ENTRIES} files and folders: the rest was not looked at");
                    self.reading.unread(Place::new(&folder, 1), why);
                    return Ok(found);
                }
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if !is_folder {
                    if format::of(&path).next().is_some() {
                        found.insert(path);
                    }
                } else if SKIPPED.contains(&name.as_str()) {
                } else if depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                } else {
                    self.reading.unread(Place::new(&path, 1), "this folder lies too deep, and was not looked at");
                }
            }
        }
        Ok(found)
    }

    /// Reads a file and what it names, and what that names.
    fn read(&mut self, file: &str, format: &'static Format, from: Option<Place>) {
        let mut waiting = vec![(file.to_owned(), format, from, 0)];
        while let Some((file, format, from, chain)) = waiting.pop() {
            let at = from.clone().unwrap_or_else(|| Place::new(&file, 1));
            if !self.read.insert((file.clone(), format.name)) {
                continue;
            }
            if chain > MAX_CHAIN {
                self.reading.unread(at, "too many files lead from one to the next: this one was not read");
                continue;
            }
            let Some(text) = self.text(&file, &at, from.is_some()) else { continue };
            (format.read)(&file, &text, &mut self.reading);
            if !self.reading.files.contains(&file) {
                self.reading.files.push(file);
            }
            let followed = std::mem::take(&mut self.reading.follow);
            waiting.extend(followed.into_iter().map(|one| (one.file, one.format, Some(one.place), chain + 1)));
        }
    }

    fn text(&mut self, file: &str, at: &Place, is_named: bool) -> Option<String> {
        if self.reading.files.len() >= MAX_FILES || self.bytes >= MAX_BYTES {
            if !std::mem::replace(&mut self.is_full, true) {
                self.reading.unread(at.clone(), "the project has too many or too large files: the rest was not read");
            }
            return None;
        }
        match self.files.read(file, MAX_FILE) {
            Ok(Some(bytes)) if bytes.len() > MAX_FILE => {
                let why = format!("the file is larger than {MAX_FILE} bytes, and was not read");
                self.reading.unread(Place::new(file, 1), why);
                None
            }
            Ok(Some(bytes)) => {
                self.bytes += bytes.len();
                match String::from_utf8(bytes) {
                    // Some editors write a mark before the text, which no parser wants.
                    Ok(text) => Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
                    Err(_) => {
                        self.reading.unread(Place::new(file, 1), "the file is not UTF-8, and was not read");
                        None
                    }
                }
            }
            Ok(None) => {
                if is_named {
                    self.reading.unread(at.clone(), "it names a file that is not there");
                }
                None
            }
            Err(error) => {
                self.reading.unread(
                    at.clone(),
                    format!("{}: it cannot be read: {}", crate::wire::text::shown(file.as_bytes()), error.kind()),
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
