//! What a rule is: a name, reasons, examples, and one pure function over a file that was read.

use super::file::File;
use super::finding::{Found, Severity};

/// A rule. Everything that the page of rules says is here.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Lower case with dashes, as `ssh-keyscan`.
    pub id: &'static str,
    /// What it finds, in words that begin with an article.
    pub about: &'static str,
    /// Why that is bad, in one or two sentences.
    pub why: &'static str,
    /// What to do, in one line that fits behind a dash.
    pub remedy: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Looks at a file.
    pub check: fn(&File<'_>, &mut Vec<Found>),
    /// Files in which it must and must not find something; the first must.
    pub examples: &'static [Example],
}

/// A file, small and whole, with what a rule must find in it.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its name, which says its kind: `Dockerfile`, `compose.yaml`, `docker-bake.hcl`,
    /// `.github/workflows/ci.yml`, `.gitlab-ci.yml`.
    pub file: &'static str,
    /// Its text. What the rule must find stands between `«` and `»`; a text without them is one in which
    /// it must find nothing. A `§` is left out: it stands in what looks like a secret, so that an audit of an
    /// image with this program finds none in it.
    pub text: &'static str,
    /// What else lies in the folder: paths and texts.
    pub beside: &'static [(&'static str, &'static str)],
    /// Repositories that the project's files name over SSH: a file, and `HOST/ORG/REPO`.
    pub needs: &'static [(&'static str, &'static str)],
    /// The text after `--fix`, where the rule's fix is made.
    pub fixed: Option<&'static str>,
}

impl Example {
    /// A file with nothing beside it.
    #[must_use]
    pub const fn new(file: &'static str, text: &'static str) -> Self {
        Self { file, text, beside: &[], needs: &[], fixed: None }
    }

    /// The same with other files beside it.
    #[must_use]
    pub const fn beside(mut self, files: &'static [(&'static str, &'static str)]) -> Self {
        self.beside = files;
        self
    }

    /// The same in a project whose files name these repositories.
    #[must_use]
    pub const fn needs(mut self, repositories: &'static [(&'static str, &'static str)]) -> Self {
        self.needs = repositories;
        self
    }

    /// The same with what `--fix` makes of it.
    #[must_use]
    pub const fn fixed(mut self, text: &'static str) -> Self {
        self.fixed = Some(text);
        self
    }
}
