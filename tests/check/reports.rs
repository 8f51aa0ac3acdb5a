//! The three forms of the report: against their schemas, with a validator that is not ours, and on a
//! terminal that texts of files would like to write to.

use serde_json::Value;

use super::command::{check, folder, text};
use crate::audit::report_schema::{SARIF_SCHEMA, mistakes};

const SCHEMA: &str = include_str!("../../docs/check.schema.json");

/// A folder with a finding that can be fixed, an ignored one, a note's worth of nothing and a broken file.
fn world() -> tempfile::TempDir {
    folder(&[
        (
            "Dockerfile",
            "FROM a\nRUN mkdir -m 600 ~/.ssh # ä\n# valetkey: ignore ssh-keyscan why not\nRUN ssh-keyscan h\n",
        ),
        ("compose.yaml", "services: ["),
        ("a \u{1b}[31m#%/Dockerfile", "FROM a\nRUN ssh-keyscan h\n"),
    ])
}

#[test]
fn json_and_sarif_are_valid_by_their_schemas() {
    let dir = world();
    let json = text(&check(dir.path(), &["--format", "json"]));
    let clean = text(&check(dir.path(), &["--format", "json", "Dockerfile", "not-there"]));
    assert_eq!(mistakes(SCHEMA, &[json.clone(), clean]), vec![Vec::<String>::new(); 2]);
    let sarif = text(&check(dir.path(), &["--format", "sarif"]));
    assert_eq!(mistakes(SARIF_SCHEMA, std::slice::from_ref(&sarif)), [Vec::<String>::new()]);
    let (json, sarif): (Value, Value) = (serde_json::from_str(&json).unwrap(), serde_json::from_str(&sarif).unwrap());
    assert_eq!(json["findings"].as_array().unwrap().len(), 2);
    assert_eq!(json["ignored"][0]["reason"], "why not");
    assert_eq!(json["unread"][0]["path"], "compose.yaml");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let fixed = results.iter().find(|result| result["ruleId"] == "ssh-folder-mode").unwrap();
    let region = &fixed["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, serde_json::json!({ "startLine": 2, "startColumn": 14, "endLine": 2, "endColumn": 17 }));
    assert_eq!(fixed["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "0700");
    assert!(results.iter().any(|result| result["suppressions"][0]["kind"] == "inSource"));
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let named = |result: &Value| {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned()
    };
    assert!(results.iter().any(|result| named(result) == "a%20%1B%5B31m%23%25/Dockerfile"), "{results:?}");
}

#[test]
fn a_findings_fingerprint_stays_when_lines_come_above_it_and_two_alike_differ() {
    let fingerprints = |text_of: &str| {
        let dir = folder(&[("Dockerfile", text_of)]);
        let sarif: Value = serde_json::from_str(&text(&check(dir.path(), &["--format", "sarif"]))).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"]["valetkeyCheck/v1"].clone()).collect::<Vec<_>>()
    };
    let before = fingerprints("FROM a\nRUN ssh-keyscan h\nRUN ssh-keyscan h\n");
    assert_ne!(before[0], before[1]);
    assert_eq!(fingerprints("FROM a\n\n\nRUN make\nRUN ssh-keyscan h\nRUN ssh-keyscan h\n"), before);
}

#[test]
fn no_text_of_a_file_or_name_writes_to_the_terminal() {
    let dir = world();
    let hostile = folder(&[(
        "Dockerfile",
        "FROM a\n# valetkey: ignore \u{1b}[2J\u{202e}x why\u{7}\nRUN echo 'git.example.com\u{1b} StrictHostKeyChecking no'\n",
    )]);
    for (dir, format) in
        [(&dir, "plain"), (&dir, "json"), (&dir, "sarif"), (&hostile, "plain"), (&hostile, "json"), (&hostile, "sarif")]
    {
        let text = text(&check(dir.path(), &["--format", format]));
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{format}: {text:?}");
    }
}
