//! PURE: a Dockerfile as the rules see it: stages of instructions, with flags, mounts, pairs, scripts
//! and the user of each step; every one with its bytes.
//!
//! Read as BuildKit reads it, through [`crate::builder::instruction`]. A file that the builder would
//! refuse is read as far as its lines are instructions: the builder's own message is better than ours.

use std::ops::Range;

use super::mapped::Mapped;
use super::script::Command;
use super::setting::Setting;

mod mount;
mod pairs;
mod read;
mod words;

pub use mount::{Field, Mount};
pub use read::read;

/// A Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// What stands before the first `FROM`: `ARG` alone, where the builder takes it.
    pub globals: Vec<Instruction>,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
}

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Its name in lower case, where it has one.
    pub name: Option<String>,
    /// The image, as it is written.
    pub image: String,
    /// The index of the stage that it is built from, where that is one.
    pub parent: Option<usize>,
    /// Whether its layers are in what a build without `--target` gives: the last stage, and those that
    /// it is built from.
    pub is_kept: bool,
    /// From its `FROM` on.
    pub instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instruction {
    /// In capitals: `RUN`. That behind `ONBUILD`, where [`Self::is_onbuild`].
    pub keyword: String,
    /// Whether it stands behind `ONBUILD`.
    pub is_onbuild: bool,
    /// Its bytes, from its keyword to the end of its last line, heredocs included, that line's end not.
    pub span: Range<usize>,
    /// The bytes of the keyword.
    pub keyword_span: Range<usize>,
    /// Its flags: `--from=x`.
    pub flags: Vec<Argument>,
    /// What is behind the flags, split at blanks, or the words of the JSON form.
    pub words: Vec<Argument>,
    /// What is behind the flags, as it is.
    pub rest: Mapped,
    /// The texts of its heredocs.
    pub heredocs: Vec<Mapped>,
    /// Names and values of `ENV`, `ARG` and `LABEL`.
    pub settings: Vec<Setting>,
    /// What a `RUN` mounts.
    pub mounts: Vec<Mount>,
    /// The commands of a `RUN`.
    pub commands: Vec<Command>,
    /// The user that a `RUN` runs as, as the `USER` above it says; `None` where none does, so that it is
    /// the image's.
    pub user: Option<String>,
}

/// A flag, or a word behind the flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// What it says, quotes taken off.
    pub text: Vec<u8>,
    /// Its bytes, quotes included.
    pub span: Range<usize>,
}

impl Dockerfile {
    /// Every instruction, with its stage's index; those before the first `FROM` have none.
    pub fn instructions(&self) -> impl Iterator<Item = (Option<usize>, &Instruction)> {
        let globals = self.globals.iter().map(|instruction| (None, instruction));
        let of = |(index, stage)| {
            let stage: &Stage = stage;
            stage.instructions.iter().map(move |instruction| (Some(index), instruction))
        };
        globals.chain(self.stages.iter().enumerate().flat_map(of))
    }

    /// Every `RUN`, with its stage. None of those behind `ONBUILD`.
    pub fn steps(&self) -> impl Iterator<Item = (&Stage, &Instruction)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.instructions.iter().map(move |instruction| (stage, instruction)))
            .filter(|(_, instruction)| instruction.keyword == "RUN" && !instruction.is_onbuild)
    }

    /// The index of the stage of that name or number, looked for above the stage of index `before`.
    #[must_use]
    pub fn stage(&self, name: &str, before: usize) -> Option<usize> {
        let above = self.stages.get(..before).unwrap_or_default();
        let named = above.iter().rposition(|stage| stage.name.as_deref() == Some(&name.to_ascii_lowercase()));
        named.or_else(|| name.parse().ok().filter(|index| *index < above.len()))
    }
}

impl Instruction {
    /// The value of a flag, `--from=` taken off.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&[u8]> {
        self.flags.iter().rev().find_map(|flag| {
            let rest = flag.text.strip_prefix(b"--")?.strip_prefix(name.as_bytes())?;
            rest.strip_prefix(b"=")
        })
    }

    /// Its mounts of that type.
    pub fn mounts_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Mount> {
        self.mounts.iter().filter(move |mount| mount.kind() == kind)
    }

    /// Whether it runs as somebody whose sockets and secrets are not root's: a `USER` above it names
    /// another one. A variable may be anybody.
    #[must_use]
    pub fn is_by_other_user(&self) -> bool {
        let user = self.user.as_deref().map(|user| user.split(':').next().unwrap_or(user));
        user.is_some_and(|user| !matches!(user, "" | "root" | "0") && !user.contains('$'))
    }
}

#[cfg(test)]
mod tests;
