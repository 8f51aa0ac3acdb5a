//! `ssh-keyscan`: host keys from whoever answers.

use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ssh-keyscan",
    about: "host keys that come from ssh-keyscan",
    why: "ssh-keyscan asks the network who the server is, and believes whoever answers: that is what host keys are there against.",
    remedy: "leave it out: valetkey gives the build pinned host keys; pin others with `valetkey host add`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN «ssh-keyscan github.com >> /root/.ssh/known_hosts»\n"),
        Example::new("Dockerfile", "FROM a\nRUN echo ssh-keyscan # ssh-keyscan github.com\n"),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for command in file.commands().filter(|command| command.program() == b"ssh-keyscan") {
        found.push(Found::new(command.span.clone(), "host keys are asked of whoever answers, and trusted"));
    }
}
