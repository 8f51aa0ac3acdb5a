//! One file through every rule, and what comes of it: findings with lines, ignored ones, fixes.

use std::ops::Range;

use super::around::Around;
use super::file::{File, FileError, Kind};
use super::finding::{Edit, Finding, Fix, Found, Ignored, Offer, PlacedEdit};
use super::fix::{self, MAX_ROUNDS};
use super::ignore::{self, Comment};
use super::lines::Lines;
use super::mapped::Mapped;
use super::rule::Rule;
use super::rules::{BAD_IGNORE, RULES};

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Looked {
    /// In the order of their places.
    pub findings: Vec<Finding>,
    /// What comments say to ignore.
    pub ignored: Vec<Ignored>,
    /// Whether not all of it was looked at.
    pub is_cut: bool,
    /// The fixes of those findings that `--fix` makes.
    fixes: Vec<Fix>,
}

/// Looks at a file.
///
/// # Errors
/// [`FileError`]: it cannot be read as what it is.
pub fn look(path: &str, text: &[u8], kind: Kind, around: &Around<'_>) -> Result<Looked, FileError> {
    let file = File::read(path, text, kind, around)?;
    let mut found = all(&file);
    let mut cut = file.is_cut();
    for inline in &file.inline {
        if let Ok(inner) = File::read(path, &inline.text, Kind::Dockerfile, around) {
            found.extend(all(&inner).into_iter().map(|(rule, inner)| (rule, outside(inner, inline))));
            cut |= inner.is_cut();
        }
    }
    let units: Vec<Range<usize>> =
        file.dockerfile.instructions().map(|(_, instruction)| instruction.span.clone()).collect();
    let comments = ignore::comments(text, &units);
    let by_place = ByPlace::new(&comments);
    let mut used = vec![false; comments.len()];
    let lines = Lines::new(text);
    let mut looked = Looked { is_cut: cut, ..Looked::default() };
    found.sort_by_key(|(rule, found)| (found.at.start, found.at.end, rule.id));
    found.dedup_by(|(rule, found), (before, other)| rule.id == before.id && found.at == other.at);
    for (rule, found) in found {
        let ignoring = by_place.ignoring(&comments, rule, &found);
        let finding = finding(path, rule, &found, &lines);
        match ignoring.and_then(|index| Some((comments.get(index)?, used.get_mut(index)?))) {
            Some((comment, used)) => {
                *used = true;
                looked.ignored.push(Ignored { finding, reason: comment.reason.clone() });
            }
            None => {
                looked.findings.push(finding);
                looked.fixes.extend(found.fix.filter(|fix| fix.is_safe));
            }
        }
    }
    for (comment, _) in comments.iter().zip(used).filter(|(comment, used)| !used && is_whole(comment)) {
        let found = Found::new(
            comment.span.clone(),
            format!("nothing that {} finds is here to be ignored", comment.rules.join(" or ")),
        )
        .remedy("take the comment out");
        looked.findings.push(finding(path, &BAD_IGNORE, &found, &lines));
    }
    looked.findings.sort_by_key(|finding| (finding.line, finding.column));
    Ok(looked)
}

/// The text after every fix that can be made, and how many were.
///
/// # Errors
/// [`FileError`]: it cannot be read as what it is.
pub fn fixed(path: &str, text: &[u8], kind: Kind, around: &Around<'_>) -> Result<(Vec<u8>, usize), FileError> {
    let mut text = text.to_vec();
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        let looked = look(path, &text, kind, around)?;
        let fixes: Vec<&Fix> = looked.fixes.iter().collect();
        let (changed, made) = fix::apply(&text, &fixes);
        if made == 0 || changed == text {
            break;
        }
        text = changed;
        all += made;
    }
    Ok((text, all))
}

fn all(file: &File<'_>) -> Vec<(&'static Rule, Found)> {
    let mut all = Vec::new();
    for &rule in RULES {
        let mut found = Vec::new();
        (rule.check)(file, &mut found);
        all.extend(found.into_iter().map(|found| (rule, found)));
    }
    all
}

/// A finding in a Dockerfile that stands in another file. A fix that adds lines would have to know that
/// file's indentation, so it is not made.
fn outside(mut found: Found, inline: &Mapped) -> Found {
    found.at = inline.span(found.at);
    found.fix = found.fix.filter(|fix| inline.is_exact && fix.edits.iter().all(|edit| !spans_lines(edit, inline)));
    for edit in found.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
        let span = inline.span(edit.start..edit.end);
        (edit.start, edit.end) = (span.start, span.end);
    }
    found
}

fn spans_lines(edit: &Edit, inline: &Mapped) -> bool {
    let old = inline.text.get(edit.start..edit.end).unwrap_or_default();
    edit.text.contains(&b'\n') || old.contains(&b'\n')
}

/// Comments in the order of what they mean.
struct ByPlace(Vec<usize>);

/// Comments that are tried for one finding.
const MAX_TRIED: usize = 64;

impl ByPlace {
    fn new(comments: &[Comment]) -> Self {
        let mut order: Vec<usize> = (0..comments.len()).collect();
        order.sort_by_key(|index| comments.get(*index).map(|comment| comment.target.start));
        Self(order)
    }

    /// The comment that means this finding, if one does.
    fn ignoring(&self, comments: &[Comment], rule: &Rule, found: &Found) -> Option<usize> {
        let starts = |index: &usize| comments.get(*index).is_some_and(|comment| comment.target.start <= found.at.start);
        let before = self.0.get(..self.0.partition_point(starts)).unwrap_or_default();
        let mut near = before.iter().rev().take(MAX_TRIED);
        near.find(|index| comments.get(**index).is_some_and(|comment| ignores(comment, rule, found))).copied()
    }
}

fn ignores(comment: &Comment, rule: &Rule, found: &Found) -> bool {
    let named = comment.rules.iter().any(|id| id == rule.id);
    let there =
        comment.target.start <= found.at.start && found.at.start < comment.target.end.max(comment.target.start + 1);
    is_whole(comment) && named && there && rule.id != BAD_IGNORE.id
}

/// Whether it says everything that it has to: only then does it count.
fn is_whole(comment: &Comment) -> bool {
    let known = |id: &String| RULES.iter().any(|rule| rule.id == id);
    !comment.reason.is_empty() && !comment.rules.is_empty() && comment.rules.iter().all(known)
}

fn finding(path: &str, rule: &Rule, found: &Found, lines: &Lines<'_>) -> Finding {
    let (line, column) = lines.place(found.at.start);
    let (end_line, end_column) = lines.place(found.at.end);
    let placed = |edit: &Edit| {
        let ((line, column), (end_line, end_column)) = (lines.place(edit.start), lines.place(edit.end));
        PlacedEdit { line, column, end_line, end_column, text: String::from_utf8_lossy(&edit.text).into_owned() }
    };
    let offer = |fix: &Fix| Offer {
        title: fix.title.clone(),
        automatic: fix.is_safe,
        edits: fix.edits.iter().map(placed).collect(),
    };
    Finding {
        path: path.to_owned(),
        line,
        column,
        end_line,
        end_column,
        rule: rule.id.to_owned(),
        severity: rule.severity,
        message: found.message.clone(),
        remedy: found.remedy.clone().unwrap_or_else(|| rule.remedy.to_owned()),
        fix: found.fix.as_ref().map(offer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::around::Given;
    use crate::hosts::Hosts;

    fn with<T>(of: impl FnOnce(&Around<'_>) -> T) -> T {
        let (files, hosts) = (Given::default(), Hosts::builtin());
        of(&Around { files: &files, hosts: &hosts })
    }

    fn rules(path: &str, text: &str, kind: Kind) -> (Vec<String>, Vec<String>) {
        let looked = with(|around| look(path, text.as_bytes(), kind, around)).unwrap();
        let show = |finding: &Finding| format!("{}:{}:{}", finding.line, finding.column, finding.rule);
        (
            looked.findings.iter().map(show).collect(),
            looked.ignored.iter().map(|ignored| show(&ignored.finding)).collect(),
        )
    }

    #[test]
    fn an_ignored_finding_is_counted_and_a_comment_that_does_not_count_is_a_finding() {
        let of = |comment: &str| {
            let text = format!("FROM a\n{comment}\nRUN x && \\\n  ssh-keyscan h > k\n");
            rules("Dockerfile", &text, Kind::Dockerfile)
        };
        let scan = || "4:3:ssh-keyscan".to_owned();
        assert_eq!(of("# valetkey: ignore ssh-keyscan a lab without other ways"), (vec![], vec![scan()]));
        assert_eq!(of("# valetkey: ignore ssh-keyscan"), (vec!["2:1:bad-ignore".into(), scan()], vec![]));
        assert_eq!(of("# valetkey: ignore keyscan why"), (vec!["2:1:bad-ignore".into(), scan()], vec![]));
        let text = "FROM a\n# valetkey: ignore ssh-keyscan why\nRUN x\n";
        assert_eq!(rules("Dockerfile", text, Kind::Dockerfile), (vec!["2:1:bad-ignore".into()], vec![]));
    }

    #[test]
    fn a_dockerfile_inside_of_another_file_is_checked_in_its_place() {
        let text =
            "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a\n        RUN ssh-keyscan h > k\n";
        assert_eq!(rules("compose.yaml", text, Kind::Compose).0, ["6:13:ssh-keyscan"]);
        let text = "target \"a\" {\n  dockerfile-inline = \"FROM a\\nRUN ssh-keyscan h > k\"\n}\n";
        assert_eq!(rules("docker-bake.hcl", text, Kind::Bake).0, ["2:23:ssh-keyscan"]);
    }
}
