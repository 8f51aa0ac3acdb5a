//! How a check is shown: the forms of the audit's report, for findings in files.
//!
//! Like those, it sees findings only. Lines of the checked file are not repeated: they may hold the
//! very secret that was found.

mod json;
mod plain;
mod sarif;

use super::{View, words};
use crate::check::finding::{Outcome, Report, Severity};

pub use json::{SCHEMA, VERSION};

/// A form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for a person at a terminal, or for an editor: `FILE:LINE:COLUMN: …`.
    #[default]
    Plain,
    /// JSON, as docs/check.schema.json describes it.
    Json,
    /// SARIF 2.1.0, as code scanning takes it.
    Sarif,
}

/// The whole report in that form, ready to be written out; it ends with a line feed.
#[must_use]
pub fn render(format: Format, report: &Report, view: &View) -> Vec<u8> {
    match format {
        Format::Plain => plain::render(report, view).into_bytes(),
        Format::Json => json::render(report).into_bytes(),
        Format::Sarif => sarif::render(report).into_bytes(),
    }
}

/// The check in one line.
#[must_use]
pub fn verdict(report: &Report) -> String {
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let files = words::count(report.files.len() as u64, "file", "files");
    let found = [
        (count(Severity::Error), "error", "errors"),
        (count(Severity::Warning), "warning", "warnings"),
        (count(Severity::Note), "note", "notes"),
    ];
    let found: Vec<_> =
        found.iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| words::count(*n, one, many)).collect();
    let mut text =
        if found.is_empty() { format!("nothing found in {files}") } else { format!("{} in {files}", found.join(", ")) };
    if !report.ignored.is_empty() {
        text.push_str(&format!("; {} ignored", report.ignored.len()));
    }
    if !report.unread.is_empty() {
        text.push_str(&format!("; {} not read", words::count(report.unread.len() as u64, "file", "files")));
    }
    let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.automatic).count();
    if fixes > 0 {
        text.push_str(&format!("; --fix mends {fixes}"));
    }
    if report.files.is_empty() && report.unread.is_empty() {
        return "no Dockerfile, Compose file, bake file, GitHub workflow or GitLab CI file was found".into();
    }
    text
}

/// How bad an outcome looks.
fn is_bad(report: &Report) -> bool {
    report.outcome() == Outcome::Findings && report.worst() == Some(Severity::Error)
}
