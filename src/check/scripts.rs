//! PURE: the scripts of a file, each with what is secret in it: a step of a Dockerfile knows what is
//! mounted into it and declared above it, a step of a job its variables.

use std::ops::Range;

use super::ci::Step;
use super::dockerfile::{Instruction, Stage};
use super::file::File;
use super::script::{Command, Word, base};
use super::secret_text::{expression, is_secret_name, variables};
use super::variables::{self, Variables};

/// A script, and where it runs.
pub struct Script<'a, 'v> {
    /// Its commands.
    pub commands: &'a [Command],
    /// Where it runs.
    pub place: Place<'a>,
    /// What is declared above it, in a Dockerfile.
    variables: Option<&'v Variables<'v>>,
}

/// Where a script runs.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// In a step of a build.
    Build(&'a Stage, &'a Instruction),
    /// In a step of a job.
    Job(&'a Step),
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A variable of that name.
    Variable(Vec<u8>),
    /// A workflow's expression that names this secret.
    Expression(Vec<u8>),
    /// A file that is mounted as a secret.
    Mounted(Vec<u8>),
}

impl Origin {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Variable(name) | Self::Expression(name) | Self::Mounted(name) => name,
        }
    }
}

/// What forges call the token of a job.
const JOB_TOKENS: [&[u8]; 4] = [b"CI_JOB_TOKEN", b"secrets.GITHUB_TOKEN", b"github.token", b"GITHUB_TOKEN"];

/// Commands behind one that are looked at for what undoes it.
const MAX_BEHIND: usize = 1_000;

/// Where a secret mount is, if nothing else is said (BuildKit's Dockerfile reference).
const SECRETS: &[u8] = b"/run/secrets/";

/// Every script of the file.
pub fn each<'a>(file: &'a File<'_>, mut look: impl FnMut(&Script<'a, '_>)) {
    variables::each(&file.dockerfile, |_, stage, instruction, variables| {
        if !instruction.commands.is_empty() {
            let place = Place::Build(stage, instruction);
            look(&Script { commands: &instruction.commands, place, variables: Some(variables) });
        }
    });
    for step in file.steps.iter().filter(|step| !step.commands.is_empty()) {
        look(&Script { commands: &step.commands, place: Place::Job(step), variables: None });
    }
}

impl Script<'_, '_> {
    /// The secret that a word puts in.
    #[must_use]
    pub fn secret_in(&self, word: &Word) -> Option<Origin> {
        if let Some(name) = expression(&word.text) {
            return Some(Origin::Expression(name));
        }
        if word.text.windows(2).any(|two| two == b"$(" || two == b"<(") || word.text.contains(&b'`') {
            let end = |byte: &u8| byte.is_ascii_whitespace() || b")`\"';|<".contains(byte);
            if let Some(path) = word.text.split(end).find(|part| self.is_mounted(part)) {
                return Some(Origin::Mounted(path.to_vec()));
            }
        }
        // What stands in single quotes is not put in: the reading of the word knows.
        let put_in = variables(&word.text);
        let name = word.variables.iter().find(|name| put_in.contains(name) && self.is_secret(name))?;
        // What a job gives a variable is known by its own name.
        Some(self.given(name).map_or_else(|| Origin::Variable(name.clone()), Origin::Expression))
    }

    /// The secret that a text puts in, as a heredoc or a setting does.
    #[must_use]
    pub fn secret_in_text(&self, text: &[u8]) -> Option<Origin> {
        let names = variables(text);
        self.secret_in(&Word { text: text.to_vec(), variables: names, ..Word::default() })
    }

    /// Whether a variable holds a secret: its name says so, a secret is mounted as it, or a job gives it
    /// one.
    #[must_use]
    pub fn is_secret(&self, name: &[u8]) -> bool {
        match self.place {
            Place::Build(_, instruction) => is_mounted_variable(instruction, name) || is_secret_name(name),
            Place::Job(_) => {
                let is_expression = self.value(name).is_some_and(|value| memchr::memmem::find(value, b"${{").is_some());
                if is_expression { self.given(name).is_some() } else { is_secret_name(name) }
            }
        }
    }

    /// The value that a job gives a variable.
    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        let Place::Job(step) = self.place else { return None };
        step.variables().find(|setting| setting.name == name)?.value.as_deref()
    }

    /// The secret that a job gives a variable.
    fn given(&self, name: &[u8]) -> Option<Vec<u8>> {
        expression(self.value(name)?)
    }

    /// Whether a secret is lent to the step alone, so that nothing of it stays unless it is written:
    /// it is mounted, or the step read it from what is.
    #[must_use]
    pub fn is_lent(&self, origin: &Origin) -> bool {
        let Place::Build(_, instruction) = self.place else { return false };
        match origin {
            Origin::Mounted(_) => true,
            Origin::Expression(_) => false,
            Origin::Variable(name) => {
                let is_declared = self.variables.is_some_and(|variables| variables.get(name).is_some());
                let has_mount = instruction.mounts_of("secret").next().is_some();
                has_mount
                    && (!is_declared || is_mounted_variable(instruction, name) || self.is_assigned_from_mount(name))
            }
        }
    }

    fn is_assigned_from_mount(&self, name: &[u8]) -> bool {
        let words = self.commands.iter().flat_map(|command| command.assignments.iter().chain(command.args()));
        let of_name = words.filter(|word| word.assignment().is_some_and(|(known, _)| known == name));
        of_name.into_iter().any(|word| matches!(self.secret_in(word), Some(Origin::Mounted(_))))
    }

    /// Whether a file is one that is mounted as a secret.
    #[must_use]
    pub fn is_mounted(&self, path: &[u8]) -> bool {
        if path.starts_with(SECRETS) && path.len() > SECRETS.len() {
            return true;
        }
        let Place::Build(_, instruction) = self.place else { return false };
        let mut mounts = instruction.mounts_of("secret");
        mounts.any(|mount| mount.value(&["target", "dst", "destination"]).is_some_and(|at| at.as_bytes() == path))
    }

    /// Whether a file of the step is in no layer: the step deletes it behind the command of that index, or
    /// it lies in what is mounted.
    #[must_use]
    pub fn is_gone(&self, index: usize, path: &[u8]) -> bool {
        let Place::Build(_, instruction) = self.place else { return false };
        let path = at_home(path);
        let is_mounted = instruction.mounts.iter().any(|mount| {
            let at = mount.value(&["target", "dst", "destination"]).unwrap_or_default();
            !at.is_empty() && mount.kind() != "bind" && covers(at.as_bytes(), &path)
        });
        is_mounted || self.behind(index).any(|command| deletes(command, &path))
    }

    /// The commands behind the one of that index.
    pub fn behind(&self, index: usize) -> impl Iterator<Item = &Command> {
        self.commands.iter().skip(index + 1).take(MAX_BEHIND)
    }

    /// Whether it is a token that the forge itself gives a job, and takes back when that ends.
    #[must_use]
    pub fn is_of_the_job(&self, secret: &[u8]) -> bool {
        let says = |name: &[u8]| memchr::memmem::find(secret, name).is_some();
        !self.is_build() && JOB_TOKENS.iter().any(|name| says(name))
    }

    /// Whether it is a step of a build.
    #[must_use]
    pub fn is_build(&self) -> bool {
        matches!(self.place, Place::Build(..))
    }

    /// Where what a step writes stays, in words that fit behind "stays in".
    #[must_use]
    pub fn stays(&self) -> &'static str {
        match self.place {
            Place::Build(stage, _) => layer(stage),
            Place::Job(_) => "the job's folder, for every later step to read",
        }
    }
}

/// Where the layers of a stage are, in words that fit behind "stays in".
#[must_use]
pub fn layer(stage: &Stage) -> &'static str {
    if stage.is_kept { "a layer of the image" } else { "the builder's cache, and in every cache that is exported" }
}

fn is_mounted_variable(instruction: &Instruction, name: &[u8]) -> bool {
    instruction.mounts_of("secret").any(|mount| mount.value(&["env"]).is_some_and(|env| env.as_bytes() == name))
}

/// Whether a command deletes the file.
#[must_use]
pub fn deletes(command: &Command, path: &[u8]) -> bool {
    let path = at_home(path);
    matches!(command.program(), b"rm" | b"shred" | b"unlink" | b"srm")
        && command.args().iter().filter(|word| !word.text.starts_with(b"-")).any(|word| {
            let gone = at_home(&word.text);
            let gone = gone.strip_suffix(b"*").unwrap_or(&gone);
            covers(gone, &path)
        })
}

/// Whether the first path is the second one or a folder above it; by their last names, where one of them
/// is relative.
fn covers(folder: &[u8], path: &[u8]) -> bool {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    if folder.is_empty() {
        return false;
    }
    if path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
        return true;
    }
    let are_relative = !folder.starts_with(b"/") || !path.starts_with(b"/");
    are_relative && path.rsplit(|byte| *byte == b'/').any(|name| name == base(folder) && !name.is_empty())
}

/// The path with root's home in the place of `~` and `$HOME`.
fn at_home(path: &[u8]) -> Vec<u8> {
    let starts = [&b"~/"[..], b"$HOME/", b"${HOME}/"];
    match starts.iter().find_map(|start| path.strip_prefix(*start)) {
        Some(rest) => [b"/root/", rest].concat(),
        None => path.to_vec(),
    }
}

/// From a command's first byte to another one's last.
#[must_use]
pub fn through(first: &Command, last: &Command) -> Range<usize> {
    first.span.start..last.span.end.max(first.span.end)
}

#[cfg(test)]
mod tests;
