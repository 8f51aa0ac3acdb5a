//! Ignored findings: counted, named, and never the lent key by where it is.

use valetkey::audit::finding::{Finding, Key, Outcome, Report, Severity};
use valetkey::audit::ignore::{Ignore, LENT_KEY, apply};
use valetkey::report::verdict;

use super::report_made::{FINGERPRINT, clean, finding, in_field, in_layer, key};
use valetkey::audit::finding::Place;

fn ignore(rule: Option<&str>, path: Option<&str>, fingerprint: Option<&str>) -> Ignore {
    Ignore {
        rule: rule.map(Into::into),
        path: path.map(|glob| glob.parse().unwrap()),
        fingerprint: fingerprint.map(Into::into),
        reason: "it opens nothing".into(),
    }
}

fn found(rule: &str, path: &str) -> Finding {
    Finding { key: Some(key()), ..finding(rule, Severity::Error, in_layer(0, '1', path)) }
}

fn with(findings: Vec<Finding>) -> Report {
    Report { findings, ..clean() }
}

#[test]
fn an_ignored_finding_fails_nothing_and_is_counted_with_its_reason() {
    let mut report = with(vec![found("openssh-private-key", "a/b/id")]);
    let entry = ignore(Some("openssh-private-key"), Some("a/**"), Some(FINGERPRINT));
    assert_eq!(apply(&mut report, &[entry]), Vec::<String>::new());
    assert_eq!((report.findings.len(), report.ignored, report.outcome()), (0, 1, Outcome::Clean));
    assert_eq!(report.ignored_findings[0].reason, "it opens nothing");
    assert!(verdict(&report).contains("1 finding ignored"), "{}", verdict(&report));
}

#[test]
fn an_entry_is_about_a_finding_only_if_all_that_it_names_fits() {
    let fits = [
        ignore(Some("openssh-private-key"), None, None),
        ignore(None, Some("a/b/id"), None),
        ignore(None, None, Some(FINGERPRINT)),
    ];
    for entry in fits {
        assert!(entry.matches(&found("openssh-private-key", "a/b/id")), "{entry:?}");
    }
    let others = [
        ignore(Some("openssh-private"), None, None),
        ignore(Some("openssh-private-key"), Some("a/b"), None),
        ignore(Some("openssh-private-key"), Some("a/b/id"), Some("SHA256:other")),
        ignore(Some("pkcs8-private-key"), Some("a/b/id"), Some(FINGERPRINT)),
        // Names nothing: about nothing.
        ignore(None, None, None),
    ];
    for entry in others {
        assert!(!entry.matches(&found("openssh-private-key", "a/b/id")), "{entry:?}");
    }
    // What has no key, or no path, fits no fingerprint and no path.
    let token = finding("npm-token", Severity::Error, in_field(Place::Config, "Env.NPM_TOKEN"));
    assert!(!ignore(None, None, Some(FINGERPRINT)).matches(&token));
    assert!(!ignore(None, Some("*N*"), None).matches(&token));
    let unknown = Finding {
        key: Some(Key { fingerprint: None, ..key() }),
        ..finding("openssh-private-key", Severity::Error, in_layer(0, '1', "a"))
    };
    assert!(!ignore(None, None, Some(FINGERPRINT)).matches(&unknown));
}

#[test]
fn an_archive_that_is_ignored_does_not_hide_what_is_inside() {
    let mut inside = found("openssh-private-key", "opt/app.jar");
    inside.location.inner = Some("id".into());
    assert!(!ignore(None, Some("opt/app.jar"), None).matches(&inside));
    assert!(ignore(None, Some("opt/app.jar!/id"), None).matches(&inside));
}

#[test]
fn the_lent_key_is_ignored_by_its_fingerprint_alone() {
    let lent = || with(vec![found(LENT_KEY, "a/id")]);
    for entry in [
        ignore(Some(LENT_KEY), None, None),
        ignore(None, Some("a/id"), None),
        ignore(Some(LENT_KEY), Some("a/id"), None),
        ignore(None, None, Some("SHA256:other")),
    ] {
        let mut report = lent();
        assert_eq!(apply(&mut report, &[entry]).len(), 1);
        assert_eq!((report.findings.len(), report.ignored), (1, 0));
    }
    let mut report = lent();
    assert!(apply(&mut report, &[ignore(None, None, Some(FINGERPRINT))]).is_empty());
    assert_eq!(report.ignored, 1);
}

#[test]
fn an_entry_that_was_about_nothing_is_warned_of_by_number_and_name() {
    let mut report = with(vec![found("openssh-private-key", "a")]);
    let entries = [
        ignore(Some("openssh-private-key"), None, None),
        ignore(None, Some("a"), None),
        ignore(Some("npm-token"), Some("gone/**"), None),
    ];
    // The second is of use too, though the first came before it.
    assert_eq!(apply(&mut report, &entries), ["[[ignore]] 3 matched no finding: rule \"npm-token\", path \"gone/**\""]);
}

#[test]
fn what_was_not_read_is_not_ignored() {
    let mut report = with(vec![found("openssh-private-key", "a")]);
    report.unread_more = 1;
    apply(&mut report, &[ignore(None, Some("a"), None)]);
    assert_eq!(report.outcome(), Outcome::Incomplete);
}
