//! What a check says: findings with their places and fixes, and what it could not read.

use std::ops::Range;

use serde::Serialize;

pub use crate::audit::finding::{Outcome, RuleInfo, Severity};

/// What a rule says; file, line and column are added by who asked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes in the file.
    pub at: Range<usize>,
    /// One sentence, lower case, without a full stop and without a secret. Texts of the file are made
    /// harmless with [`crate::wire::text::shown`].
    pub message: String,
    /// What to do here, where the rule's own remedy does not fit.
    pub remedy: Option<String>,
    /// What would make it go away.
    pub fix: Option<Fix>,
}

/// A change of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "add required=true".
    pub title: String,
    /// What is replaced by what. Everything else stays byte for byte.
    pub edits: Vec<Edit>,
    /// Whether the build does the same afterwards, for whoever builds with valetkey; such a fix is made
    /// by `--fix`, any other is only offered.
    pub is_safe: bool,
}

/// A part of the file with another text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
    /// What stands there afterwards.
    pub text: Vec<u8>,
}

impl Found {
    /// A finding without a fix.
    #[must_use]
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), remedy: None, fix: None }
    }

    /// The same with what to do here.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same with a fix that `--fix` makes.
    #[must_use]
    pub fn fixed_by(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits, is_safe: true });
        self
    }

    /// The same with a fix that changes what the build does, and so is offered alone.
    #[must_use]
    pub fn offers(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits, is_safe: false });
        self
    }
}

impl Edit {
    /// Puts a text there.
    #[must_use]
    pub fn insert(at: usize, text: impl Into<Vec<u8>>) -> Self {
        Self { start: at, end: at, text: text.into() }
    }

    /// Puts a text in the place of another.
    #[must_use]
    pub fn replace(span: &Range<usize>, text: impl Into<Vec<u8>>) -> Self {
        Self { start: span.start, end: span.end, text: text.into() }
    }
}

/// A finding with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as it was named.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The line of the last byte.
    pub end_line: usize,
    /// The column behind the last byte.
    pub end_column: usize,
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// See [`Found`].
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The fix that there is.
    pub fix: Option<Offer>,
}

/// A fix, as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// What it does, as an order.
    pub title: String,
    /// Whether `--fix` makes it.
    pub automatic: bool,
    /// Its edits.
    pub edits: Vec<PlacedEdit>,
}

/// An edit with lines and columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacedEdit {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line behind the last byte.
    pub end_line: usize,
    /// The column behind the last byte.
    pub end_column: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// A finding that a comment says to ignore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// What was found.
    pub finding: Finding,
    /// The words of whoever said so.
    pub reason: String,
}

/// A file that was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file, as it was named.
    pub path: String,
    /// Why, in words that fit behind the path.
    pub reason: String,
}

/// Everything that a check says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The files that were read, in order.
    pub files: Vec<String>,
    /// What was found, by file and place.
    pub findings: Vec<Finding>,
    /// What comments say to ignore.
    pub ignored: Vec<Ignored>,
    /// What was not read.
    pub unread: Vec<Unread>,
    /// The rules that were looked for.
    pub rules: Vec<RuleInfo>,
}

impl Report {
    /// The highest severity of a finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// What it comes to: findings come before files that were not read, and notes do not count.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.worst() > Some(Severity::Note), self.unread.is_empty() && !self.files.is_empty()) {
            (true, _) => Outcome::Findings,
            (false, true) => Outcome::Clean,
            (false, false) => Outcome::Incomplete,
        }
    }
}
