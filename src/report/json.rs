//! The report as JSON, for programs: docs/audit.schema.json describes it.
//!
//! What is there stays; a field that is added leaves the version as it is, one that is taken
//! away or means something else makes a new version.

use serde::Serialize;

use crate::audit::finding::{Finding, Ignored, ImageRead, Outcome, Report, Unread};
use crate::wire::text::is_harmless;

/// The version of the form.
pub const VERSION: u32 = 1;
/// The `$id` of docs/audit.schema.json. A name, not an address: nothing is fetched.
pub const SCHEMA: &str = "urn:valetkey:audit-report:v1";

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    schema: &'static str,
    tool: Tool,
    complete: bool,
    outcome: Outcome,
    verdict: String,
    images: &'a [ImageRead],
    findings: &'a [Finding],
    unread: &'a [Unread],
    unread_more: u64,
    ignored: u64,
    ignored_findings: &'a [Ignored],
    read: Read,
    rules: Vec<&'a str>,
    looked_for: &'a [String],
}

/// What wrote a report.
#[derive(Serialize)]
pub(in crate::report) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// This program.
pub(in crate::report) const TOOL: Tool = Tool { name: "valetkey", version: env!("CARGO_PKG_VERSION") };

#[derive(Serialize)]
struct Read {
    bytes: u64,
    bytes_unpacked: u64,
    files: u64,
}

/// The whole document, with a line feed at its end.
pub(super) fn render(report: &Report) -> String {
    text(&Document {
        version: VERSION,
        schema: SCHEMA,
        tool: TOOL,
        complete: report.is_complete(),
        outcome: report.outcome(),
        verdict: super::verdict(report),
        images: &report.images,
        findings: &report.findings,
        unread: &report.unread,
        unread_more: report.unread_more,
        ignored: report.ignored,
        ignored_findings: &report.ignored_findings,
        read: Read { bytes: report.bytes, bytes_unpacked: report.bytes_unpacked, files: report.files },
        rules: report.rules.iter().map(|rule| rule.id.as_str()).collect(),
        looked_for: &report.looked_for,
    })
}

/// Any value as indented JSON that is safe on a terminal: JSON itself escapes only what is
/// below U+0020, and leaves C1 controls and turned text as they are.
pub(super) fn text(value: &impl Serialize) -> String {
    // Maps with string keys and plain structures cannot fail to serialise.
    let plain = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        if c == '\n' || is_harmless(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.push('\n');
    out
}
