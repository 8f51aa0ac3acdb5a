//! The lines that a person or an editor reads.
//!
//! A finding begins with `FILE:LINE:COLUMN:`, and everything else of it is indented. No text of a file
//! can write to the terminal or begin a line.

use super::super::View;
use super::super::colours::{BOLD, CYAN, DIM, GREEN, RED, YELLOW};
use super::{is_bad, verdict, words};
use crate::check::finding::{Finding, Outcome, Report, Severity};
use crate::ui::one_line;

/// Columns in front of what belongs to a finding, and of what continues it.
const INDENT: usize = 4;
const LABEL: usize = 8;

pub(super) fn render(report: &Report, view: &View) -> String {
    let mut lines = Lines { out: String::new(), colour: view.colour, width: view.width.max(super::super::MIN_WIDTH) };
    for finding in &report.findings {
        lines.finding(finding);
    }
    for ignored in &report.ignored {
        let Finding { path, line, column, rule, .. } = &ignored.finding;
        lines.line(DIM, &format!("{}:{line}:{column}: ignored: {rule}", one_line(path)));
        lines.labelled("reason", &ignored.reason);
    }
    for unread in &report.unread {
        lines.line(RED, &format!("{}: not read: {}", one_line(&unread.path), one_line(&unread.reason)));
    }
    if !lines.out.is_empty() {
        lines.out.push('\n');
    }
    let colour = match report.outcome() {
        Outcome::Clean => GREEN,
        _ if is_bad(report) => RED,
        _ => YELLOW,
    };
    lines.line(colour, &verdict(report));
    lines.out
}

struct Lines {
    out: String,
    colour: bool,
    width: usize,
}

impl Lines {
    fn finding(&mut self, finding: &Finding) {
        let colour = match finding.severity {
            Severity::Error => RED,
            Severity::Warning => YELLOW,
            Severity::Note => CYAN,
        };
        let place = self.painted(BOLD, &format!("{}:{}:{}:", one_line(&finding.path), finding.line, finding.column));
        let severity = self.painted(colour, words::severity(finding.severity));
        self.out.push_str(&format!("{place} {severity}: {} [{}]\n", one_line(&finding.message), finding.rule));
        self.labelled("remedy", &finding.remedy);
        if let Some(fix) = &finding.fix {
            let made = if fix.automatic { "made by --fix" } else { "not made by --fix: it changes the build" };
            self.labelled("fix", &format!("{} ({made})", fix.title));
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let text = one_line(text);
        let room = self.width - INDENT - LABEL;
        let mut line = String::new();
        let mut label = self.painted(DIM, &format!("{label:<LABEL$}"));
        for word in text.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.out.push_str(&format!("{:INDENT$}{label}{line}\n", ""));
                label = " ".repeat(LABEL);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.out.push_str(&format!("{:INDENT$}{label}{line}\n", ""));
    }

    fn line(&mut self, colour: &str, text: &str) {
        let text = self.painted(colour, text);
        self.out.push_str(&format!("{text}\n"));
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
