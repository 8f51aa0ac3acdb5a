//! Takes secrets out of what a report quotes: instructions, which hold build arguments, passwords
//! in addresses, and whatever was found in the history.
//!
//! Goes over the whole report before any form of it is written, so that none can forget it. Where
//! it cannot tell, it takes out too much.

use std::collections::HashSet;

use crate::audit::finding::{Finding, Location, Place, Report, Severity};

/// What stands in place of a value.
const GONE: &str = "***";
/// Words in a name whose value is not shown, in upper case.
const NAMES: [&str; 8] = ["PASS", "SECRET", "TOKEN", "CREDENTIAL", "KEY", "AUTH", "PRIVATE", "PWD"];

/// Takes what was lent out of every text that the report quotes: `clean` gives the text without it,
/// where it is in there.
pub fn lent(report: &mut Report, clean: &dyn Fn(&str) -> Option<String>) {
    let one = |text: &mut String| {
        if let Some(cleaned) = clean(text) {
            *text = cleaned;
        }
    };
    let some = |text: &mut Option<String>| text.iter_mut().for_each(one);
    let in_finding = |finding: &mut Finding| {
        [&mut finding.image, &mut finding.message].into_iter().for_each(one);
        let Location { path, inner, instruction, field, .. } = &mut finding.location;
        [&mut finding.platform, path, inner, instruction, field].into_iter().for_each(some);
    };
    for image in &mut report.images {
        one(&mut image.name);
        some(&mut image.platform);
        image.layers.iter_mut().for_each(|layer| some(&mut layer.instruction));
    }
    report.findings.iter_mut().for_each(in_finding);
    report.ignored_findings.iter_mut().for_each(|ignored| in_finding(&mut ignored.finding));
    for unread in &mut report.unread {
        [&mut unread.place, &mut unread.reason].into_iter().for_each(one);
        [&mut unread.image, &mut unread.platform].into_iter().for_each(some);
    }
}

/// The same report without the values that its instructions hold.
pub(super) fn redact(report: &Report) -> Report {
    let mut report = report.clone();
    let all = report.findings.iter().chain(report.ignored_findings.iter().map(|ignored| &ignored.finding));
    let in_history: Vec<_> =
        all.filter(|finding| finding.location.kind == Place::History && finding.severity > Severity::Note).collect();
    let texts: HashSet<String> = in_history.iter().filter_map(|finding| finding.location.instruction.clone()).collect();
    // A finding in the history that does not quote it: any of the image's instructions may be it.
    let unquoted = in_history.iter().filter(|finding| finding.location.instruction.is_none());
    let images: HashSet<String> = unquoted.map(|finding| finding.image.clone()).collect();
    let clean = |image: &str, instruction: &mut Option<String>| {
        if let Some(text) = instruction {
            let known = texts.contains(text.as_str()) || images.contains(image);
            *text = if known { taken_out(text) } else { without_values(text) };
        }
    };
    for image in &mut report.images {
        for layer in &mut image.layers {
            clean(&image.name, &mut layer.instruction);
        }
    }
    let in_finding = |finding: &mut Finding| clean(&finding.image, &mut finding.location.instruction);
    report.findings.iter_mut().for_each(in_finding);
    report.ignored_findings.iter_mut().for_each(|ignored| in_finding(&mut ignored.finding));
    report
}

/// What is left of an instruction that holds a secret: its name.
fn taken_out(text: &str) -> String {
    let text = text.trim().trim_start_matches("/bin/sh -c #(nop)").trim_start();
    let name = text.split_whitespace().next().unwrap_or_default();
    let name =
        if (2..=11).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_uppercase()) { name } else { "RUN" };
    format!("{name} (not shown: a secret was found in it)")
}

/// Without the values of build arguments, of variables whose name says that they are secret, and
/// without user and password in addresses.
fn without_values(text: &str) -> String {
    let text = without_arguments(text);
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        out.push_str(&without_password(&without_value(word)));
    }
    out
}

/// BuildKit and the older builder write `RUN |2 A=x B=y z /bin/sh -c command`. Values may hold
/// spaces, so all up to the last shell goes.
fn without_arguments(text: &str) -> String {
    let Some((head, arguments)) = text.split_once('|') else { return text.to_owned() };
    let counted = arguments.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(head.trim(), "" | "RUN") || counted == 0 {
        return text.to_owned();
    }
    match arguments.rfind("/bin/sh -c ") {
        Some(shell) => format!("RUN {}", arguments.get(shell..).unwrap_or_default()),
        None => format!("RUN |{GONE}"),
    }
}

/// `NAME=value` where the name says that the value is secret; `--flag=value` alike.
fn without_value(word: &str) -> String {
    let Some((name, value)) = word.split_once('=') else { return word.to_owned() };
    let upper = name.to_ascii_uppercase();
    if value.trim().is_empty() || !NAMES.iter().any(|part| upper.contains(part)) {
        return word.to_owned();
    }
    let end = value.trim_end().len();
    format!("{name}={GONE}{}", value.get(end..).unwrap_or_default())
}

/// `scheme://user:password@host`, wherever it stands in a word. A user alone may be a token; `git`
/// is what every forge calls its account.
fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(authority);
    match authority.rsplit_once('@') {
        Some(("git", _)) | None => format!("{scheme}://{authority}{}", without_password(behind)),
        Some((_, host)) => format!("{scheme}://{GONE}@{host}{}", without_password(behind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_may_be_secret_are_not_shown_and_the_rest_is() {
        for (text, shown) in [
            ("RUN |2 A=x y B=z /bin/sh -c make all # buildkit", "RUN /bin/sh -c make all # buildkit"),
            ("|1 A=x /bin/sh -c make", "RUN /bin/sh -c make"),
            ("RUN |1 A=x python -c import", "RUN |***"),
            ("RUN /bin/sh -c a | b", "RUN /bin/sh -c a | b"),
            ("ENV NPM_TOKEN=abc PORT=80", "ENV NPM_TOKEN=*** PORT=80"),
            ("RUN x --password=abc\ty", "RUN x --password=***\ty"),
            ("RUN git clone https://me:pw@host/a@b.git", "RUN git clone https://***@host/a@b.git"),
            ("RUN git clone https://host/a@b.git", "RUN git clone https://host/a@b.git"),
            ("RUN pip install git+ssh://git@host/x", "RUN pip install git+ssh://git@host/x"),
            ("RUN git clone https://git:pw@host/x", "RUN git clone https://***@host/x"),
            ("RUN git clone https://ghp_x@host/x", "RUN git clone https://***@host/x"),
            ("RUN x a=https://u:p@h/?n=https://v:q@i/", "RUN x a=https://***@h/?n=https://***@i/"),
        ] {
            assert_eq!(without_values(text), shown);
        }
    }

    #[test]
    fn of_an_instruction_with_a_secret_only_its_name_is_left() {
        for (text, name) in [
            ("/bin/sh -c #(nop) ENV A=secret", "ENV"),
            ("RUN echo secret > x", "RUN"),
            ("secret", "RUN"),
            ("/bin/sh -c echo secret", "RUN"),
            ("", "RUN"),
        ] {
            assert_eq!(taken_out(text), format!("{name} (not shown: a secret was found in it)"));
        }
    }
}
