//! The words of a report: counts, sizes, places and the verdict.
//!
//! Pure. Nothing is escaped here: each form escapes in its own way, when it writes.

use std::collections::HashSet;

use crate::audit::finding::{Finding, Location, Outcome, Place, Report, Severity};

/// `1 layer`, `12,345 layers`; `many` where the plural is another word than that with an s.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as a person says them, in units of 1000 as engines do.
pub(super) fn bytes(number: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let (mut whole, mut unit) = (number, 0);
    while whole >= 999_950 && unit + 1 < units.len() {
        whole /= 1000;
        unit += 1;
    }
    // Tenths, rounded; `whole` is in thousandths of the unit.
    let tenths = (whole + 50) / 100;
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// The start of a digest, for people: `sha256:` and 12 characters.
pub(super) fn short_digest(digest: &str) -> &str {
    let start = digest.find(':').map_or(0, |colon| colon + 1);
    digest.get(..start + 12).unwrap_or(digest)
}

/// The instruction that made a layer as its author wrote it, on one line and without what
/// builders put around it. Long ones are cut to `most` characters.
pub(super) fn instruction(text: &str, most: usize) -> String {
    let mut text = text.trim();
    if let Some(rest) = text.strip_prefix("/bin/sh -c #(nop)") {
        text = rest.trim_start();
    }
    text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    // RUN with arguments: `RUN |1 NAME=value /bin/sh -c command`.
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = match line.strip_prefix("RUN /bin/sh -c ").or_else(|| line.strip_prefix("/bin/sh -c ")) {
        Some(command) => format!("RUN {command}"),
        None => line,
    };
    cut(&line, most)
}

/// At most `most` characters, with `…` where the end is missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// At most `most` characters, with ` … ` in the middle: of a path, both ends matter.
pub(super) fn cut_middle(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let half = most.saturating_sub(3) / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(length - half).collect();
    format!("{head} … {tail}")
}

/// The word for a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// What a location is in, as a heading.
pub(super) fn place_kind(place: Place) -> &'static str {
    match place {
        Place::Layer => "layer",
        Place::Config => "config",
        Place::History => "history",
        Place::Annotation => "annotation",
        Place::Attestation => "attestation",
        Place::Manifest => "manifest",
    }
}

/// Path, path in archives and field, in the order in which one would open them.
pub(super) fn place(location: &Location) -> String {
    let inside = [&location.path, &location.inner].into_iter().flatten().map(String::as_str);
    let mut out = inside.collect::<Vec<_>>().join("!/");
    if let Some(field) = &location.field {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(field);
    }
    if out.is_empty() {
        out.push_str(match location.kind {
            Place::Layer => "(between files)",
            other => place_kind(other),
        });
    }
    out
}

/// What a finding's key is: type, fingerprint, passphrase, whether it is known.
pub(super) fn key(finding: &Finding) -> Option<String> {
    let key = finding.key.as_ref()?;
    let mut out = key.kind.clone();
    if let Some(fingerprint) = &key.fingerprint {
        out.push(' ');
        out.push_str(fingerprint);
    }
    if key.encrypted {
        out.push_str(", encrypted");
    }
    if let Some(source) = &key.known_test_key {
        out.push_str(", known test key of ");
        out.push_str(source);
    }
    Some(out)
}

/// The findings that want to be read, the worst first, and the known test keys, of which a
/// distribution ships dozens.
pub(super) fn known_last<'f>(findings: impl Iterator<Item = &'f Finding>) -> (Vec<&'f Finding>, Vec<&'f Finding>) {
    let is_known = |finding: &&Finding| {
        let key = finding.key.as_ref();
        finding.severity == Severity::Note && key.is_some_and(|key| key.known_test_key.is_some())
    };
    let (known, mut others): (Vec<_>, Vec<_>) = findings.partition(is_known);
    others.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    (others, known)
}

/// `1 image, 4 layers, 12,345 files`: a layer that several images share was read once and is
/// counted once.
fn read(report: &Report) -> String {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut layers = 0;
    for image in &report.images {
        layers += image.layers.iter().filter(|layer| !seen.contains(layer.diff_id.as_str())).count() as u64;
        seen.extend(image.layers.iter().map(|layer| layer.diff_id.as_str()));
    }
    let images = count(report.images.len() as u64, "image", "images");
    format!("{images}, {}, {}", count(layers, "layer", "layers"), count(report.files, "file", "files"))
}

/// `2 secrets, 1 warning`: what the findings are, worst first.
pub(super) fn tally(report: &Report) -> String {
    let parts = [
        (Severity::Error, "secret", "secrets"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ];
    let parts = parts.into_iter().filter_map(|(severity, one, many)| {
        let number = report.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        (number > 0).then(|| count(number, one, many))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The audit in one line. It says that there is no private key only where every byte was read
/// and nothing but notes was found.
#[must_use]
pub fn verdict(report: &Report) -> String {
    let read = read(report);
    let gaps = match report.unread_places() {
        0 if report.images.is_empty() => "no image was read".to_owned(),
        0 => "something could not be read".to_owned(),
        1 => "1 place could not be read and may hold anything".to_owned(),
        number => format!("{} places could not be read and may hold anything", grouped(number)),
    };
    let found = count(report.findings.len() as u64, "finding", "findings");
    let ignored = match report.ignored {
        0 => String::new(),
        number => format!("; {}", count(number, "finding ignored", "findings ignored")),
    };
    // Notes alone are no finding that counts; among them are keys that everybody has.
    let notes = match report.worst() {
        Some(Severity::Note) => format!("; {}", tally(report)),
        _ => String::new(),
    };
    let said = match (report.outcome(), report.is_complete()) {
        (Outcome::Clean, _) => format!("no private key in {read}"),
        (Outcome::Findings, true) => format!("{found} in {read}: {}", tally(report)),
        (Outcome::Findings, false) => {
            format!("{found} in {read}: {}; the audit is not complete: {gaps}", tally(report))
        }
        (Outcome::Incomplete, _) if report.images.is_empty() => {
            format!("the audit is not complete, so it proves nothing: {gaps}")
        }
        (Outcome::Incomplete, _) => {
            format!("the audit is not complete, so it proves nothing: {gaps}; nothing was found in the rest of {read}")
        }
    };
    said + &notes + &ignored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups_of_three() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12345, "12,345"), (1_234_567, "1,234,567"), (123_456, "123,456")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_size_has_one_digit_behind_the_point_and_never_1000_of_a_unit() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1049, "1.0 kB"),
            (1050, "1.1 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (74_812_345, "74.8 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn an_instruction_is_shown_as_its_author_wrote_it() {
        for (history, text) in [
            ("/bin/sh -c #(nop) COPY file:ab in /root", "COPY file:ab in /root"),
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
            ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
            ("/bin/sh -c make", "RUN make"),
            ("COPY . /app # buildkit", "COPY . /app"),
            ("RUN a &&\\\n\t b", "RUN a &&\\ b"),
        ] {
            assert_eq!(instruction(history, 100), text);
        }
        assert_eq!(instruction("RUN abcdef", 10), "RUN abcdef");
        assert_eq!(instruction("RUN abcdefg", 10), "RUN abcde…");
    }

    #[test]
    fn a_digest_of_any_shape_is_cut_without_a_panic() {
        assert_eq!(short_digest("sha256:0123456789abcdef"), "sha256:0123456789ab");
        for odd in ["", "sha256:", "ééééééé", ":", "sha256:é"] {
            assert!(odd.starts_with(short_digest(odd)));
        }
    }
}
