//! Known test keys in the table: a line for each file, behind everything else of its layer. A
//! distribution ships dozens of them, and among their details nobody would see a secret.

use super::{CYAN, MAX_TEXT, Table};
use crate::audit::finding::{Finding, Severity};
use crate::report::words;
use crate::ui::one_line;

fn package(finding: &Finding) -> Option<&str> {
    finding.key.as_ref()?.known_test_key.as_deref()
}

impl Table {
    /// Findings of known test keys, in the order of their files.
    pub(super) fn known(&mut self, findings: &[&Finding]) {
        let Some(first) = findings.first() else { return };
        self.out.push_str("    ");
        self.paint(CYAN, words::severity(Severity::Note));
        self.out.push_str("  ");
        self.wrapped("", "known test keys: ", &one_line(&first.remedy), 6);
        let place = |finding: &Finding| words::place(&finding.location);
        for file in findings.chunk_by(|a, b| place(a) == place(b) && package(a) == package(b)) {
            let (Some(first), Some(package)) = (file.first(), file.first().and_then(|first| package(first))) else {
                continue;
            };
            let what = match file {
                [one] => words::key(one).unwrap_or_default(),
                more => {
                    format!("{} of {package}", words::count(more.len() as u64, "known test key", "known test keys"))
                }
            };
            let text = format!("{}: {what}", words::cut_middle(&place(first), MAX_TEXT));
            self.wrapped("", "      ", &one_line(&text), 8);
        }
    }
}
