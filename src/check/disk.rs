//! The file system, as the checker asks it: bounded, and never through a link into another folder.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::around::{Dependency, Files};
use crate::project::{self, Over};

/// Files of one folder that are known by name.
pub const MAX_PATHS: usize = 50_000;
/// Entries of one folder that are looked at.
const MAX_ENTRIES: usize = 1_000_000;
/// How deep folders are looked into.
pub const MAX_DEPTH: usize = 32;
/// Bytes of a file beside the one that is checked.
const MAX_BESIDE: usize = 1 << 20;

/// Folders that hold no files of the project's own, in whatever depth.
const LEFT_OUT: [&str; 3] = [".git", ".hg", ".svn"];

/// The files below a folder. They are listed, and read for dependencies, when they are asked for, once.
pub struct Folder {
    root: PathBuf,
    paths: OnceCell<Vec<String>>,
    dependencies: OnceCell<Vec<Dependency>>,
}

impl Folder {
    /// A folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), paths: OnceCell::new(), dependencies: OnceCell::new() }
    }
}

impl Files for Folder {
    fn paths(&self) -> &[String] {
        self.paths.get_or_init(|| {
            let mut found = Vec::new();
            list(&self.root, "", 0, &|name| LEFT_OUT.contains(&name), &|_| true, &mut found);
            found
        })
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        read(&self.root.join(path), MAX_BESIDE).ok().flatten()
    }

    /// As `valetkey init` reads them. A folder that it cannot read names none: a rule that needs them
    /// says nothing then.
    fn dependencies(&self) -> &[Dependency] {
        self.dependencies.get_or_init(|| {
            let reading = project::read(&self.root).unwrap_or_default();
            let dependency = |need: &project::Need| Dependency {
                file: need.place.file.clone(),
                line: need.place.line,
                repository: format!("{}/{}", need.address.host, need.address.repository),
                // What tools try without a login first may be public.
                is_over_ssh: need.address.over == Over::Ssh && !need.tries_https,
            };
            reading.needs.iter().map(dependency).collect()
        })
    }
}

/// The wanted files below a folder in the order of their names, up to [`MAX_PATHS`]. Gives whether that
/// was all.
pub(super) fn list(
    root: &Path,
    below: &str,
    depth: usize,
    leaves_out: &dyn Fn(&str) -> bool,
    wants: &dyn Fn(&str) -> bool,
    found: &mut Vec<String>,
) -> bool {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return false };
    // One more than may be kept, so that it is seen to be too many.
    let mut entries: Vec<_> = entries.flatten().take(MAX_ENTRIES).collect();
    let mut is_all = entries.len() < MAX_ENTRIES;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
        let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if kind.is_dir() {
            if !leaves_out(name) {
                is_all &= depth < MAX_DEPTH && list(root, &path, depth + 1, leaves_out, wants, found);
            }
        } else if wants(&path) {
            if found.len() >= MAX_PATHS {
                return false;
            }
            found.push(path);
        }
    }
    is_all
}

/// A regular file of at most so many bytes; `None` where it is longer.
///
/// # Errors
/// When it cannot be read, or is no regular file.
pub fn read(path: &Path, max: usize) -> io::Result<Option<Vec<u8>>> {
    // Not opened before that is known: a pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(max as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= max).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_by_name_without_version_control_and_links_to_folders_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b/c", "a", ".git/config", "b/.git/x"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        std::os::unix::fs::symlink("/", dir.path().join("root")).unwrap();
        let folder = Folder::new(dir.path());
        assert_eq!(folder.paths(), ["a", "b/c", "root"]);
        assert_eq!((folder.read("b/c"), folder.read("b"), folder.read("none")), (Some(b"text".to_vec()), None, None));
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_one_byte_more_or_a_pipe_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), Some(b"1234".to_vec()));
        assert_eq!(read(&path, 3).unwrap(), None);
        assert!(read(Path::new("/dev/zero"), 4).is_err());
    }

    #[test]
    fn of_a_folder_as_many_names_as_the_limit_are_known_and_one_more_is_said() {
        let dir = tempfile::tempdir().unwrap();
        for name in 0..MAX_PATHS + 1 {
            fs::write(dir.path().join(format!("{name}")), "").unwrap();
        }
        let listed = |dir: &Path| {
            let mut found = Vec::new();
            (list(dir, "", 0, &|_| false, &|_| true, &mut found), found.len())
        };
        assert_eq!(listed(dir.path()), (false, MAX_PATHS));
        fs::remove_file(dir.path().join("0")).unwrap();
        assert_eq!(listed(dir.path()), (true, MAX_PATHS));
    }

    #[test]
    fn folders_at_the_deepest_level_are_listed_and_one_level_more_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let deepest = dir.path().join(vec!["d"; MAX_DEPTH].join("/"));
        fs::create_dir_all(deepest.join("d")).unwrap();
        fs::write(deepest.join("f"), "").unwrap();
        fs::write(deepest.join("d/g"), "").unwrap();
        let mut found = Vec::new();
        assert!(!list(dir.path(), "", 0, &|_| false, &|_| true, &mut found));
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with("d/f"));
    }
}
