//! JSON and SARIF against their schemas, with a validator that is not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use valetkey::audit::finding::Report;
use valetkey::report::{Format, SCHEMA, VERSION, View, render};

use super::report_made::{FINGERPRINT, clean, finding, full, hostile, in_layer, key};
use valetkey::audit::finding::Severity;

const REPORT_SCHEMA: &str = include_str!("../../docs/audit.schema.json");
pub(crate) const SARIF_SCHEMA: &str = include_str!("sarif-schema-2.1.0.json");

/// Reads `[schema, documents]` and prints a list of what is wrong for each.
const VALIDATE: &str = "
import json, sys
from jsonschema import validators
schema, documents = json.load(sys.stdin)
kind = validators.validator_for(schema)
kind.check_schema(schema)
wrong = lambda document: [error.message[:300] for error in kind(schema).iter_errors(document)]
print(json.dumps([wrong(document) for document in documents]))
";

/// The Python that has the Debian package python3-jsonschema, or one of its own.
fn python() -> &'static str {
    let has = |python: &&str| {
        let tried =
            Command::new(python).args(["-W", "ignore", "-c", "import jsonschema"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"].into_iter().find(has).expect("python3 with jsonschema (Debian: python3-jsonschema)")
}

/// What is wrong with each document. One process for all of them: a Python takes long to start.
pub(crate) fn mistakes(schema: &str, documents: &[String]) -> Vec<Vec<String>> {
    let mut child = Command::new(python())
        .args(["-W", "ignore", "-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    write!(child.stdin.take().unwrap(), "[{schema},[{}]]", documents.join(",")).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let all: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all.len(), documents.len());
    all
}

fn all(format: Format) -> Vec<String> {
    [Report::default(), clean(), full(), hostile()].iter().map(|report| text(format, report)).collect()
}

fn text(format: Format, report: &Report) -> String {
    String::from_utf8(render(format, report, &View::default())).unwrap()
}

fn parsed(format: Format, report: &Report) -> Value {
    serde_json::from_str(&text(format, report)).unwrap()
}

#[test]
fn every_report_is_valid_by_the_schema_that_is_checked_in() {
    assert_eq!(mistakes(REPORT_SCHEMA, &all(Format::Json)), vec![Vec::<String>::new(); 4]);
}

#[test]
fn a_layer_that_an_earlier_audit_read_is_said_to_be_cached() {
    let mut report = full();
    report.images[0].layers[0].cached = true;
    assert_eq!(mistakes(REPORT_SCHEMA, &[text(Format::Json, &report)]), [Vec::<String>::new()]);
    assert_eq!(parsed(Format::Json, &report)["images"][0]["layers"][0]["cached"], true);
    let cached = |format| text(format, &report).matches("cached").count();
    assert_eq!((cached(Format::Table), cached(Format::Html)), (1, 1));
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let good = parsed(Format::Json, &full());
    type Breaking = fn(&mut Value);
    let broken: [(&str, Breaking); 8] = [
        ("another version", |report| report["version"] = 2.into()),
        ("a field that does not exist", |report| report["found"] = 1.into()),
        ("no completeness", |report| drop(report.as_object_mut().unwrap().remove("complete"))),
        ("a severity of its own", |report| report["findings"][0]["severity"] = "fatal".into()),
        ("a kind of its own", |report| report["findings"][0]["location"]["kind"] = "file".into()),
        ("a negative offset", |report| report["findings"][0]["location"]["offset"] = (-1).into()),
        ("a key without its type", |report| drop(report["findings"][0]["key"].as_object_mut().unwrap().remove("type"))),
        ("a secret beside the key", |report| report["findings"][0]["key"]["private"] = "x".into()),
    ];
    let documents = broken.iter().map(|(_, breaking)| {
        let mut report = good.clone();
        breaking(&mut report);
        report.to_string()
    });
    let all = mistakes(REPORT_SCHEMA, &documents.collect::<Vec<_>>());
    for ((what, _), mistakes) in broken.iter().zip(all) {
        assert!(!mistakes.is_empty(), "{what}");
    }
}

#[test]
fn json_has_the_shape_that_programs_were_promised() {
    let report = parsed(Format::Json, &full());
    assert_eq!((report["version"].as_u64(), report["schema"].as_str()), (Some(VERSION.into()), Some(SCHEMA)));
    assert_eq!(report["complete"], false);
    assert_eq!(report["images"].as_array().unwrap().len(), 3);
    let lent = &report["findings"][1];
    assert_eq!((lent["rule"].as_str(), lent["severity"].as_str()), (Some("lent-key"), Some("error")));
    let expected = serde_json::json!({
        "kind": "layer", "layer": 4, "digest": super::report_made::digest('4'), "diff_id": super::report_made::digest('4'),
        "path": "opt/cache/wheels/private_lib-1.2-py3-none-any.whl", "inner": "private_lib/_version.py",
        "offset": 18233, "hidden_by": null, "instruction": null, "field": null,
    });
    assert_eq!(lent["location"], expected);
    let expected = serde_json::json!({
        "type": "ssh-ed25519", "fingerprint": FINGERPRINT, "encrypted": false, "known_test_key": null,
    });
    assert_eq!(lent["key"], expected);
    let schema: Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    assert_eq!(schema["$id"], SCHEMA);
}

#[test]
fn a_report_that_names_a_gap_is_not_complete_whatever_its_flag_says() {
    let report = Report { complete: true, ..full() };
    assert_eq!(parsed(Format::Json, &report)["complete"], false);
    assert_eq!(parsed(Format::Sarif, &report)["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn neither_json_nor_sarif_writes_to_the_terminal_and_both_keep_every_character() {
    for format in [Format::Json, Format::Sarif] {
        let report = hostile();
        let text = text(format, &report);
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{2069}')));
        assert!(text.lines().all(|line| line.starts_with([' ', '{', '}'])));
        let _: Value = serde_json::from_str(&text).unwrap();
    }
    assert_eq!(parsed(Format::Json, &hostile())["findings"][1]["location"]["path"], super::report_made::HOSTILE);
}

#[test]
fn sarif_is_valid_by_the_official_schema() {
    let mut documents = all(Format::Sarif);
    // And it does refuse.
    let mut broken = parsed(Format::Sarif, &full());
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    documents.push(broken.to_string());
    let mut mistakes = mistakes(SARIF_SCHEMA, &documents);
    assert!(!mistakes.pop().unwrap().is_empty());
    assert_eq!(mistakes, vec![Vec::<String>::new(); 4]);
}

#[test]
fn sarif_says_what_where_why_and_what_was_not_read() {
    let log = parsed(Format::Sarif, &full());
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 8);
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
    }
    let copied = &results[0];
    assert_eq!(copied["level"], "error");
    let place = &copied["locations"][0];
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "root/.ssh/id_ed25519");
    assert_eq!(place["physicalLocation"]["region"]["byteOffset"], 0);
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "app:latest (linux/amd64)/layer 3");
    assert_eq!(copied["properties"]["layer"], 3);
    assert_eq!(copied["properties"]["layerDigest"], super::report_made::digest('5'));
    assert_eq!(copied["properties"]["hiddenBy"], 5);
    // An offset inside of an archive is none in the file.
    assert!(results[1]["locations"][0]["physicalLocation"]["region"].is_null());
    assert_eq!(results[7]["suppressions"][0]["justification"], "the key of the manual, which opens nothing");
    assert!(results[..7].iter().all(|result| result["suppressions"].is_null()));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let gaps = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(gaps.len(), 2);
    assert!(gaps[0]["message"]["text"].as_str().unwrap().contains("app/vendor/assets.zip"));
    assert!(!log.to_string().contains("null"), "SARIF has no null");
}

#[test]
fn a_finding_keeps_its_fingerprint_in_another_image_and_beside_others() {
    let of = |report: &Report, at: usize| {
        parsed(Format::Sarif, report)["runs"][0]["results"][at]["partialFingerprints"]["valetkeyPlace/v1"].clone()
    };
    let one = |path: &str| {
        let mut made = finding("openssh-private-key", Severity::Error, in_layer(1, '2', path));
        made.key = Some(key());
        made
    };
    let mut first = clean();
    first.findings = vec![one("a"), one("b")];
    let mut second = clean();
    second.images[0].name = "other:1".into();
    second.findings = vec![one("b")];
    second.findings[0].image = "other:1".into();
    second.findings[0].location.layer = Some(0);
    assert_eq!(of(&first, 1), of(&second, 0));
    assert_ne!(of(&first, 0), of(&first, 1));
    // What moves between path and inner path is another place.
    second.findings[0].location.inner = Some("b".into());
    second.findings[0].location.path = Some(String::new());
    assert_ne!(of(&first, 1), of(&second, 0));
}
