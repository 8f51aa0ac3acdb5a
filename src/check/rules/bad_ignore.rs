//! Comments that ask to ignore something and do not count.

use super::RULES;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::ignore;
use crate::check::rule::{Example, Rule};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "bad-ignore",
    about: "a comment that asks to ignore a finding, and does not count",
    why: "A comment without a reason, or for a rule that does not exist or finds nothing there, hides from the next reader what was decided.",
    remedy: "write `# valetkey: ignore RULE reason`, in one line, above what it means or behind it",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\n«# valetkey: ignore ssh-keyscan»\nRUN ssh-keyscan h\n"),
        Example::new("compose.yaml", "services: {} «# valetkey: ignore no-such-rule for a reason»\n"),
        Example::new(
            "Dockerfile",
            "FROM a\n# valetkey: ignore ssh-keyscan the lab has no other way\nRUN ssh-keyscan h\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for comment in ignore::comments(file.text, &[]) {
        let unknown = comment.rules.iter().find(|id| !RULES.iter().any(|rule| rule.id == **id));
        let message = match (comment.rules.is_empty(), unknown, comment.reason.is_empty()) {
            (true, ..) => "no rule is named".to_owned(),
            (_, Some(id), _) => format!("there is no rule \"{}\"", shown(id.as_bytes())),
            (_, None, true) => "no reason is given".to_owned(),
            (_, None, false) => continue,
        };
        found.push(Found::new(comment.span, message));
    }
}
