//! PURE: what the commands of a shell's script fetch from Git, and what they tell the tools that
//! do. Owns the few commands it knows; others are passed over, and nothing is evaluated but
//! variables whose value is in sight.

use std::collections::BTreeMap;

use super::across::rewrite_base;
use super::npm_spec;
use super::{Place, Reading};
use crate::builder::shell_words::{Token, of_script};

/// How often a script may be the argument of a shell in a script.
const MAX_NESTED: usize = 4;
/// The longest value that a variable is replaced by, in bytes.
const MAX_VALUE: usize = 4096;
/// The most variables that are kept.
const MAX_VARIABLES: usize = 1_000;

/// Options of `git clone`, `fetch` and their like that take the next word.
const VALUED: [&str; 18] = [
    "-b",
    "--branch",
    "--depth",
    "-o",
    "--origin",
    "-u",
    "--upload-pack",
    "--reference",
    "-j",
    "--jobs",
    "--filter",
    "--template",
    "--shallow-since",
    "--shallow-exclude",
    "--separate-git-dir",
    "--server-option",
    "--name",
    "-t",
];
/// Commands that take what npm takes.
const NPM: [&str; 5] = ["npm", "npx", "pnpm", "yarn", "bun"];
/// Shells, with `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "ksh"];

/// What of a script counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// All of it: a step of a build.
    Everything,
    /// What it sets for later steps; it runs outside of the build.
    Variables,
}

/// Variables whose value is in sight.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Sets one; a value that is too long is none.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if value.len() <= MAX_VALUE && (self.0.len() < MAX_VARIABLES || self.0.contains_key(name)) {
            self.0.insert(name.to_owned(), value.to_owned());
        } else {
            self.0.remove(name);
        }
    }

    /// The text with `$NAME` and `${NAME}` replaced, once, and `${NAME:-default}` too. What is not
    /// known stays as it is written.
    pub(super) fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, behind) = rest.split_at(at);
            out.push_str(before);
            let (name, default, length) = variable(behind);
            match self.0.get(name).map(String::as_str).or(default) {
                // A value that grows by each of many references is no address.
                Some(value) if out.len() <= MAX_VALUE => out.push_str(value),
                _ => out.push_str(behind.get(..length).unwrap_or_default()),
            }
            rest = behind.get(length..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }
}

/// Name, default and length of a reference that begins with `$`.
fn variable(text: &str) -> (&str, Option<&str>, usize) {
    let rest = text.get(1..).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some((inside, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        let end = inside.find(|c| !is_name(c)).unwrap_or(inside.len());
        let (name, operator) = inside.split_at(end);
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
        let name = if operator.is_empty() || default.is_some() { name } else { "" };
        return (name, default, inside.len() + 3);
    }
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    (rest.get(..end).unwrap_or_default(), None, end + 1)
}

/// A script, and where its words are.
pub(super) struct Script<'a> {
    /// What counts of it.
    pub(super) counts: Counts,
    /// The variables that are known before it, and set by it.
    pub(super) variables: &'a mut Variables,
    /// The place of a word as it is written.
    pub(super) place: &'a mut dyn FnMut(&str) -> Place,
    /// Where it goes.
    pub(super) reading: &'a mut Reading,
}

impl Script<'_> {
    /// Reads a script.
    pub(super) fn read(&mut self, script: &[u8]) {
        self.nested(script, 0);
    }

    /// Reads one command whose words are known.
    pub(super) fn command(&mut self, words: &[String]) {
        self.one(words, 0);
    }

    fn nested(&mut self, script: &[u8], depth: usize) {
        let mut command = Vec::new();
        for token in of_script(script) {
            match token {
                Token::Word(word) => command.push(String::from_utf8_lossy(&word).into_owned()),
                Token::End => {
                    self.one(&command, depth);
                    command.clear();
                }
            }
        }
        self.one(&command, depth);
    }

    fn one(&mut self, words: &[String], depth: usize) {
        for word in words.iter().take_while(|word| assignment(word).is_some() || *word == "export") {
            self.assign(word);
        }
        // Behind `sudo`, `timeout 60`, `if` and what else may stand in front.
        for (at, word) in words.iter().enumerate() {
            let rest = words.get(at + 1..).unwrap_or_default();
            let name = word.rsplit('/').next().unwrap_or(word);
            match name {
                "git" => self.git(rest),
                "go" => self.go(rest),
                "cargo" if self.counts == Counts::Everything => self.cargo(rest),
                name if NPM.contains(&name) && self.counts == Counts::Everything => self.npm(name, rest),
                name if SHELLS.contains(&name) && depth < MAX_NESTED => {
                    let script = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c'));
                    let Some(script) = script.and_then(|at| rest.get(at + 1)) else { continue };
                    self.nested(script.as_bytes(), depth + 1);
                }
                _ => continue,
            }
            return;
        }
        // pip and its like, whose requirements are not to be mistaken.
        if self.counts != Counts::Everything {
            return;
        }
        for word in words {
            if let Some(at) = ["git+ssh://", "git+https://", "git+http://"].iter().find_map(|start| word.find(start)) {
                let url = word.get(at..).unwrap_or(word);
                let url = url.split([';', ' ', ',', '"', '\'']).next().unwrap_or(url);
                self.fetched("RUN, a package", word, url);
            }
        }
    }

    fn assign(&mut self, word: &str) {
        let Some((name, value)) = assignment(word) else { return };
        let value = self.variables.expand(value);
        let place = (self.place)(word);
        self.reading.across.variable(&place, name, &value);
        self.variables.set(name, &value);
    }

    fn fetched(&mut self, what: &str, word: &str, url: &str) {
        let url = self.variables.expand(url);
        let place = (self.place)(word);
        self.reading.git(place, what, &url);
    }

    fn git(&mut self, words: &[String]) {
        let mut words = words.iter();
        let verb = loop {
            match words.next().map(String::as_str) {
                Some("-c") => self.configured(words.next().map_or("", String::as_str), None),
                Some("-C" | "--git-dir" | "--work-tree" | "--exec-path") => drop(words.next()),
                Some(option) if option.starts_with('-') => {}
                Some(verb) => break verb,
                None => return,
            }
        };
        let mut plain = Vec::new();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-c" | "--config" => self.configured(words.next().map_or("", String::as_str), None),
                "-f" | "--file" if verb == "config" => drop(words.next()),
                option if VALUED.contains(&option) => drop(words.next()),
                option if option.starts_with('-') => {
                    if let Some(url) = option.strip_prefix("--remote=") {
                        plain.push(url);
                    }
                }
                word => plain.push(word),
            }
        }
        let (what, at) = match (verb, plain.as_slice()) {
            ("config", ["set", name, value, ..] | [name, value, ..]) => return self.configured(name, Some(value)),
            ("clone", _) => ("RUN git clone", 0),
            ("fetch", _) => ("RUN git fetch", 0),
            ("pull", _) => ("RUN git pull", 0),
            ("ls-remote", _) => ("RUN git ls-remote", 0),
            ("archive", _) => ("RUN git archive", 0),
            ("submodule", ["add", ..]) => ("RUN git submodule add", 1),
            ("remote", ["add", ..]) => ("RUN git remote add", 2),
            ("remote", ["set-url", ..]) => ("RUN git remote set-url", 2),
            _ => return,
        };
        if self.counts == Counts::Everything
            && let Some(url) = plain.get(at)
            && (is_remote(url) || (verb == "clone" && url.contains('$')))
        {
            self.fetched(what, url, url);
        }
    }

    /// `url.BASE.insteadOf`, its value in the next word or behind a `=`.
    fn configured(&mut self, name: &str, value: Option<&str>) {
        let Some((name, value)) = value.map(|value| (name, value)).or_else(|| name.rsplit_once('=')) else { return };
        if self.counts == Counts::Everything
            && let Some(base) = rewrite_base(name)
        {
            let (base, value) = (self.variables.expand(base), self.variables.expand(value));
            self.reading.rewrite(&base, &value);
        }
    }

    fn go(&mut self, words: &[String]) {
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["env", "-w", settings @ ..] => settings.iter().for_each(|setting| self.assign(setting)),
            ["get" | "install" | "run", rest @ ..] if self.counts == Counts::Everything => {
                for word in rest.iter().filter(|word| !word.starts_with(['-', '.', '/'])) {
                    let path = word.split('@').next().unwrap_or(word);
                    let path = path.strip_suffix("/...").unwrap_or(path);
                    let place = (self.place)(word);
                    let path = self.variables.expand(path);
                    if path.contains('.') && path.contains('/') && !path.contains('$') {
                        self.reading.across.module(&path, place);
                    }
                }
            }
            _ => {}
        }
    }

    fn cargo(&mut self, words: &[String]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let url = if word == "--git" { words.next() } else { Some(word) };
            let Some(url) = url.filter(|_| word.starts_with("--git")) else { continue };
            let written = url.strip_prefix("--git=").unwrap_or(url);
            if is_remote(written) || written.contains('$') {
                let place = (self.place)(url);
                self.reading.across.cargo(&self.variables.expand(written), &place);
                self.fetched("RUN cargo", url, written);
            }
        }
    }

    fn npm(&mut self, name: &str, words: &[String]) {
        let takes = ["install", "i", "add", "ci", "exec", "x", "dlx"];
        let Some(at) = words.iter().position(|word| takes.contains(&word.as_str())) else { return };
        for word in words.get(at + 1..).unwrap_or_default().iter().filter(|word| !word.starts_with(['-', '.', '/'])) {
            // `name@address`; a scope begins with an `@`.
            let from = word.find("@git").map_or(0, |at| at + 1);
            let spec = word.get(from..).unwrap_or(word);
            let is_short = spec.contains(':');
            if is_short && !spec.contains('$') {
                let place = (self.place)(word);
                npm_spec::read(place, &format!("RUN {name}"), spec, self.reading);
            }
        }
    }
}

/// `NAME=value`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, value))
}

/// Whether a word names a repository elsewhere, and not a folder or the name of a remote.
fn is_remote(word: &str) -> bool {
    let scp = || {
        word.split_once(':').is_some_and(|(host, path)| host.contains('@') && !host.contains('/') && !path.is_empty())
    };
    word.contains("://") || scp()
}

#[cfg(test)]
#[path = "script/tests.rs"]
mod tests;
