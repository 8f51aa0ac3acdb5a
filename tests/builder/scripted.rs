//! A probe with scripted answers, and the shorthands of the tables: lines of words.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use valetkey::builder::checkout::{Checkout, CheckoutError};
use valetkey::builder::git_source::GitSource;
use valetkey::builder::probe::{Output, Question};
use valetkey::builder::{BuilderError, Lending, Plan, Probe, Typed, plan};

/// Answers by script. A question that no answer begins like is a failure of the tool.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) cwd: PathBuf,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<PathBuf, String>,
    pub(crate) stdin: Option<String>,
    /// What the arguments begin with or, with `…` in front, end with; what is answered.
    pub(crate) answers: Vec<(String, Result<String, String>)>,
    /// Every question: arguments, and what was on stdin.
    pub(crate) asked: Vec<(String, String)>,
    /// Repositories that can be cloned, by address, and the commit of each.
    pub(crate) repositories: BTreeMap<String, String>,
    /// What was cloned: address, reference, and whether with its `.git`.
    pub(crate) cloned: Vec<(String, Option<String>, bool)>,
    /// Paths that lead out of where they seem to be.
    pub(crate) links: Vec<PathBuf>,
    /// The folder with the guest, where the lease's socket is the gateway's.
    pub(crate) guest: Option<PathBuf>,
    /// Of this machine.
    pub(crate) processors: usize,
}

impl Scripted {
    pub(crate) fn new() -> Self {
        Self { cwd: "/home/me/app".into(), processors: 8, ..Self::default() }
    }

    pub(crate) fn answer(mut self, to: &str, with: &str) -> Self {
        self.answers.push((to.into(), Ok(with.into())));
        self
    }

    pub(crate) fn refuse(mut self, to: &str, with: &str) -> Self {
        self.answers.push((to.into(), Err(with.into())));
        self
    }

    pub(crate) fn processors(mut self, count: usize) -> Self {
        self.processors = count;
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    /// A lease by gateway.
    pub(crate) fn gateway() -> Self {
        Self { guest: Some("/run/l/guest".into()), ..Self::new() }
    }

    pub(crate) fn plan(&mut self, line: &str) -> Result<Plan, BuilderError> {
        let git = self.guest.as_ref().map(|_| "/run/l/default.sock".into());
        let lending = Lending { guest: self.guest.clone(), git, ..lending(&["default"]) };
        plan(&typed(line), &lending, self)
    }
}

impl Probe for Scripted {
    fn output(&mut self, question: &Question<'_>) -> io::Result<Output> {
        let args = joined(&question.args);
        self.asked.push((args.clone(), question.stdin.clone()));
        let fits = |to: &str| match to.strip_prefix('…') {
            Some(end) => args.ends_with(end),
            None => args.starts_with(to),
        };
        let answer = self.answers.iter().find(|(to, _)| fits(to)).map(|(_, answer)| answer.clone());
        Ok(match answer {
            Some(Ok(stdout)) => Output { success: true, stdout: stdout.into(), stderr: vec![] },
            Some(Err(stderr)) => Output { success: false, stdout: vec![], stderr: stderr.into() },
            None => Output { success: false, stdout: vec![], stderr: format!("no answer to {args}").into() },
        })
    }

    fn exists(&mut self, path: &Path) -> bool {
        let is_clone = path.file_name() == Some(OsStr::new("repo")) && path.starts_with("/run/l/git");
        is_clone || self.files.contains_key(path)
    }

    fn read(&mut self, path: &Path) -> io::Result<Option<String>> {
        Ok(self.files.get(path).cloned())
    }

    fn stdin(&mut self) -> io::Result<String> {
        Ok(self.stdin.take().expect("stdin is asked for once at most"))
    }

    fn cwd(&self) -> &Path {
        &self.cwd
    }

    fn checkout(&mut self, source: &GitSource, keep_git: bool) -> Result<Checkout, CheckoutError> {
        let asked = (source.url.clone(), source.reference.clone(), keep_git);
        let number = self.cloned.iter().position(|made| *made == asked).unwrap_or(self.cloned.len());
        if number == self.cloned.len() {
            self.cloned.push(asked);
        }
        match self.repositories.get(&source.url) {
            Some(commit) => {
                Ok(Checkout { folder: format!("/run/l/git/{number}").into(), commit: Some(commit.clone()) })
            }
            None => Err(CheckoutError::Refused("not granted".into())),
        }
    }

    fn is_within(&mut self, path: &Path, folder: &Path) -> bool {
        path.starts_with(folder) && !self.links.iter().any(|link| link == path)
    }

    fn var(&self, name: &str) -> Option<OsString> {
        self.vars.get(name).map(OsString::from)
    }

    fn processors(&self) -> usize {
        self.processors
    }
}

pub(crate) fn typed(line: &str) -> Typed {
    let mut words = line.split_whitespace().map(OsString::from);
    Typed { program: words.next().unwrap(), args: words.collect() }
}

/// A lease in `/run/l` with a socket `ID.sock` for each id.
pub(crate) fn lending(ids: &[&str]) -> Lending {
    Lending {
        sockets: ids.iter().map(|id| ((*id).to_owned(), format!("/run/l/{id}.sock").into())).collect(),
        secrets: vec![],
        known_hosts: "/run/l/known_hosts".into(),
        folder: "/run/l".into(),
        guest: None,
        git: None,
    }
}

pub(crate) fn joined(args: &[OsString]) -> String {
    args.join(OsStr::new(" ")).to_string_lossy().into_owned()
}

pub(crate) fn env(plan: &Plan) -> Vec<String> {
    plan.set_env.iter().map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy())).collect()
}
