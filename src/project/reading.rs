//! PURE: what readers found, and what it comes to when all files are read.

use std::collections::HashSet;

use super::across::{self, Across};
use super::address::{self, Address, AddressError, Over};
use super::format::Format;
use super::rewrite::{Rewrite, rewritten};
use crate::wire::text::shown;

/// The most addresses that are kept. A project with more names the same few again and again, or
/// is hostile.
const MAX_NEEDS: usize = 20_000;
/// The most things that are kept of those that could not be decided.
const MAX_UNDECIDED: usize = 1_000;
/// The most `insteadOf` rules.
const MAX_REWRITES: usize = 1_000;
/// The most names of CI secrets.
const MAX_CI_SECRETS: usize = 100;
/// The most files that files of the project ask to be read as well.
const MAX_FOLLOWED: usize = 1_000;

/// Where something is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the project's folder, with `/`. A name of a file is text from elsewhere:
    /// harmless only after `ui::one_line`.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    #[must_use]
    pub fn new(file: &str, line: usize) -> Self {
        Self { file: file.to_owned(), line }
    }
}

/// `file:line`, on one line and harmless.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", crate::ui::one_line(&self.file), self.line)
    }
}

/// A repository that the build reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    /// Which.
    pub address: Address,
    /// Where it is said.
    pub place: Place,
    /// What it is there: `dependency omnibus`, `submodule lib`. Cut and harmless.
    pub what: String,
    /// Whether the tool tries HTTPS without a login first, so that a public repository needs
    /// no key (npm, with what its forges' short names stand for).
    pub tries_https: bool,
    /// Whether an `insteadOf` of the project made this address of another.
    pub rewritten: bool,
}

/// Something that a person has to decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Undecided {
    /// Where it is said.
    pub place: Place,
    /// What it is, and why. Harmless, and holds no secret.
    pub why: String,
}

/// A file that another one names, to be read as that format.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    pub(super) place: Place,
    /// Relative to the project's folder.
    pub(super) file: String,
    pub(super) format: &'static Format,
}

/// An address as it was written. May hold a token, so it is never shown.
#[derive(Clone)]
struct Written(String);

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Written")
    }
}

#[derive(Clone, Debug)]
struct Pending {
    place: Place,
    what: String,
    written: Written,
    tries_https: bool,
}

/// What the files of a project say.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The repositories, in the order of files and lines; one may be needed in many places.
    pub needs: Vec<Need>,
    /// What could not be decided.
    pub undecided: Vec<Undecided>,
    /// What could not be read, or not be understood: there may be needs in it.
    pub unread: Vec<Undecided>,
    /// Names of CI secrets that hold an SSH key, by how they are used or called.
    pub ci_secrets: Vec<(Place, String)>,
    /// Where an address holds a password or a token.
    pub secrets: Vec<Place>,
    /// The files that were read and understood, in order.
    pub files: Vec<String>,
    pub(super) follow: Vec<Followed>,
    pending: Vec<Pending>,
    rewrites: Vec<Rewrite>,
    /// What is said only when all files are read.
    pub(super) across: Across,
    is_cut: bool,
}

impl Reading {
    /// A repository that the build fetches: its address as it is written, with or without `git+`,
    /// reference and query.
    pub(super) fn git(&mut self, place: Place, what: &str, url: &str) {
        self.keep(place, what, url, false);
    }

    /// The same, where the tool tries HTTPS without a login before SSH.
    pub(super) fn git_or_https(&mut self, place: Place, what: &str, url: &str) {
        self.keep(place, what, url, true);
    }

    /// Something that a person has to decide; `why` is made harmless here.
    pub(super) fn undecided(&mut self, place: Place, why: impl AsRef<str>) {
        if self.undecided.len() < MAX_UNDECIDED {
            self.undecided.push(Undecided { place, why: crate::ui::one_line(why.as_ref()) });
        }
    }

    /// Something that could not be read, or not be understood; `why` is made harmless here.
    pub(super) fn unread(&mut self, place: Place, why: impl AsRef<str>) {
        let unread = Undecided { place, why: crate::ui::one_line(why.as_ref()) };
        // A file of two formats fails twice in the same way.
        if self.unread.len() < MAX_UNDECIDED && !self.unread.contains(&unread) {
            self.unread.push(unread);
        }
    }

    /// The name of a CI secret that holds an SSH key.
    pub(super) fn ci_secret(&mut self, place: Place, name: &str) {
        let is_new = !self.ci_secrets.iter().any(|(_, known)| known == name);
        if is_new && self.ci_secrets.len() < MAX_CI_SECRETS {
            self.ci_secrets.push((place, name.to_owned()));
        }
    }

    /// Git's `url.BASE.insteadOf = INSTEAD_OF`: of the repository's own configuration, and of
    /// `git config` in a step of a Dockerfile.
    pub(super) fn rewrite(&mut self, base: &str, instead_of: &str) {
        if self.rewrites.len() < MAX_REWRITES && base.len() + instead_of.len() <= address::MAX_ADDRESS {
            self.rewrites.push(Rewrite { base: base.to_owned(), instead_of: instead_of.to_owned() });
        }
    }

    /// Another file of the project, named in this place, to be read as this format.
    pub(super) fn follow(&mut self, place: Place, file: String, format: &'static Format) {
        if self.follow.len() < MAX_FOLLOWED {
            self.follow.push(Followed { place, file, format });
        }
    }

    fn keep(&mut self, place: Place, what: &str, url: &str, tries_https: bool) {
        if self.pending.len() >= MAX_NEEDS {
            if !std::mem::replace(&mut self.is_cut, true) {
                self.unread(
                    place,
                    format!("more than {MAX_NEEDS} addresses of repositories: the rest was not looked at"),
                );
            }
            return;
        }
        let what = shown(what.as_bytes());
        // One past the limit is enough to be refused for its length.
        let written = url.chars().take(address::MAX_ADDRESS + 1).collect();
        self.pending.push(Pending { place, what, written: Written(written), tries_https });
    }

    /// Everything as it is when all files are read.
    #[must_use]
    pub(super) fn resolved(mut self) -> Self {
        across::settle(&mut self);
        let mut seen = HashSet::new();
        for pending in std::mem::take(&mut self.pending) {
            let Pending { place, what, written: Written(written), tries_https } = pending;
            if address::holds_secret(&written) && !self.secrets.contains(&place) {
                self.secrets.push(place.clone());
            }
            match self.address(&written) {
                Ok((address, rewritten)) => {
                    let need = Need { address, place, what, tries_https, rewritten };
                    if need.address.over != Over::File && seen.insert(need.clone()) {
                        self.needs.push(need);
                    }
                }
                Err(error) => self.undecided(place, format!("{what}: {error}")),
            }
        }
        self
    }

    /// Whether a rule of `insteadOf` that names more than a host applies to this address.
    pub(super) fn rewrites_more_than_a_host(&self, url: &str) -> bool {
        let path =
            |rule: &Rewrite| rule.instead_of.split_once("://")?.1.split_once('/').map(|(_, path)| !path.is_empty());
        self.rewrites.iter().any(|rule| path(rule) == Some(true) && url.starts_with(&rule.instead_of))
    }

    fn address(&self, written: &str) -> Result<(Address, bool), AddressError> {
        let plain = address::plain(written)?;
        match rewritten(plain, &self.rewrites) {
            Some(other) => Address::parse(&other).map(|address| (address, true)),
            None => Address::parse(plain).map(|address| (address, false)),
        }
    }
}

/// What a reader finds in a text: `LINE WHAT: ADDRESS`, and `LINE? WHY` for what it cannot decide.
#[cfg(test)]
pub(super) fn found(read: fn(&str, &str, &mut Reading), file: &str, text: &str) -> Vec<String> {
    let mut reading = Reading::default();
    read(file, text, &mut reading);
    let reading = reading.resolved();
    let needs = reading.needs.iter().map(|need| format!("{} {}: {}", need.place.line, need.what, need.address));
    let undecided = reading
        .undecided
        .iter()
        .chain(&reading.unread)
        .map(|undecided| format!("{}? {}", undecided.place.line, undecided.why));
    needs.chain(undecided.filter(|line| !line.contains("cargo uses an SSH client"))).collect()
}

#[cfg(test)]
mod tests;
