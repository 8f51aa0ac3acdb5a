//! `StrictHostKeyChecking no` and what has the same effect.

use std::ops::Range;

use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::mapped::Mapped;
use crate::check::rule::{Example, Rule};

/// Options of ssh_config(5), in lower case, and the values with which a host key does not count.
const OPTIONS: [(&[u8], &[&[u8]]); 3] = [
    (b"stricthostkeychecking", &[b"no", b"off", b"accept-new"]),
    (b"userknownhostsfile", &[b"/dev/null", b"none"]),
    (b"globalknownhostsfile", &[b"/dev/null", b"none"]),
];

pub(super) const RULE: Rule = Rule {
    id: "host-key-unchecked",
    about: "an ssh that takes any host key",
    why: "Without a known host key, ssh cannot tell the forge from whoever stands in between: that one can give the build another program to install.",
    remedy: "leave the option out: valetkey gives the build pinned host keys; pin others with `valetkey host add`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh ssh -o «StrictHostKeyChecking=no» git@h\n"),
        Example::new("Dockerfile", "FROM a\nENV «GIT_SSH_COMMAND=\"ssh -o StrictHostKeyChecking=accept-new\"»\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN «GIT_SSH_COMMAND=\"ssh -oUserKnownHostsFile=/dev/null\"» git clone x\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN echo «\"Host *\\n  StrictHostKeyChecking no\"» >> /etc/ssh/ssh_config\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN cat <<EOF > ~/.ssh/config\nHost *\n  «stricthostkeychecking off»\nEOF\n",
        ),
        Example::new("Dockerfile", "FROM a\nCOPY <<EOF /etc/ssh/ssh_config\n«StrictHostKeyChecking no»\nEOF\n"),
        Example::new(
            "compose.yaml",
            "services:\n  a:\n    build:\n      context: .\n      args:\n        «GIT_SSH_COMMAND: ssh -o StrictHostKeyChecking=no»\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - echo -e «\"Host *\\n\\tStrictHostKeyChecking no\\n\"» > ~/.ssh/config\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    env:\n      «GIT_SSH_COMMAND: ssh -o StrictHostKeyChecking=no»\n    steps: []\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\n# StrictHostKeyChecking no\nRUN ssh -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/etc/k git@h\nENV X=StrictHostKeyChecking\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for command in file.commands() {
        let words: Vec<_> = command.all_words().collect();
        for (at, word) in words.iter().enumerate() {
            // A word that is a script is read as one; it is looked at in its own commands.
            let is_script = at > 0
                && words.get(at - 1).is_some_and(|before| before.text.starts_with(b"-") && before.text.ends_with(b"c"));
            if let Some((option, _)) = open(&word.text).filter(|_| !is_script) {
                found.push(named(word.span.clone(), option));
            }
        }
        let bodies = command.redirects.iter().filter_map(|redirect| redirect.body.as_ref());
        bodies.for_each(|body| lines(body, found));
    }
    let copied = file.dockerfile.instructions().filter(|(_, instruction)| instruction.keyword != "RUN");
    copied.flat_map(|(_, instruction)| &instruction.heredocs).for_each(|body| lines(body, found));
    for setting in &file.settings {
        if let Some((option, _)) = setting.value.as_deref().and_then(open) {
            found.push(named(setting.span.clone(), option));
        }
    }
    found.sort_by_key(|found| (found.at.start, found.at.end));
    found.dedup();
}

/// The lines of a file that is written.
fn lines(body: &Mapped, found: &mut Vec<Found>) {
    let mut at = 0;
    for line in body.text.split(|byte| *byte == b'\n') {
        if let Some((option, range)) = open(line).filter(|_| !line.trim_ascii_start().starts_with(b"#")) {
            found.push(named(body.span(at + range.start..at + range.end), option));
        }
        at += line.len() + 1;
    }
}

fn named(span: Range<usize>, option: &str) -> Found {
    Found::new(span, format!("{option}: any host key is taken"))
}

/// The first option in a text that turns the check off, as ssh_config spells it with its value, and its
/// range there.
fn open(text: &[u8]) -> Option<(&'static str, Range<usize>)> {
    let lower = text.to_ascii_lowercase();
    let mut first: Option<(&'static str, Range<usize>)> = None;
    for (name, values) in OPTIONS {
        for at in memchr::memmem::find_iter(&lower, name) {
            let rest = lower.get(at + name.len()..).unwrap_or_default();
            let between = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'=' | b'"' | b'\'')).count();
            let value = rest.get(between..).unwrap_or_default();
            let fits = |known: &&&[u8]| {
                value.starts_with(known)
                    && value
                        .get(known.len())
                        .is_none_or(|byte| !(byte.is_ascii_alphanumeric() || b"-_./".contains(byte)))
            };
            let Some(known) = values.iter().find(fits).filter(|_| between > 0) else { continue };
            let range = at..at + name.len() + between + known.len();
            if first.as_ref().is_none_or(|(_, before)| range.start < before.start) {
                first = Some((spelled(name, known), range));
            }
        }
    }
    first
}

fn spelled(name: &[u8], value: &[u8]) -> &'static str {
    match (name, value) {
        (b"stricthostkeychecking", b"accept-new") => "StrictHostKeyChecking accept-new",
        (b"stricthostkeychecking", _) => "StrictHostKeyChecking no",
        (b"userknownhostsfile", _) => "UserKnownHostsFile /dev/null",
        _ => "GlobalKnownHostsFile /dev/null",
    }
}
