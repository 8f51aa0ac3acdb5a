//! What the command would build: the plan that `run` would make, and the steps that it is for.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::Report;
use crate::builder::checkout::{Checkout, CheckoutError};
use crate::builder::git_source::GitSource;
use crate::builder::probe::{Output, Question, System};
use crate::builder::{self, BuilderError, Lending, Probe, Typed};
use crate::doctor::{Check, Section, steps};
use crate::ui::Failure;

const PROJECT: Section = Section::Project;

/// Makes the plan, and reports what it says.
pub(super) fn look(typed: &Typed, lending: &Lending, probe: &mut System, report: &mut Report) {
    let mut probe = Once { probe, stdin: None, is_new: false };
    let plan = match builder::plan(typed, lending, &mut probe) {
        Ok(plan) => Some(plan),
        Err(error) => {
            report.add(refused(error, report.has_failed("named-contexts")));
            None
        }
    };
    if let Some(plan) = &plan {
        if !plan.compose_files.is_empty() {
            let names: Vec<String> = plan.compose_files.iter().map(|path| path.display().to_string()).collect();
            let said = format!("Compose reads {}, and accepts them", names.join(", "));
            report.add([Check::ok(PROJECT, "compose-files", said)]);
        }
        report.add(plan.warnings.iter().map(|text| Check::warning(PROJECT, "build", text)));
        if plan.tool == "other" {
            return;
        }
    }
    match steps_of(typed, lending, &mut probe) {
        Ok(found) if found.is_empty() => {
            if plan.is_some_and(|plan| plan.warnings.is_empty()) {
                let said = "no step with --mount=type=ssh was found, so that no key is lent to any";
                report.add([Check::warning(PROJECT, "ssh-step", said)
                    .with_hint("RUN --mount=type=ssh,required=true git clone …")]);
            }
        }
        Ok(found) => report.add(steps::judge(&found)),
        // Said already.
        Err(_) if plan.is_none() => {}
        Err(error) => {
            let why = Failure::from(error).message;
            report.add([Check::not_checked(PROJECT, "ssh-step", "the steps with an ssh mount", &why)]);
        }
    }
}

/// Why there is no plan.
fn refused(error: BuilderError, no_contexts: bool) -> Option<Check> {
    let (section, name) = match &error {
        BuilderError::NoContexts(_) if no_contexts => return None,
        BuilderError::NoContexts(_) => (Section::Tool, "named-contexts"),
        BuilderError::LegacyBuilder { .. } => (Section::Tool, "buildkit"),
        BuilderError::ComposeTooOld(_) => (Section::Tool, "compose"),
        BuilderError::Checkout { place, why: CheckoutError::DryRun, .. } => {
            let why = "it is in a repository, and nothing is cloned here";
            return Some(Check::not_checked(PROJECT, "build", place, why));
        }
        BuilderError::Refused { asked, .. } if asked.ends_with(" config") => (PROJECT, "compose-files"),
        _ => (PROJECT, "build"),
    };
    Some(Check::failed(section, name, error.into()))
}

/// The steps with an ssh mount, whether they are to get the gateway's guest or not.
fn steps_of(typed: &Typed, lending: &Lending, probe: &mut Once<'_>) -> Result<Vec<builder::MountedStep>, BuilderError> {
    let guest = lending.guest.clone().unwrap_or_else(|| lending.folder.join("guest"));
    let lending = Lending { guest: Some(guest), ..lending.clone() };
    probe.is_new = true;
    builder::plan(typed, &lending, probe).map(|plan| plan.steps)
}

/// Two plans are made, and stdin can be read once.
struct Once<'a> {
    probe: &'a mut System,
    stdin: Option<String>,
    /// Takes the tool for one that can mount the guest: it is its Dockerfiles that are asked for.
    is_new: bool,
}

impl Probe for Once<'_> {
    fn output(&mut self, question: &Question<'_>) -> io::Result<Output> {
        let is = |word: &str| question.args.last().is_some_and(|last| last == word);
        if self.is_new && is("--help") {
            return Ok(Output { success: true, stdout: b"--build-context name=path".to_vec(), stderr: Vec::new() });
        }
        if self.is_new && is("{{.Server.Version}}") {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.probe.output(question)
    }

    fn exists(&mut self, path: &Path) -> bool {
        self.probe.exists(path)
    }

    fn read(&mut self, path: &Path) -> io::Result<Option<String>> {
        self.probe.read(path)
    }

    fn stdin(&mut self) -> io::Result<String> {
        if let Some(text) = &self.stdin {
            return Ok(text.clone());
        }
        let text = self.probe.stdin()?;
        self.stdin = Some(text.clone());
        Ok(text)
    }

    fn cwd(&self) -> &Path {
        self.probe.cwd()
    }

    fn checkout(&mut self, source: &GitSource, keep_git: bool) -> Result<Checkout, CheckoutError> {
        self.probe.checkout(source, keep_git)
    }

    fn is_within(&mut self, path: &Path, folder: &Path) -> bool {
        self.probe.is_within(path, folder)
    }

    fn var(&self, name: &str) -> Option<OsString> {
        self.probe.var(name)
    }

    fn processors(&self) -> usize {
        self.probe.processors()
    }
}
