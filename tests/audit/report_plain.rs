//! The table: what it says, and that no text of an image gets out of its place.

use valetkey::audit::finding::{Report, Severity, Unread};
use valetkey::report::{Format, MIN_WIDTH, View, render, verdict};

use super::report_made::{clean, finding, full, hostile, in_layer};

fn table(report: &Report, view: View) -> String {
    String::from_utf8(render(Format::Table, report, &view)).unwrap()
}

fn wide(report: &Report) -> String {
    table(report, View { colour: false, width: 120 })
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap()
}

#[test]
fn an_image_without_a_finding_is_said_to_be_clean_in_the_first_line() {
    assert_eq!(wide(&clean()).lines().next().unwrap(), "no private key in 1 image, 4 layers, 12,345 files");
    let mut small = clean();
    small.images[0].layers.truncate(1);
    small.files = 1;
    assert_eq!(verdict(&small), "no private key in 1 image, 1 layer, 1 file");
    small.images.push(small.images[0].clone());
    // Shared, and read once.
    assert_eq!(verdict(&small), "no private key in 2 images, 1 layer, 1 file");
}

#[test]
fn findings_are_counted_by_what_they_are() {
    let report = Report { complete: true, unread: vec![], ..full() };
    let expected = "7 findings in 3 images, 7 layers, 12,345 files: 4 secrets, 2 warnings, 1 note; 1 finding ignored";
    assert_eq!(last_line(&wide(&report)), expected);
    let mut one = clean();
    one.findings = vec![finding("x", Severity::Note, in_layer(0, '1', "a"))];
    assert_eq!(verdict(&one), "no private key in 1 image, 4 layers, 12,345 files; 1 note");
}

#[test]
fn an_audit_that_did_not_read_everything_says_so_and_never_that_there_is_no_key() {
    let gap = || Unread { place: "x".into(), reason: "y".into(), ..Unread::default() };
    let cases = [
        Report { complete: false, ..clean() },
        Report { unread: vec![gap()], ..clean() },
        Report { unread_more: 1, ..clean() },
        Report { images: vec![], ..clean() },
        Report::default(),
        Report { complete: false, unread: vec![gap()], ..full() },
    ];
    for report in cases {
        let text = wide(&report);
        assert!(!text.contains("no private key"), "{text}");
        assert!(last_line(&text).contains("the audit is not complete"), "{text}");
    }
    let verdict = verdict(&Report { unread: vec![gap(), gap()], ..clean() });
    assert_eq!(
        verdict,
        "the audit is not complete, so it proves nothing: 2 places could not be read and may hold anything; \
         nothing was found in the rest of 1 image, 4 layers, 12,345 files"
    );
}

#[test]
fn a_finding_is_shown_with_all_that_one_needs_to_act() {
    let text = wide(&full());
    for part in [
        "app:latest (linux/amd64)",
        "app:latest (linux/arm64)",
        "error  openssh-private-key",
        "root/.ssh/id_ed25519",
        "ssh-ed25519 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
        "by layer 5, and still in the image",
        "COPY id_ed25519 /root/.ssh/id_ed25519",
        "opt/cache/wheels/private_lib-1.2-py3-none-any.whl!/private_lib/_version.py",
        "byte 18,233, in gzip in base64",
        "known test key of python3.13 3.13.5-2",
        "Env.NPM_TOKEN",
        "history[3].created_by",
        "revoke the token, and pass it with --mount=type=secret",
        "app/vendor/assets.zip: 3 of its entries are encrypted",
        "opt/data.tar.xz!/inner.tar: it is nested deeper than 8 archives",
        "1 finding ignored by valetkey.toml",
        "the key of the manual, which opens nothing",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn known_test_keys_take_a_line_for_each_file_and_stand_behind_what_counts() {
    let mut report = full();
    let test =
        report.findings.iter().find(|finding| finding.key.as_ref().is_some_and(|key| key.known_test_key.is_some()));
    let test = valetkey::audit::finding::Finding { severity: Severity::Note, ..test.unwrap().clone() };
    report.findings = vec![test.clone(); 40];
    for (path, findings) in ["usr/lib/a.so", "usr/lib/b.so"].iter().zip(report.findings.chunks_mut(39)) {
        findings.iter_mut().for_each(|finding| finding.location.path = Some((*path).into()));
    }
    report.findings.push(finding("worse", Severity::Warning, test.location.clone()));
    report.findings.push(finding("worst", Severity::Error, test.location.clone()));
    let text = wide(&report);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing in\n{text}"));
    let lines = [
        "error  worst",
        "warning  worse",
        "note  known test keys: nothing, as long as nothing trusts it",
        "usr/lib/a.so: 39 known test keys of python3.13 3.13.5-2",
        "usr/lib/b.so: ssh-rsa SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU, known test key of python3.13 3.13.5-2",
    ];
    assert!(lines.map(at).is_sorted(), "{text}");
    assert_eq!(text.matches("python3.13 3.13.5-2").count(), 2, "{text}");
}

#[test]
fn a_finding_of_an_image_or_a_layer_that_nobody_knows_is_shown_too() {
    let mut report = clean();
    report.findings = vec![
        finding("in-no-layer", Severity::Error, in_layer(99, '1', "a")),
        finding("in-no-image", Severity::Error, in_layer(0, '1', "b")),
    ];
    report.findings[1].image = "another".into();
    let text = wide(&report);
    assert!(text.contains("in-no-layer") && text.contains("in-no-image"), "{text}");
}

#[test]
fn no_text_of_an_image_writes_to_the_terminal_or_looks_like_a_line_of_ours() {
    for width in [0, MIN_WIDTH, 79, 100, 200] {
        let report = hostile();
        let text = table(&report, View { colour: false, width });
        let control = |c: char| c.is_control() && c != '\n';
        let turned = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!text.contains(|c| control(c) || turned(c)), "{text}");
        for line in text.lines().filter(|line| !line.is_empty()) {
            let ours = ["image ", "not read", "1 finding ignored by valetkey.toml", "7 findings in 3 images"];
            assert!(line.starts_with(' ') || ours.iter().any(|start| line.starts_with(start)), "{line:?}");
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("no private key")).count(), 0);
    }
}

#[test]
fn no_line_but_the_verdict_is_longer_than_the_terminal() {
    for width in [MIN_WIDTH, 60, 80, 120] {
        for report in [clean(), full(), hostile()] {
            let text = table(&report, View { colour: false, width });
            let verdict = verdict(&report);
            for line in text.lines().filter(|line| *line != verdict) {
                assert!(line.chars().count() <= width, "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn colour_is_the_callers_to_ask_for_and_changes_no_word() {
    let plain = table(&full(), View { colour: false, width: 100 });
    let coloured = table(&full(), View { colour: true, width: 100 });
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[1;31m"));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, behind)) = rest.split_once('\x1b') {
        stripped.push_str(before);
        rest = behind.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}
