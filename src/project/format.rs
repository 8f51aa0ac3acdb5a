//! The list of formats that are read: for each, which files have it, and its reader.

use super::{Place, Reading};
use super::{
    bake, cargo, ci, ci_secret, compose, composer, dockerfile, environment, gemfile, gemfile_lock, go_mod,
    package_json, package_lock, pipfile, pnpm_lock, poetry_lock, pylock, pyproject, requirements, setup_cfg, submodule,
    terraform, uv_lock, yarn_lock,
};
use crate::document::{DocumentError, Node};

/// One format.
pub(super) struct Format {
    /// What a person calls it.
    pub(super) name: &'static str,
    /// Whether a file of this path (relative to the project's folder, with `/`) has it.
    pub(super) wants: fn(&str) -> bool,
    /// Reads the text of the file of this path. Pure, and never fails: what is not understood
    /// is [`Reading::unread`] or [`Reading::undecided`].
    pub(super) read: fn(&str, &str, &mut Reading),
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every format, one line each, by name.
pub(super) static FORMATS: &[&Format] = &[
    &bake::FORMAT,
    &cargo::CONFIG,
    &cargo::LOCK,
    &cargo::MANIFEST,
    &ci::FORMAT,
    &ci_secret::FORMAT,
    &compose::FORMAT,
    &composer::LOCK,
    &composer::MANIFEST,
    &dockerfile::FORMAT,
    &environment::FORMAT,
    &gemfile::FORMAT,
    &gemfile_lock::FORMAT,
    &go_mod::MODULES,
    &go_mod::SUMS,
    &package_json::FORMAT,
    &package_lock::FORMAT,
    &pipfile::FORMAT,
    &pipfile::LOCK,
    &pnpm_lock::FORMAT,
    &poetry_lock::FORMAT,
    &pylock::FORMAT,
    &pyproject::FORMAT,
    &requirements::FORMAT,
    &setup_cfg::FORMAT,
    &submodule::CONFIG,
    &submodule::MODULES,
    &terraform::FORMAT,
    &uv_lock::FORMAT,
    &yarn_lock::FORMAT,
];

/// The formats that a file has.
pub(super) fn of(path: &str) -> impl Iterator<Item = &'static Format> {
    FORMATS.iter().copied().filter(move |format| (format.wants)(path))
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What a parser made of a file; where it made nothing, that is told.
pub(super) fn understood<T>(file: &str, parsed: Result<T, DocumentError>, reading: &mut Reading) -> Option<T> {
    parsed
        .inspect_err(|error| {
            let line = match error {
                DocumentError::Deep { line } | DocumentError::Syntax { line, .. } => *line,
                DocumentError::Large | DocumentError::Many => 1,
            };
            reading.unread(Place::new(file, line), format!("the file cannot be understood: {error}"));
        })
        .ok()
}

/// What a dependency is called in a need.
pub(super) fn dependency(name: Option<&str>) -> String {
    name.map_or_else(|| "a dependency".to_owned(), |name| format!("dependency {name}"))
}

/// The tables in a list, or the one table where there is no list.
pub(super) fn each(node: &Node) -> &[Node] {
    if node.items().is_empty() { std::slice::from_ref(node) } else { node.items() }
}

/// A path that a file of the project names, from the project's folder: `None` where it leads out.
pub(super) fn beside(file: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\\') || path.chars().any(char::is_control) {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_from_the_file_that_names_it_and_never_above_the_project() {
        assert_eq!(beside("requirements.txt", "base.txt").unwrap(), "base.txt");
        assert_eq!(beside("a/b/requirements.txt", "../x/./base.txt").unwrap(), "a/x/base.txt");
        for path in ["../x", "/etc/passwd", "a/../../x", "a\\b", "a\0"] {
            assert_eq!(beside("requirements.txt", path), None, "{path}");
        }
    }
}
