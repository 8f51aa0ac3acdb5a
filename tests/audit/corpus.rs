//! Attacks with the whole corpus: `integration/audit-corpus` plants throwaway keys of each kind, in
//! each encoding and place, and near misses; the audit must find the ones where they are and say
//! nothing of the others, in every form of the image.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

/// The most memory of an audit, in KiB.
const MAX_MEMORY: u64 = 256 * 1024;
/// Failed cases that a message shows.
const SHOWN: usize = 120;

/// What the script says of its image.
#[derive(Deserialize)]
struct Manifest {
    forms: BTreeMap<String, String>,
    cases: Vec<Case>,
    secrets: Vec<String>,
}

/// A planted file or field.
#[derive(Deserialize)]
struct Case {
    name: String,
    keys: Vec<Key>,
    gap: Option<Gap>,
    archived: bool,
    also: Vec<String>,
    kind: String,
    layer: Option<u64>,
    path: Option<String>,
    inner: Option<String>,
    field: Option<String>,
    span: Option<(u64, u64)>,
    hidden_by: Option<u64>,
    forms: Vec<String>,
}

/// A row of the script's table of what is not managed yet.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Gap {
    pattern: String,
    reason: String,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "type")]
    kind: Option<String>,
    fingerprint: Option<String>,
    encrypted: bool,
}

/// What an audit said.
struct Audited {
    form: String,
    format: &'static str,
    output: String,
    /// KiB.
    memory: u64,
}

struct Corpus {
    manifest: Manifest,
    audits: Vec<Audited>,
}

impl Corpus {
    fn reports(&self) -> impl Iterator<Item = (&str, Value)> {
        let json = self.audits.iter().filter(|audited| audited.format == "json");
        json.map(|audited| (audited.form.as_str(), serde_json::from_str(&audited.output).unwrap()))
    }
}

/// Made once for all tests, and kept in memory alone.
fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/integration/audit-corpus");
        let made = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let manifest = std::fs::read(folder.path().join("manifest.json")).unwrap();
        let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
        let mut jobs: Vec<_> = manifest.forms.iter().map(|(form, file)| (form.as_str(), file, "json")).collect();
        let docker = &manifest.forms["docker"];
        jobs.push(("stream", docker, "json"));
        jobs.extend(["table", "sarif", "html"].map(|format| ("oci-zstd", &manifest.forms["oci-zstd"], format)));
        let audits = std::thread::scope(|scope| {
            let audits: Vec<_> = jobs
                .into_iter()
                .map(|(form, file, format)| {
                    let path = folder.path().join(file);
                    scope.spawn(move || audit(form, &path, format))
                })
                .collect();
            audits.into_iter().map(|audit| audit.join().unwrap()).collect()
        });
        Corpus { manifest, audits }
    })
}

/// Audits one file by the built program, and asks the system how much memory that took.
fn audit(form: &str, path: &std::path::Path, format: &'static str) -> Audited {
    const MEASURED: &str = "import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print('memory', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)";
    let mut command = Command::new("python3");
    command.args(["-c", MEASURED, env!("CARGO_BIN_EXE_valetkey"), "audit", "--no-cache", "--format", format]);
    if form == "stream" {
        command.arg("-").stdin(Stdio::from(std::fs::File::open(path).unwrap()));
    } else {
        command.arg(path);
    }
    let done = command.output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(116), "{form} as {format}: {errors}");
    let memory = errors.lines().rev().find_map(|line| line.strip_prefix("memory ")).unwrap().parse().unwrap();
    let output = String::from_utf8_lossy(&done.stdout).into_owned() + &errors;
    let output = if format == "json" { String::from_utf8(done.stdout).unwrap() } else { output };
    Audited { form: form.to_owned(), format, output, memory }
}

impl Case {
    /// Whether a finding is in this case's place.
    fn has(&self, finding: &Value) -> bool {
        let at = &finding["location"];
        if at["kind"].as_str() != Some(&self.kind) || at["layer"].as_u64() != self.layer {
            return false;
        }
        match (at["path"].as_str(), self.path.as_deref()) {
            // Beside the content of files: whether it has a path is not said.
            (path, Some(loose)) if loose.starts_with('*') => {
                path.is_none_or(|path| path.contains(loose.trim_matches('*')))
                    && self.keys.iter().any(|key| key.is(finding))
            }
            (path, own) => path == own && at["field"].as_str() == self.field.as_deref(),
        }
    }

    /// What is wrong with what was found here.
    fn wrong(&self, findings: &[&Value]) -> Vec<String> {
        let mut wrong = Vec::new();
        for key in &self.keys {
            let of_key = || findings.iter().filter(|finding| key.is(finding));
            match of_key().count() {
                0 => wrong.push(format!("misses {}", key.shown())),
                1 => {}
                // What does not compress stands in the archive's own bytes as well.
                _ if self.archived => {}
                count => wrong.push(format!("names {} {count} times", key.shown())),
            }
            let places: Vec<_> = of_key().map(|finding| (self.misplaced(finding), &finding["location"])).collect();
            if let Some((misplaced, at)) = places.first().filter(|_| places.iter().all(|(wrong, _)| wrong.is_some())) {
                wrong.push(format!("{}: {at}", misplaced.unwrap_or_default()));
            }
        }
        for finding in findings {
            let Some(key) = self.keys.iter().find(|key| key.is(finding)) else {
                let (rule, key) = (&finding["rule"], &finding["key"]);
                if !rule.as_str().is_some_and(|rule| self.also.iter().any(|also| also == rule)) {
                    wrong.push(format!("says {rule} {key} at {}", finding["location"]["offset"]));
                }
                continue;
            };
            let severity = if key.encrypted { "warning" } else { "error" };
            if finding["severity"] != severity {
                wrong.push(format!("has the severity {}", finding["severity"]));
            }
            if finding["location"]["hidden_by"].as_u64() != self.hidden_by {
                wrong.push(format!("is said to be hidden by {}", finding["location"]["hidden_by"]));
            }
        }
        wrong
    }

    /// What is wrong with the place of a finding within the file.
    fn misplaced(&self, finding: &Value) -> Option<&'static str> {
        let at = &finding["location"];
        let inner = at["inner"].as_str().unwrap_or_default();
        let offset = at["offset"].as_u64()?;
        if self.inner.as_deref().is_some_and(|own| !inner.ends_with(own)) {
            Some("another path inside of the archive")
        } else if self.span.is_some_and(|(from, to)| !(from..to).contains(&offset)) {
            Some("another offset")
        } else {
            None
        }
    }
}

impl Key {
    fn is(&self, finding: &Value) -> bool {
        let key = &finding["key"];
        self.kind.as_deref().is_none_or(|kind| key["type"] == kind)
            && key["fingerprint"].as_str() == self.fingerprint.as_deref()
            && key["encrypted"] == self.encrypted
    }

    fn shown(&self) -> &str {
        self.fingerprint.as_deref().or(self.kind.as_deref()).unwrap_or("the key")
    }
}

#[test]
fn every_planted_key_is_found_where_it_is_and_nothing_else_is() {
    let corpus = corpus();
    let mut failures = Vec::new();
    let rows = corpus.manifest.cases.iter().filter_map(|case| case.gap.as_ref());
    let mut gaps: BTreeMap<_, _> = rows.map(|gap| (gap, false)).collect();
    for (form, report) in corpus.reports() {
        assert_eq!(report["complete"], true, "{form}: {}", report["unread"]);
        let findings = report["findings"].as_array().unwrap();
        let mut claimed = vec![false; findings.len()];
        let file = if form == "stream" { "docker" } else { form };
        for case in &corpus.manifest.cases {
            if !case.forms.iter().any(|form| form == file) {
                continue;
            }
            let own = findings.iter().enumerate().filter(|(_, finding)| case.has(finding));
            let own: Vec<_> = own
                .map(|(index, finding)| {
                    claimed[index] = true;
                    finding
                })
                .collect();
            let wrong = case.wrong(&own).join("; ");
            if let Some(gap) = case.gap.as_ref().and_then(|gap| gaps.get_mut(gap)) {
                *gap |= !wrong.is_empty();
            } else if !wrong.is_empty() {
                failures.push(format!(
                    "{} in {form}, {}: {wrong}",
                    case.name,
                    case.path.as_deref().unwrap_or("no path")
                ));
            }
        }
        for (finding, _) in findings.iter().zip(claimed).filter(|(_, claimed)| !claimed) {
            failures.push(format!("nothing was planted in {form} where there is {finding}"));
        }
    }
    for (gap, _) in gaps.iter().filter(|(_, wrong)| !**wrong) {
        failures.push(format!("{} is listed as a gap ({}), and nothing is wrong with it", gap.pattern, gap.reason));
    }
    let mut shown = String::new();
    for failure in failures.iter().take(SHOWN) {
        writeln!(shown, "{failure}").unwrap();
    }
    assert!(failures.is_empty(), "{} failures:\n{shown}", failures.len());
}

#[test]
fn the_forms_of_an_image_say_the_same() {
    let corpus = corpus();
    let mut all = Vec::new();
    for (form, report) in corpus.reports() {
        let mut findings: Vec<_> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            // What only one form has: an archive of Docker's has no annotations.
            .filter(|finding| ["layer", "config", "history"].contains(&finding["location"]["kind"].as_str().unwrap()))
            .map(|finding| {
                let mut finding = finding.clone();
                // Where the blob is stored is what makes the forms differ.
                finding["location"]["digest"] = Value::Null;
                finding["image"] = Value::Null;
                finding.to_string()
            })
            .collect();
        findings.sort();
        all.push((form, findings));
    }
    let (first, expected) = &all[0];
    for (form, findings) in &all[1..] {
        let only = |a: &[String], b: &[String]| a.iter().filter(|one| !b.contains(one)).cloned().collect::<Vec<_>>();
        assert!(
            findings == expected,
            "{form} alone: {:#?}\n{first} alone: {:#?}",
            only(findings, expected),
            only(expected, findings)
        );
    }
}

#[test]
fn no_form_of_report_has_a_piece_of_a_secret() {
    let corpus = corpus();
    for audited in &corpus.audits {
        for secret in &corpus.manifest.secrets {
            if let Some(at) = audited.output.find(secret.as_str()) {
                let before = &audited.output[audited.output[..at].rfind('\n').unwrap_or(0)..at];
                panic!("a secret is in the report as {} of {}, behind {before:?}", audited.format, audited.form);
            }
        }
    }
}

#[test]
fn an_audit_of_all_that_takes_little_memory() {
    for audited in &corpus().audits {
        assert!(audited.memory < MAX_MEMORY, "{} KiB for {}", audited.memory, audited.form);
    }
}
