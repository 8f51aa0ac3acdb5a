//! PURE: what one file of a project says about what another one says: which Go modules are
//! private, what a submodule's address is relative to, which Git client cargo uses.

use std::collections::{BTreeMap, HashSet};

use super::go::{self, Lies, Module, Pattern};
use super::submodule::{self, Remote, Submodule};
use super::{Place, Reading};

/// The most modules of Go that are kept.
const MAX_MODULES: usize = 20_000;
/// The most patterns of GOPRIVATE and its like.
const MAX_PATTERNS: usize = 1_000;
/// The most submodules, and the most remotes.
const MAX_SUBMODULES: usize = 5_000;
/// The most variables of the kind `GIT_CONFIG_KEY_0`.
const MAX_GIT_VARIABLES: usize = 1_000;

/// What is left to be said when all files are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Across {
    modules: Vec<Module>,
    patterns: Vec<Pattern>,
    /// The modules that the project itself is.
    own: HashSet<String>,
    submodules: Vec<Submodule>,
    remotes: Vec<Remote>,
    /// Where cargo is told of a repository over SSH first.
    cargo_over_ssh: Option<Place>,
    cargo_uses_git: bool,
    /// By file and number, the name and the value of a variable of Git's.
    git_variables: BTreeMap<(String, String), [Option<String>; 2]>,
    is_cut: bool,
}

impl Across {
    /// A module of Go that is needed.
    pub(super) fn module(&mut self, path: &str, place: Place) {
        if self.modules.len() < MAX_MODULES {
            self.modules.push(Module { path: path.to_owned(), place });
        } else {
            self.is_cut = true;
        }
    }

    #[cfg(test)]
    pub(super) fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The module that a go.mod is of.
    pub(super) fn own_module(&mut self, path: &str) {
        if self.own.len() < MAX_SUBMODULES {
            self.own.insert(path.to_owned());
        }
    }

    /// A submodule.
    pub(super) fn submodule(&mut self, submodule: Submodule) {
        if self.submodules.len() < MAX_SUBMODULES {
            self.submodules.push(submodule);
        } else {
            self.is_cut = true;
        }
    }

    /// A remote of the project's own repository.
    pub(super) fn remote(&mut self, name: &str, url: &str) {
        if self.remotes.len() < MAX_SUBMODULES {
            self.remotes.push(Remote { name: name.to_owned(), url: url.to_owned() });
        }
    }

    /// A repository that cargo fetches.
    pub(super) fn cargo(&mut self, url: &str, place: &Place) {
        let url = url.strip_prefix("git+").unwrap_or(url);
        if url.starts_with("ssh://") && self.cargo_over_ssh.is_none() {
            self.cargo_over_ssh = Some(place.clone());
        }
    }

    /// cargo is told to run Git, and so the step's ssh.
    pub(super) fn cargo_uses_git(&mut self) {
        self.cargo_uses_git = true;
    }

    /// A variable of a build's, a step's or a job's environment. Only the few that say something
    /// here are kept: others hold secrets.
    pub(super) fn variable(&mut self, place: &Place, name: &str, value: &str) {
        if go::VARIABLES.contains(&name) {
            let patterns = go::patterns(value).take(MAX_PATTERNS - self.patterns.len().min(MAX_PATTERNS));
            let patterns = patterns.map(|text| Pattern { text: text.to_owned(), place: place.clone() });
            self.patterns.extend(patterns);
        } else if name == "CARGO_NET_GIT_FETCH_WITH_CLI" {
            self.cargo_uses_git |= value == "true";
        } else if let Some((at, number)) = [("GIT_CONFIG_KEY_", 0), ("GIT_CONFIG_VALUE_", 1)]
            .iter()
            .find_map(|(prefix, at)| Some((*at, name.strip_prefix(prefix)?)))
            && self.git_variables.len() < MAX_GIT_VARIABLES
        {
            let pair = self.git_variables.entry((place.file.clone(), number.to_owned())).or_default();
            if let Some(slot) = pair.get_mut::<usize>(at) {
                *slot = Some(value.to_owned());
            }
        }
    }
}

/// The base of `url.BASE.insteadOf`.
pub(super) fn rewrite_base(name: &str) -> Option<&str> {
    let rest = name.get(..4).filter(|start| start.eq_ignore_ascii_case("url.")).and_then(|_| name.get(4..))?;
    let (base, key) = rest.rsplit_once('.')?;
    key.eq_ignore_ascii_case("insteadof").then_some(base)
}

/// Turns all of it into repositories, and what nobody but a person can say.
pub(super) fn settle(reading: &mut Reading) {
    let across = std::mem::take(&mut reading.across);
    for pair in across.git_variables.values() {
        if let [Some(name), Some(value)] = pair
            && let Some(base) = rewrite_base(name)
        {
            reading.rewrite(base, value);
        }
    }
    if across.is_cut {
        let place = across.modules.first().map(|module| &module.place);
        let place = place.or_else(|| across.submodules.first().map(|submodule| &submodule.place));
        let place = place.cloned().unwrap_or_else(|| Place::new("go.mod", 1));
        reading.unread(
            place,
            format!("more than {MAX_MODULES} modules or {MAX_SUBMODULES} submodules: the rest was not looked at"),
        );
    }
    modules(&across, reading);
    submodule::settle(across.submodules, &across.remotes, reading);
    if let Some(place) = across.cargo_over_ssh
        && !across.cargo_uses_git
    {
        reading.undecided(
            place,
            "cargo uses an SSH client of its own, which the gateway does not serve: set net.git-fetch-with-cli = true \
             in .cargo/config.toml, or CARGO_NET_GIT_FETCH_WITH_CLI=true in the step",
        );
    }
}

fn modules(across: &Across, reading: &mut Reading) {
    let mut seen = HashSet::new();
    let mut hinted = false;
    for Module { path, place } in &across.modules {
        if !seen.insert(path) || across.own.contains(path) {
            continue;
        }
        let lies = go::repository(path);
        let is_named = across.patterns.iter().any(|pattern| go::matches(&pattern.text, path));
        let is_rewritten = matches!(&lies, Lies::In(url) if reading.rewrites_more_than_a_host(url));
        if !is_named && !is_rewritten {
            let owner = go::owner(path);
            if across.own.iter().any(|own| owner.is_some() && go::owner(own) == owner) {
                let why = format!("module {path}: it lies beside this one; name it in GOPRIVATE if it is private");
                reading.undecided(place.clone(), why);
            } else if across.patterns.is_empty() && !std::mem::replace(&mut hinted, true) {
                reading.undecided(
                    place.clone(),
                    "no GOPRIVATE is set in what was read (Dockerfiles, compose and CI files, .env), so only modules beside this one are asked about",
                );
            }
            continue;
        }
        match lies {
            Lies::In(url) => reading.git(place.clone(), &format!("module {path}"), &url),
            Lies::Unknown => {
                let why =
                    format!("module {path}: only its host knows which repository it lies in: grant that one by hand");
                reading.undecided(place.clone(), why);
            }
            Lies::Nowhere => {}
        }
    }
}

#[cfg(test)]
#[path = "across/tests.rs"]
mod tests;
