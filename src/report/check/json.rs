//! The report as JSON, for programs: docs/check.schema.json describes it.
//!
//! As with the audit's, a field that is added leaves the version as it is.

use serde::Serialize;

use super::super::json::{TOOL, Tool};
use crate::check::finding::{Finding, Ignored, Outcome, Report, Unread};

/// The version of the form.
pub const VERSION: u32 = 1;
/// The `$id` of docs/check.schema.json. A name, not an address: nothing is fetched.
pub const SCHEMA: &str = "urn:valetkey:check-report:v1";

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    schema: &'static str,
    tool: Tool,
    outcome: Outcome,
    verdict: String,
    files: &'a [String],
    findings: &'a [Finding],
    ignored: &'a [Ignored],
    unread: &'a [Unread],
    rules: Vec<&'a str>,
}

pub(super) fn render(report: &Report) -> String {
    super::super::json::text(&Document {
        version: VERSION,
        schema: SCHEMA,
        tool: TOOL,
        outcome: report.outcome(),
        verdict: super::verdict(report),
        files: &report.files,
        findings: &report.findings,
        ignored: &report.ignored,
        unread: &report.unread,
        rules: report.rules.iter().map(|rule| rule.id.as_str()).collect(),
    })
}
