//! PURE: Git's own files: `.gitmodules` (gitmodules(5)) and the repository's `.git/config`.
//!
//! Owns which address a submodule has: a relative one is relative to the remote of the repository
//! that names it, as `git submodule` resolves it (`remote.c`, `relative_url`).

use std::collections::{BTreeMap, HashMap};

use super::format::{Format, beside, name};
use super::git_config::{Variable, variables};
use super::{Place, Reading};

/// `.gitmodules`.
pub(super) static MODULES: Format =
    Format { name: "Git submodules", wants: |path| name(path) == ".gitmodules", read: read_modules };
/// The repository's own configuration. No other one is the project's.
pub(super) static CONFIG: Format =
    Format { name: "Git configuration", wants: |path| path == ".git/config", read: read_config };

/// A submodule as `.gitmodules` has it.
#[derive(Clone, Debug)]
pub(super) struct Submodule {
    /// The folder of the repository that names it; empty for the project's own.
    folder: String,
    /// Its own folder, from the project's.
    path: Option<String>,
    name: String,
    /// As it is written: may hold a token, and be relative.
    url: Written,
    pub(super) place: Place,
}

/// A remote of the project's repository.
#[derive(Clone)]
pub(super) struct Remote {
    pub(super) name: String,
    /// May hold a token.
    pub(super) url: String,
}

#[derive(Clone)]
struct Written(String);

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Written")
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remote")
    }
}

fn understood(file: &str, text: &str, reading: &mut Reading) -> Vec<Variable> {
    variables(text).unwrap_or_else(|error| {
        reading.unread(Place::new(file, error.line), "Git itself would not read this file from here on");
        Vec::new()
    })
}

fn read_modules(file: &str, text: &str, reading: &mut Reading) {
    #[derive(Default)]
    struct Found {
        path: Option<String>,
        url: Option<(String, usize)>,
        is_none: bool,
    }
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for variable in understood(file, text, reading) {
        let Variable { value: Some(value), line, .. } = &variable else { continue };
        let of = |key| variable.subsection("submodule", key).map(str::to_owned);
        if let Some(name) = of("path") {
            found.entry(name).or_default().path = Some(value.clone());
        } else if let Some(name) = of("url") {
            found.entry(name).or_default().url = Some((value.clone(), *line));
        } else if let Some(name) = of("update") {
            // Not fetched unless a person asks for this one.
            found.entry(name).or_default().is_none = value == "none";
        }
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    for (name, Found { path, url, is_none }) in found {
        let Some((url, line)) = url.filter(|_| !is_none) else { continue };
        let path = path.and_then(|path| beside(file, &path));
        let place = Place::new(file, line);
        reading.across.submodule(Submodule { folder: folder.clone(), path, name, url: Written(url), place });
    }
}

fn read_config(file: &str, text: &str, reading: &mut Reading) {
    for variable in understood(file, text, reading) {
        let Some(value) = &variable.value else { continue };
        if let Some(base) = variable.subsection("url", "insteadof") {
            reading.rewrite(base, value);
        } else if let Some(name) = variable.subsection("remote", "url") {
            reading.across.remote(name, value);
        } else if matches!(variable.section(), "include" | "includeif") {
            reading.undecided(Place::new(file, variable.line), "it includes another file, which is not read");
        }
    }
}

/// Submodules of submodules too, where they are checked out.
pub(super) fn settle(mut submodules: Vec<Submodule>, remotes: &[Remote], reading: &mut Reading) {
    let origin = remotes.iter().find(|remote| remote.name == "origin").or(match remotes {
        [only] => Some(only),
        _ => None,
    });
    let mut urls: HashMap<String, String> = HashMap::new();
    urls.extend(origin.map(|origin| (String::new(), origin.url.clone())));
    // A repository before those inside it.
    submodules.sort_by_key(|submodule| submodule.folder.len());
    for Submodule { folder, path, name, url: Written(url), place } in submodules {
        let what = format!("submodule {name}");
        let url = if url.starts_with("./") || url.starts_with("../") {
            let Some(url) = urls.get(&folder).and_then(|base| relative(base, &url)) else {
                let why = "its address is relative to its repository's remote, and there is none";
                reading.undecided(place, format!("{}: {why}", crate::wire::text::shown(what.as_bytes())));
                continue;
            };
            url
        } else {
            url
        };
        reading.git(place, &what, &url);
        urls.extend(path.map(|path| (path, url)));
    }
}

/// `relative_url` of Git's `remote.c`: each `../` takes a folder away, or what is behind the colon.
fn relative(base: &str, url: &str) -> Option<String> {
    let mut base = base.strip_suffix('/').unwrap_or(base);
    let mut url = url;
    let mut separator = "/";
    loop {
        if let Some(rest) = url.strip_prefix("../") {
            url = rest;
            if let Some((before, _)) = base.rsplit_once('/') {
                // Into the host's name, or the protocol.
                base = Some(before).filter(|before| !before.ends_with('/'))?;
            } else {
                (base, _) = base.rsplit_once(':')?;
                separator = ":";
            }
        } else if let Some(rest) = url.strip_prefix("./") {
            url = rest;
        } else {
            break;
        }
    }
    Some(format!("{base}{separator}{}", url.strip_suffix('/').unwrap_or(url)))
}

#[cfg(test)]
#[path = "submodule/tests.rs"]
mod tests;
