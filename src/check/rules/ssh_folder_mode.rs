//! `mkdir -m 0600 ~/.ssh`: a folder that its owner cannot enter.

use std::ops::Range;

use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::{Command, Word};

pub(super) const RULE: Rule = Rule {
    id: "ssh-folder-mode",
    about: "a ~/.ssh folder that its owner cannot enter",
    why: "A folder without the x bit cannot be entered. Root passes by the check, so the recipe works until the step runs as somebody else; then ssh sees no file in it.",
    remedy: "use 0700 for the folder (0600 is for files), or leave the folder out: valetkey needs none",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN mkdir -p -m «0600» ~/.ssh\n")
            .fixed("FROM a\nRUN mkdir -p -m 0700 ~/.ssh\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN mkdir «--mode=600» /root/.ssh/ && chmod -R «0600» $HOME/.ssh && make\n",
        )
        .fixed("FROM a\nRUN mkdir --mode=0700 /root/.ssh/ && chmod -R 0700 $HOME/.ssh && make\n"),
        Example::new(".gitlab-ci.yml", "a:\n  script:\n    - mkdir -pm «600» ~/.ssh\n")
            .fixed("a:\n  script:\n    - mkdir -pm 0700 ~/.ssh\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN mkdir -m 0700 ~/.ssh && chmod 600 ~/.ssh/id && mkdir -m 600 /x && chmod go-w ~/.ssh\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for command in file.commands() {
        let Some((span, prefix)) = bad_mode(command) else { continue };
        // Where the text is not the file's own, the place is only near.
        let is_exact = file
            .text
            .get(span.clone())
            .is_some_and(|text| text.starts_with(prefix.as_bytes()) && text.ends_with(b"00"));
        let named = Found::new(span.clone(), "this folder cannot be entered by its owner");
        found.push(if is_exact {
            named.fixed_by("make it 0700", vec![Edit::replace(&span, format!("{prefix}0700"))])
        } else {
            named
        });
    }
}

/// Where a mode without `x` stands that a `.ssh` folder gets, and what is in front of it in its word.
fn bad_mode(command: &Command) -> Option<(Range<usize>, &'static str)> {
    let is_folder = |word: &Word| {
        let path = word.text.strip_suffix(b"/").unwrap_or(&word.text);
        path.ends_with(b"/.ssh") || path == b".ssh"
    };
    let args = command.args();
    if !args.iter().any(is_folder) {
        return None;
    }
    let closed = |mode: &[u8]| {
        let digits = mode.strip_prefix(b"0").unwrap_or(mode);
        digits.len() == 3 && digits.ends_with(b"00") && matches!(digits.first(), Some(b'4' | b'6'))
    };
    match command.program() {
        b"mkdir" => args.iter().enumerate().find_map(|(at, word)| {
            if let Some(mode) = word.text.strip_prefix(b"--mode=") {
                return closed(mode).then(|| (word.span.clone(), "--mode="));
            }
            let is_mode = word.text.starts_with(b"-") && !word.text.starts_with(b"--") && word.text.ends_with(b"m");
            let mode = args.get(at + 1).filter(|mode| is_mode && closed(&mode.text))?;
            Some((mode.span.clone(), ""))
        }),
        b"chmod" => {
            let mode = args.iter().find(|word| !word.text.starts_with(b"-"))?;
            closed(&mode.text).then(|| (mode.span.clone(), ""))
        }
        _ => None,
    }
}
