//! No form of a report, and no attestation, quotes a secret of the history.

use valetkey::audit::finding::{Ignored, Place, Report, Severity};
use valetkey::report::attestation::{Facts, statement};
use valetkey::report::{Format, View, render};

use super::report_made::{clean, finding, in_field, in_layer};

const SECRET: &str = "hunter2hunter2";

fn forms(report: &Report) -> Vec<String> {
    let mut forms: Vec<_> = [Format::Table, Format::Json, Format::Sarif, Format::Html]
        .into_iter()
        .map(|format| render(format, report, &View { colour: false, width: 200 }))
        .collect();
    forms.push(statement(report, &Facts { finished: 0, rules_version: "1" }));
    forms.into_iter().map(|form| String::from_utf8(form).unwrap()).collect()
}

fn shows_none(report: &Report, what: &str) {
    for form in forms(report) {
        assert!(!form.contains(SECRET), "{what}: {form}");
    }
}

#[test]
fn build_arguments_passwords_and_secret_variables_of_an_instruction_are_in_no_form() {
    for instruction in [
        format!("RUN |1 ARGUMENT={SECRET} /bin/sh -c make # buildkit"),
        format!("RUN /bin/sh -c git clone https://me:{SECRET}@host/x"),
        format!("ENV API_KEY={SECRET}"),
    ] {
        let mut report = clean();
        report.images[0].layers[1].instruction = Some(instruction.clone());
        let mut found = finding("x", Severity::Error, in_layer(1, '2', "a"));
        found.location.instruction = Some(instruction.clone());
        report.findings = vec![found.clone()];
        report.ignored_findings = vec![Ignored { finding: found, reason: "r".into() }];
        report.ignored = 1;
        shows_none(&report, &instruction);
    }
}

#[test]
fn an_instruction_in_which_something_was_found_is_quoted_nowhere() {
    // A form that nothing here would recognise.
    let instruction = format!("RUN /bin/sh -c login {SECRET} # buildkit");
    let mut report = clean();
    report.images[0].layers[1].instruction = Some(instruction.clone());
    let mut found = finding("token", Severity::Error, in_field(Place::History, "history[1].created_by"));
    found.location.instruction = Some(instruction.clone());
    let mut beside = finding("y", Severity::Error, in_layer(1, '2', "a"));
    beside.location.instruction = Some(instruction.clone());
    report.findings = vec![found.clone(), beside];
    shows_none(&report, "quoted");
    assert!(forms(&report)[0].contains("RUN (not shown: a secret was found in it)"));
    // Ignored, it is a secret all the same.
    report.ignored_findings = vec![Ignored { finding: report.findings.remove(0), reason: "r".into() }];
    report.ignored = 1;
    shows_none(&report, "ignored");
    // Not quoted by the finding: then it may be any.
    found.location.instruction = None;
    report.ignored_findings.clear();
    report.findings = vec![found];
    shows_none(&report, "not quoted");
}
