//! One file that is checked: its kind, by its name or by what it says, and its parts.

use std::cell::Cell;

use super::around::Around;
use super::ci::{self, Step};
use super::dockerfile::{self, Dockerfile};
use super::mapped::Mapped;
use super::script::{Command, MAX_COMMANDS};
use super::setting::Setting;
use super::{bake, compose};
use crate::document::{self, DocumentError, Node};

/// Bytes of the largest file that is read.
pub const MAX_SIZE: usize = 16 << 20;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Dockerfile or Containerfile.
    Dockerfile,
    /// A Compose file.
    Compose,
    /// A bake file.
    Bake,
    /// A GitHub workflow, or a composite action.
    Workflow,
    /// A GitLab CI file.
    Gitlab,
}

/// A file with its parts.
pub struct File<'a> {
    /// As it was named.
    pub path: &'a str,
    /// Its bytes.
    pub text: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// The instructions, where it is a Dockerfile.
    pub dockerfile: Dockerfile,
    /// Settings of a Dockerfile, of Compose, of bake, of a job.
    pub settings: Vec<Setting>,
    /// Steps of CI jobs.
    pub steps: Vec<Step>,
    /// Attestations that a bake or Compose file asks for.
    pub provenance: Vec<Node>,
    /// Dockerfiles inside of it. They are checked as files of their own.
    pub inline: Vec<Mapped>,
    /// What lies around it.
    pub around: &'a Around<'a>,
    /// Whether a rule stopped at a limit of its own.
    cut: Cell<bool>,
}

/// What readers of the kinds give.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) settings: Vec<Setting>,
    pub(super) steps: Vec<Step>,
    pub(super) provenance: Vec<Node>,
    pub(super) inline: Vec<Mapped>,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// More than [`MAX_SIZE`] bytes.
    #[error("it is larger than {MAX_SIZE} bytes")]
    Large,
    /// No UTF-8, where the format must be.
    #[error("it is no UTF-8")]
    Encoding,
    /// It is damaged.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It is none that is checked.
    #[error("it is no Dockerfile, Compose file, bake file, GitHub workflow or GitLab CI file")]
    Unknown,
}

impl<'a> File<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn read(path: &'a str, text: &'a [u8], kind: Kind, around: &'a Around<'a>) -> Result<Self, FileError> {
        if text.len() > MAX_SIZE {
            return Err(FileError::Large);
        }
        let mut parts = Parts::default();
        let mut dockerfile = Dockerfile::default();
        if kind == Kind::Dockerfile {
            dockerfile = dockerfile::read(text);
            let settings = dockerfile.instructions().flat_map(|(_, instruction)| instruction.settings.iter().cloned());
            parts.settings = settings.collect();
        } else {
            let utf8 = std::str::from_utf8(text).map_err(|_| FileError::Encoding)?;
            for root in &roots(path, utf8, kind)? {
                match kind {
                    Kind::Compose => compose::read(root, utf8, &mut parts),
                    Kind::Bake => bake::read(root, utf8, &mut parts),
                    Kind::Workflow => ci::github(root, utf8, &mut parts),
                    Kind::Gitlab | Kind::Dockerfile => ci::gitlab(root, utf8, &mut parts),
                }
            }
        }
        let Parts { settings, steps, provenance, inline } = parts;
        Ok(Self { path, text, kind, dockerfile, settings, steps, provenance, inline, around, cut: Cell::new(false) })
    }

    /// Every command: of a Dockerfile's steps, of jobs.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        let steps = self.dockerfile.instructions().flat_map(|(_, instruction)| &instruction.commands);
        steps.chain(self.steps.iter().flat_map(|step| &step.commands))
    }

    /// Says that a rule did not look at all of it: it is larger, or repeats itself more often, than any
    /// that a person wrote.
    pub fn cut(&self) {
        self.cut.set(true);
    }

    /// Whether not all of it was looked at.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let steps = self.dockerfile.instructions().map(|(_, instruction)| &instruction.commands);
        let mut scripts = steps.chain(self.steps.iter().map(|step| &step.commands));
        self.cut.get() || self.steps.iter().any(Step::is_cut) || scripts.any(|commands| commands.len() >= MAX_COMMANDS)
    }

    /// Whether it is a CI file.
    #[must_use]
    pub fn is_ci(&self) -> bool {
        matches!(self.kind, Kind::Workflow | Kind::Gitlab)
    }
}

fn roots(path: &str, text: &str, kind: Kind) -> Result<Vec<Node>, DocumentError> {
    let is = |ending: &str| path.ends_with(ending);
    match kind {
        Kind::Bake if is(".hcl") => Ok(vec![document::hcl(text)?]),
        _ if is(".json") => Ok(vec![document::json(text)?]),
        _ => document::yaml(text),
    }
}

/// What a file of this name is.
#[must_use]
pub fn kind_of_name(path: &str) -> Option<Kind> {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_yaml = matches!(ending, "yml" | "yaml");
    let begins = |text: &str, with: &str| {
        text == with || text.strip_prefix(with).is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let folder = lower.strip_suffix(name).unwrap_or_default();
    if is_yaml
        && (folder.ends_with(".github/workflows/")
            || folder.ends_with(".gitea/workflows/")
            || folder.ends_with(".forgejo/workflows/"))
    {
        return Some(Kind::Workflow);
    }
    if is_yaml && stem == "action" {
        return Some(Kind::Workflow);
    }
    if is_yaml && (stem == ".gitlab-ci" || stem.ends_with(".gitlab-ci") || folder.ends_with(".gitlab/ci/")) {
        return Some(Kind::Gitlab);
    }
    if (begins(stem, "docker-bake")) && matches!(ending, "hcl" | "json") {
        return Some(Kind::Bake);
    }
    if is_yaml && (begins(stem, "compose") || begins(stem, "docker-compose")) {
        return Some(Kind::Compose);
    }
    let is_ignore = ending == "dockerignore" || ending == "containerignore";
    let is_docker = |text: &str| begins(text, "dockerfile") || begins(text, "containerfile");
    let is_dockerfile = !is_ignore && (is_docker(name) || matches!(ending, "dockerfile" | "containerfile"));
    is_dockerfile.then_some(Kind::Dockerfile)
}

/// What a file says that it is: for one that was named by a person.
#[must_use]
pub fn kind_of_text(path: &str, text: &[u8]) -> Option<Kind> {
    let lower = path.to_ascii_lowercase();
    if lower.ends_with(".hcl") {
        return Some(Kind::Bake);
    }
    let utf8 = std::str::from_utf8(text).unwrap_or_default();
    let is_document = [".yml", ".yaml", ".json"].iter().any(|ending| lower.ends_with(ending));
    if is_document {
        let root = if lower.ends_with(".json") {
            document::json(utf8).ok()
        } else {
            document::yaml(utf8).ok().and_then(|mut roots| roots.pop())
        };
        let root = root?;
        let has = |name: &str| root.get(name).is_some();
        return match () {
            () if has("services") => Some(Kind::Compose),
            () if has("target") => Some(Kind::Bake),
            () if has("jobs") || has("runs") => Some(Kind::Workflow),
            () if root.entries().iter().any(|(_, job)| job.get("script").is_some()) => Some(Kind::Gitlab),
            () => None,
        };
    }
    let file = dockerfile::read(text);
    (!file.stages.is_empty()).then_some(Kind::Dockerfile)
}
