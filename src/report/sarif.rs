//! SARIF 2.1.0, for code scanning and whatever else reads it.
//!
//! A finding's file is in a layer and not in a repository, so its address is the path in the
//! layer below the base `LAYER`, and the image and the layer are logical locations. Its region is
//! a byte offset and never a line: what was found need not be text.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

use super::words;
use crate::audit::finding::{Finding, ImageRead, Key, LayerRead, Location, Report, RuleInfo, Severity, Unread};

/// Of the standard, as its schema names itself.
pub(super) const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What the partial fingerprint is made of; another recipe gets another name (§3.27.17).
const FINGERPRINT: &str = "valetkeyPlace/v1";
/// The notification of a place that was not read.
const NOT_READ: &str = "not-read";

pub(super) fn render(report: &Report) -> String {
    let rules = rules(report);
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at)).collect();
    let result = |finding: &Finding| result(finding, index.get(finding.rule.as_str()).copied());
    let mut results: Vec<Value> = report.findings.iter().map(result).collect();
    for ignored in &report.ignored_findings {
        let mut value = result(&ignored.finding);
        value["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": ignored.reason }]);
        results.push(value);
    }
    let mut notifications: Vec<Value> = report.unread.iter().map(notification).collect();
    if report.unread_more > 0 {
        let text = format!("{} could not be read", words::count(report.unread_more, "more place", "more places"));
        notifications.push(json!({
            "descriptor": { "id": NOT_READ }, "level": "error", "message": { "text": text },
        }));
    }
    let images: Vec<Value> = report.images.iter().map(image).collect();
    let driver = json!({
        "name": "valetkey",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules.iter().map(descriptor).collect::<Vec<_>>(),
        "notifications": [{
            "id": NOT_READ,
            "shortDescription": { "text": "A place that could not be read." },
            "defaultConfiguration": { "level": "error" },
        }],
    });
    super::json::text(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "invocations": [{
                "executionSuccessful": report.is_complete(),
                "toolExecutionNotifications": notifications,
            }],
            "originalUriBaseIds": { "LAYER": { "description": { "text": "The root of the layer's file system." } } },
            "results": results,
            "properties": {
                "verdict": super::verdict(report), "images": images, "lookedFor": report.looked_for,
            },
        }],
    }))
}

fn image(image: &ImageRead) -> Value {
    let layer = |layer: &LayerRead| {
        said(json!({ "digest": layer.digest, "diffId": layer.diff_id, "instruction": layer.instruction }))
    };
    said(json!({
        "name": image.name, "digest": image.digest, "configDigest": image.config_digest, "platform": image.platform,
        "layers": image.layers.iter().map(layer).collect::<Vec<_>>(),
    }))
}

/// The rules of the audit, and any that a finding names beside them.
fn rules(report: &Report) -> Vec<RuleInfo> {
    let mut rules = report.rules.clone();
    let findings = report.findings.iter().chain(report.ignored_findings.iter().map(|ignored| &ignored.finding));
    let mut known: BTreeMap<String, ()> = rules.iter().map(|rule| (rule.id.clone(), ())).collect();
    for finding in findings {
        if known.insert(finding.rule.clone(), ()).is_none() {
            rules.push(RuleInfo {
                id: finding.rule.clone(),
                about: finding.rule.replace('-', " "),
                remedy: finding.remedy.clone(),
                severity: finding.severity,
            });
        }
    }
    rules
}

pub(super) fn descriptor(rule: &RuleInfo) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.about },
        "help": { "text": rule.remedy },
        "defaultConfiguration": { "level": level(rule.severity) },
        // What code scanning sorts security findings by, from 0 to 10.
        "properties": {
            "tags": ["security", "secret"],
            "security-severity": match rule.severity {
                Severity::Error => "9.0",
                Severity::Warning => "5.0",
                Severity::Note => "1.0",
            },
        },
    })
}

pub(super) fn level(severity: Severity) -> &'static str {
    words::severity(severity)
}

fn result(finding: &Finding, rule_index: Option<usize>) -> Value {
    let location = &finding.location;
    let mut text = finding.message.clone();
    if let Some(key) = words::key(finding) {
        text.push_str(&format!(" ({key})"));
    }
    let properties = json!({
        "image": finding.image, "platform": finding.platform, "kind": location.kind,
        "layer": location.layer, "layerDigest": location.digest, "diffId": location.diff_id,
        "inner": location.inner, "offset": location.offset, "hiddenBy": location.hidden_by,
        "instruction": location.instruction, "field": location.field, "wrapped": finding.wrapped,
        "remedy": finding.remedy,
        "keyType": finding.key.as_ref().map(|key| &key.kind),
        "keyFingerprint": finding.key.as_ref().and_then(|key| key.fingerprint.as_ref()),
        "keyEncrypted": finding.key.as_ref().map(|key| key.encrypted),
        "knownTestKey": finding.key.as_ref().and_then(|key| key.known_test_key.as_ref()),
    });
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [locations(finding)],
        "partialFingerprints": { FINGERPRINT: fingerprint(finding) },
        "properties": said(properties),
    });
    if let Some(index) = rule_index {
        result["ruleIndex"] = json!(index);
    }
    result
}

/// Without what is not known: SARIF has no null.
fn said(properties: Value) -> Value {
    match properties {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

fn locations(finding: &Finding) -> Value {
    let location = &finding.location;
    let mut physical = Map::new();
    let (path, base) = match &location.path {
        Some(path) => (path.as_str(), Some("LAYER")),
        None => (words::place_kind(location.kind), None),
    };
    let mut artifact = json!({ "uri": uri_path(path) });
    if let Some(base) = base {
        artifact["uriBaseId"] = json!(base);
    }
    physical.insert("artifactLocation".into(), artifact);
    // The offset is in the innermost file, which is not the one that the address names.
    if let (Some(offset), None, Some(_)) = (location.offset, &location.inner, &location.path) {
        physical.insert("region".into(), json!({ "byteOffset": offset }));
    }
    json!({ "physicalLocation": physical, "logicalLocations": logical(finding) })
}

/// Image, then layer or document, then the place inside.
fn logical(finding: &Finding) -> Value {
    let location = &finding.location;
    let mut qualified = finding.image.clone();
    if let Some(platform) = &finding.platform {
        qualified.push_str(&format!(" ({platform})"));
    }
    let (name, kind) = container(location);
    qualified.push('/');
    qualified.push_str(&name);
    let mut out = vec![json!({ "name": name, "fullyQualifiedName": qualified, "kind": kind })];
    if location.inner.is_some() || location.field.is_some() {
        let place = words::place(location);
        out.push(json!({
            "name": place, "fullyQualifiedName": format!("{qualified}/{place}"),
            "kind": if location.field.is_some() { "property" } else { "member" },
        }));
    }
    Value::Array(out)
}

fn container(location: &Location) -> (String, &'static str) {
    match location.layer {
        Some(layer) => (format!("layer {layer}"), "layer"),
        None => (words::place_kind(location.kind).to_owned(), "document"),
    }
}

/// A path as a relative reference (RFC 3986 section 4.2): every byte that has a meaning in an
/// address is encoded, and so are dots that would climb.
pub(super) fn uri_path(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let segments = segments.map(|segment| {
        let climbs = matches!(segment, "." | "..");
        let mut out = String::with_capacity(segment.len());
        for byte in segment.bytes() {
            if (byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte)) && !climbs {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The same finding in the same place has the same one, in whichever image the layer is, and
/// whatever else the audit finds.
fn fingerprint(finding: &Finding) -> String {
    let location = &finding.location;
    let container = location.diff_id.as_deref().or(Some(words::place_kind(location.kind)));
    let key = finding.key.as_ref();
    let parts = [
        Some(finding.rule.as_str()),
        container,
        location.path.as_deref(),
        location.inner.as_deref(),
        location.field.as_deref(),
        key.map(|key: &Key| key.kind.as_str()),
        key.and_then(|key| key.fingerprint.as_deref()),
    ];
    digest_of(parts.into_iter().map(Option::unwrap_or_default), location.offset.unwrap_or(u64::MAX))
}

/// A digest of texts and a number.
pub(super) fn digest_of<'a>(parts: impl Iterator<Item = &'a str>, number: u64) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        // With its length, so that no two lists of parts read the same.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.update(&number.to_be_bytes());
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn notification(gap: &Unread) -> Value {
    let mut properties =
        json!({ "image": gap.image, "platform": gap.platform, "layer": gap.layer, "place": gap.place });
    properties = said(properties);
    json!({
        "descriptor": { "id": NOT_READ },
        "level": "error",
        "message": { "text": format!("not read: {}", super::plain::unread(gap)) },
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_an_address_that_means_the_same_and_never_climbs() {
        for (path, uri) in [
            ("root/.ssh/id_ed25519", "root/.ssh/id_ed25519"),
            ("/a//b", "a/b"),
            ("a b/c?d#e%f", "a%20b/c%3Fd%23e%25f"),
            ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"),
            ("https://example.com/x", "https%3A/example.com/x"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(uri_path(path), uri);
        }
    }
}
