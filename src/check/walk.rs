//! Finding the files to check: those that were named, and those below folders that were, by their names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::disk;
use super::file::{FileError, Kind, MAX_SIZE, kind_of_name, kind_of_text};
use super::finding::Unread;
use crate::document;

/// Folders that hold other people's files, or none that are checked.
const LEFT_OUT: [&str; 6] = ["node_modules", "target", "venv", "vendor", "__pycache__", "bower_components"];
/// Hidden folders that are looked into.
const HIDDEN: [&str; 7] = [".github", ".gitlab", ".gitea", ".forgejo", ".devcontainer", ".docker", ".ci"];

/// A file to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is, as a person would name it.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: Vec<u8>,
    /// The folder that a build of it sends: that of a Compose file's `context`, else its own.
    pub folder: PathBuf,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Walked {
    /// In the order of names; none twice.
    pub candidates: Vec<Candidate>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// The files at these paths and below these folders.
#[must_use]
pub fn walk(paths: &[PathBuf]) -> Walked {
    let mut walked = Walked::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        if !path.is_dir() {
            if seen.insert(path.clone()) {
                walked.add(path.clone(), true);
            }
            continue;
        }
        let leaves_out = |name: &str| LEFT_OUT.contains(&name) || name.starts_with('.') && !HIDDEN.contains(&name);
        // The folder's own name may say what a workflow is.
        let below = |name: &str| if path == Path::new(".") { PathBuf::from(name) } else { path.join(name) };
        let wants = |name: &str| kind_of_name(&below(name).to_string_lossy()).is_some();
        let mut found = Vec::new();
        if !disk::list(path, "", 0, &leaves_out, &wants, &mut found) {
            walked.unread(
                path,
                format!(
                    "not all of it was looked through: more than {} files, folders that lie too deep, or one that is closed to this user",
                    disk::MAX_PATHS
                ),
            );
        }
        for name in found {
            let path = below(&name);
            if seen.insert(path.clone()) {
                walked.add(path, false);
            }
        }
    }
    walked.find_folders();
    walked
}

impl Walked {
    fn unread(&mut self, path: &Path, reason: String) {
        self.unread.push(Unread { path: path.display().to_string(), reason });
    }

    fn add(&mut self, path: PathBuf, was_named: bool) {
        let text = match disk::read(&path, MAX_SIZE) {
            Ok(Some(text)) => text,
            Ok(None) => return self.unread(&path, FileError::Large.to_string()),
            Err(error) => return self.unread(&path, error.to_string()),
        };
        let name = path.to_string_lossy();
        let kind = kind_of_name(&name).or_else(|| kind_of_text(&name, &text).filter(|_| was_named));
        let Some(kind) = kind else { return self.unread(&path, FileError::Unknown.to_string()) };
        let folder = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")).to_owned();
        self.candidates.push(Candidate { path, kind, text, folder });
    }

    /// Takes the contexts of Compose's services for their Dockerfiles.
    fn find_folders(&mut self) {
        let mut folders = Vec::new();
        for compose in self.candidates.iter().filter(|candidate| candidate.kind == Kind::Compose) {
            let Ok(roots) = document::yaml(&String::from_utf8_lossy(&compose.text)) else { continue };
            let services =
                roots.iter().flat_map(|root| root.get("services").map(document::Node::entries).unwrap_or_default());
            for build in services.filter_map(|(_, service)| service.get("build")) {
                let context = build.text().or_else(|| build.text_of("context")).unwrap_or(".");
                let dockerfile = build.text_of("dockerfile").unwrap_or("Dockerfile");
                let context = plain(&compose.folder.join(context));
                folders.push((plain(&context.join(dockerfile)), context));
            }
        }
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.kind == Kind::Dockerfile) {
            let path = plain(&candidate.path);
            if let Some((_, folder)) = folders.iter().find(|(dockerfile, _)| *dockerfile == path) {
                candidate.folder = if folder.as_os_str().is_empty() { ".".into() } else { folder.clone() };
            }
        }
    }
}

/// A path without `.` and, as far as it names folders, without `..`.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn names(walked: &Walked, dir: &Path) -> Vec<(String, Kind)> {
        let name = |path: &Path| path.strip_prefix(dir).unwrap().display().to_string();
        walked.candidates.iter().map(|candidate| (name(&candidate.path), candidate.kind)).collect()
    }

    #[test]
    fn files_are_found_by_their_names_and_other_peoples_are_left_out() {
        let dir = folder(&[
            ("Dockerfile", ""),
            ("Dockerfile.dockerignore", ""),
            ("api/app.Dockerfile", ""),
            ("api/Containerfile.dev", ""),
            ("compose.prod.yaml", ""),
            ("docker-compose.override.yml", ""),
            ("docker-bake.hcl", ""),
            (".github/workflows/ci.yml", ""),
            (".gitlab-ci.yml", ""),
            (".hidden/Dockerfile", ""),
            ("node_modules/x/Dockerfile", ""),
            ("readme.md", ""),
            ("other.yml", "services: {}"),
        ]);
        let walked = walk(&[dir.path().to_owned()]);
        use Kind::{Bake, Compose, Dockerfile, Gitlab, Workflow};
        let expected = [
            (".github/workflows/ci.yml", Workflow),
            (".gitlab-ci.yml", Gitlab),
            ("Dockerfile", Dockerfile),
            ("api/Containerfile.dev", Dockerfile),
            ("api/app.Dockerfile", Dockerfile),
            ("compose.prod.yaml", Compose),
            ("docker-bake.hcl", Bake),
            ("docker-compose.override.yml", Compose),
        ];
        assert_eq!(names(&walked, dir.path()), expected.map(|(name, kind)| (name.to_owned(), kind)));
        assert_eq!(walked.unread, []);
    }

    #[test]
    fn a_file_that_was_named_is_what_it_says_it_is_and_one_that_is_nothing_is_said() {
        let dir = folder(&[
            ("a", "FROM scratch\n"),
            ("b.yml", "services: {}"),
            ("c.yml", "jobs: {}"),
            ("d.yml", "j: {script: x}"),
            ("e.hcl", ""),
            ("f.json", "{\"target\": {}}"),
            ("g.txt", "hello"),
        ]);
        let paths: Vec<_> = ["a", "b.yml", "c.yml", "d.yml", "e.hcl", "f.json", "g.txt", "none", "a"]
            .map(|name| dir.path().join(name))
            .into();
        let walked = walk(&paths);
        use Kind::{Bake, Compose, Dockerfile, Gitlab, Workflow};
        let kinds: Vec<_> = walked.candidates.iter().map(|candidate| candidate.kind).collect();
        assert_eq!(kinds, [Dockerfile, Compose, Workflow, Gitlab, Bake, Bake]);
        assert_eq!(walked.unread.len(), 2);
    }

    #[test]
    fn a_dockerfile_is_built_with_the_context_that_compose_gives_it() {
        let dir = folder(&[
            (
                "compose.yaml",
                "services: {a: {build: {context: ., dockerfile: docker/a/Dockerfile}}, b: {build: ./b/../c}}",
            ),
            ("docker/a/Dockerfile", "FROM a"),
            ("c/Dockerfile", "FROM a"),
            ("d/Dockerfile", "FROM a"),
        ]);
        let walked = walk(&[dir.path().to_owned()]);
        let folders: Vec<_> = walked
            .candidates
            .iter()
            .map(|candidate| candidate.folder.strip_prefix(dir.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(folders, ["c", "", "d", ""]);
    }
}
