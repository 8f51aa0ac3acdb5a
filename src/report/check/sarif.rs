//! SARIF 2.1.0: findings with regions and fixes, in files of the repository.

use serde_json::{Value, json};

use super::super::sarif::{SCHEMA, descriptor, digest_of, level, uri_path};
use crate::check::finding::{Finding, Ignored, Offer, PlacedEdit, Report, Unread};

/// What the partial fingerprint is made of; another recipe gets another name (§3.27.17).
const FINGERPRINT: &str = "valetkeyCheck/v1";
/// The notification of a file that was not read.
const NOT_READ: &str = "not-read";

pub(super) fn render(report: &Report) -> String {
    let index = |finding: &Finding| report.rules.iter().position(|rule| rule.id == finding.rule);
    let shown = |finding: &Finding, at: usize| result(finding, at, index(finding));
    let mut results: Vec<Value> = report.findings.iter().map(|finding| shown(finding, same(report, finding))).collect();
    for Ignored { finding, reason } in &report.ignored {
        let mut value = shown(finding, 0);
        value["suppressions"] = json!([{ "kind": "inSource", "status": "accepted", "justification": reason }]);
        results.push(value);
    }
    let driver = json!({
        "name": "valetkey",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": report.rules.iter().map(descriptor).collect::<Vec<_>>(),
        "notifications": [{
            "id": NOT_READ,
            "shortDescription": { "text": "A file that could not be read." },
            "defaultConfiguration": { "level": "error" },
        }],
    });
    super::super::json::text(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unread.is_empty(),
                "toolExecutionNotifications": report.unread.iter().map(notification).collect::<Vec<_>>(),
            }],
            "results": results,
            "properties": { "verdict": super::verdict(report) },
        }],
    }))
}

/// How many findings of the same rule and words stand before this one in its file: it tells them apart,
/// whatever lines come and go above.
fn same(report: &Report, finding: &Finding) -> usize {
    let alike =
        |other: &&Finding| other.path == finding.path && other.rule == finding.rule && other.message == finding.message;
    let before = |other: &&Finding| (other.line, other.column) < (finding.line, finding.column);
    report.findings.iter().filter(alike).filter(before).count()
}

fn result(finding: &Finding, at: usize, rule_index: Option<usize>) -> Value {
    let artifact = json!({ "uri": uri_path(&finding.path) });
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": artifact,
            "region": region(finding.line, finding.column, finding.end_line, finding.end_column),
        } }],
        "partialFingerprints": { FINGERPRINT: digest_of([finding.path.as_str(), &finding.rule, &finding.message].into_iter(), at as u64) },
        "properties": { "remedy": finding.remedy },
    });
    if let Some(index) = rule_index {
        result["ruleIndex"] = json!(index);
    }
    if let Some(fix) = &finding.fix {
        result["fixes"] = json!([fixed(fix, &artifact)]);
    }
    result
}

fn fixed(fix: &Offer, artifact: &Value) -> Value {
    let replacement = |edit: &PlacedEdit| {
        json!({
            "deletedRegion": region(edit.line, edit.column, edit.end_line, edit.end_column),
            "insertedContent": { "text": edit.text },
        })
    };
    json!({
        "description": { "text": fix.title },
        "artifactChanges": [{
            "artifactLocation": artifact,
            "replacements": fix.edits.iter().map(replacement).collect::<Vec<_>>(),
        }],
    })
}

fn region(line: usize, column: usize, end_line: usize, end_column: usize) -> Value {
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

fn notification(unread: &Unread) -> Value {
    json!({
        "descriptor": { "id": NOT_READ },
        "level": "error",
        "message": { "text": format!("not read: {}: {}", unread.path, unread.reason) },
    })
}
