//! What holds for every report, whatever was audited: it is not complete where something was not
//! read, its numbers fit one another, and nothing of an image writes to a terminal or a page.

use std::sync::LazyLock;

use serde_json::Value;
use valetkey::audit::finding::{Outcome, Place, Report};
use valetkey::audit::read::Audit;
use valetkey::audit::scan::Scanner;
use valetkey::cli::audit::looking::Looking;
use valetkey::image::digest::Digest;
use valetkey::image::limits::MAX_LAYERS;
use valetkey::image::source::{Source, SourceError};
use valetkey::report::{Format, View, render};
use valetkey::ui::progress::Done;
use valetkey::wire::text::is_harmless;

/// What an image is called that does not say.
pub(crate) const NAME: &str = "the image";

/// What begins in a page that could do more than show text.
const TAGS: [&str; 5] = ["<script", "<style", "<img", "<iframe", "<svg"];

/// Audits with the rules of `valetkey audit`.
pub(crate) fn audit(source: Source) -> Result<Report, SourceError> {
    static RULES: LazyLock<Scanner> = LazyLock::new(|| Looking::default().scanner().0);
    let report = Audit { scanner: &RULES, threads: 1, done: &Done::default(), cache: None }.run(NAME, source)?;
    holds(&report);
    Ok(report)
}

fn holds(report: &Report) {
    let whole = report.unread.is_empty() && report.unread_more == 0 && !report.images.is_empty();
    assert_eq!(report.complete, whole);
    assert!(report.outcome() != Outcome::Clean || whole, "nothing passes for clean that was not all read");
    for image in &report.images {
        assert!(image.layers.len() <= MAX_LAYERS);
        let digests = image.layers.iter().flat_map(|layer| [&layer.digest, &layer.diff_id]);
        assert!(digests.chain([&image.digest]).all(|digest| Digest::parse(digest).is_some()));
    }
    for finding in &report.findings {
        let at = &finding.location;
        let image = report.images.iter().filter(|image| image.name == finding.image);
        if let Some(index) = at.layer {
            let digest = at.digest.as_deref();
            let mut layers = image.filter_map(|image| image.layers.get(index).zip(Some(image.layers.len())));
            let own = layers.find(|(layer, _)| Some(layer.digest.as_str()) == digest);
            let (own, count) = own.expect("the layer of a finding is in the report");
            assert!(at.path.is_some() || at.offset < Some(own.unpacked), "{finding:?}");
            assert!(at.hidden_by.is_none_or(|by| index < by && by < count), "{finding:?}");
        }
        assert_eq!(at.kind == Place::Layer, at.field.is_none(), "{finding:?}");
        assert!(at.inner.is_none() || at.path.is_some(), "{finding:?}");
        assert!(finding.rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    }
}

/// Every form of it.
pub(crate) fn shown(report: &Report) {
    static OWN: LazyLock<[usize; TAGS.len()]> = LazyLock::new(|| tags(&in_form(Format::Html, &Report::default())));
    let table = in_form(Format::Table, report);
    assert!(!table.contains(|c| !is_harmless(c) && c != '\n'), "{table:?}");
    let json: Value = serde_json::from_str(&in_form(Format::Json, report)).expect("JSON");
    for (list, count) in [("findings", report.findings.len()), ("unread", report.unread.len())] {
        assert_eq!(json[list].as_array().map(Vec::len), Some(count));
    }
    serde_json::from_str::<Value>(&in_form(Format::Sarif, report)).expect("SARIF");
    let page = in_form(Format::Html, report);
    assert!(!page.contains(|c| !is_harmless(c) && c != '\n'), "{page:?}");
    assert_eq!(tags(&page), *OWN, "an image has no tag of its own");
}

fn in_form(format: Format, report: &Report) -> String {
    String::from_utf8(render(format, report, &View::default())).expect("a report is text")
}

/// How often each of [`TAGS`] is in a page.
fn tags(page: &str) -> [usize; TAGS.len()] {
    TAGS.map(|tag| page.matches(tag).count())
}

/// A report in one order, to be compared.
pub(crate) fn sorted(report: &Report) -> Value {
    let mut value = serde_json::to_value(report).expect("JSON");
    for list in ["findings", "unread"] {
        value[list].as_array_mut().expect("a list").sort_by_key(ToString::to_string);
    }
    value
}
