//! SARIF 2.1.0: findings with regions and fixes, in files of the repository.

use std::collections::HashMap;

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
    // How many of the same rule and words stood before in the file: that tells them apart, whatever lines
    // come and go above.
    let mut alike: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let mut results = Vec::with_capacity(report.findings.len());
    for finding in &report.findings {
        let before = alike.entry((&finding.path, &finding.rule, &finding.message)).or_default();
        results.push(shown(finding, *before));
        *before += 1;
    }
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
