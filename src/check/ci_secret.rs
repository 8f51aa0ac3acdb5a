//! PURE: what takes a secret of a CI system: an expression, a variable that holds one, and the build
//! arguments of a step.

use std::ops::Range;

use super::ci::Step;
use super::mapped::Mapped;
use super::script::{Command, Word};
use super::secret_text::{expression, is_secret_name as is_secret};

/// A build argument that a step gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildArg {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is given, as it is written; `None` where it is the variable of that name.
    pub value: Option<Vec<u8>>,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// Programs that build images.
const BUILDERS: [&[u8]; 10] = [
    b"docker",
    b"docker-compose",
    b"docker-buildx",
    b"podman",
    b"buildah",
    b"nerdctl",
    b"buildx",
    b"executor",
    b"img",
    b"depot",
];
/// Inputs of actions that are build arguments, a line each.
const INPUTS: [&str; 4] = ["build-args", "buildargs", "build_args", "build-arg"];

/// Whether a text has an expression of GitHub's that takes a secret: `${{ secrets.X }}`,
/// `${{ github.token }}`.
#[must_use]
pub fn has_secret(text: &[u8]) -> bool {
    expression(text).is_some()
}

/// Whether a variable of the step holds a secret: by its name, or by what it is given.
#[must_use]
pub fn is_secret_variable(name: &[u8], step: &Step) -> bool {
    let given = step.variables().find(|variable| variable.name == name);
    is_secret(name) || given.and_then(|variable| variable.value.as_deref()).is_some_and(has_secret)
}

/// Whether a build argument takes a secret.
#[must_use]
pub fn takes_secret(arg: &BuildArg, step: &Step) -> bool {
    let Some(value) = arg.value.as_deref() else { return is_secret_variable(&arg.name, step) };
    let holds = |mark: &[u8]| memchr::memmem::find(value, mark).is_some();
    // Of a text that is there, other rules know whether it is a key.
    let is_named = is_secret(&arg.name) && value.contains(&b'$') && !holds(b"vars.");
    has_secret(value)
        || is_named
        || holds(b".ssh/id_")
        || variables(value).any(|variable| is_secret_variable(variable, step))
}

/// The variables of a shell in a text.
fn variables(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        rest.get(..length).filter(|name| !name.is_empty())
    })
}

/// Every build argument of a step.
#[must_use]
pub fn build_args(step: &Step) -> Vec<BuildArg> {
    let mut found: Vec<BuildArg> = step.commands.iter().flat_map(of_command).collect();
    for (name, input) in &step.with {
        let lower = name.to_ascii_lowercase();
        if INPUTS.contains(&lower.as_str()) {
            found.extend(lines(input).filter_map(|range| of_line(input, range, b"")));
        } else if lower == "set" {
            // docker/bake-action: `*.args.NAME=value`.
            found.extend(lines(input).filter_map(|range| of_line(input, range, b".args.")));
        }
    }
    found
}

/// Those of a command.
#[must_use]
pub fn of_command(command: &Command) -> Vec<BuildArg> {
    let mut found = Vec::new();
    let mut words = command.args().iter().filter(|_| BUILDERS.contains(&command.program()));
    while let Some(word) = words.next() {
        let first = match word.text.strip_prefix(b"--build-arg") {
            Some(b"") => match words.next() {
                Some(next) => (next, next.text.clone()),
                None => continue,
            },
            Some([b'=', joined @ ..]) => (word, joined.to_vec()),
            _ => continue,
        };
        let (word, text) = first;
        let (text, span) = to_the_end(word, text, &mut words);
        let (name, value) = pair(&text);
        found.push(BuildArg { name, value, span });
    }
    found
}

/// What begins with this word: an expression of GitHub's has blanks in it.
fn to_the_end<'a>(word: &Word, text: Vec<u8>, words: &mut impl Iterator<Item = &'a Word>) -> (Vec<u8>, Range<usize>) {
    let (mut text, mut span) = (text, word.span.clone());
    let is_open = |text: &[u8]| {
        let last = |mark| memchr::memmem::rfind(text, mark);
        last(b"${{").is_some_and(|open| last(b"}}").is_none_or(|close| close < open))
    };
    while is_open(&text) {
        let Some(next) = words.next() else { break };
        text.push(b' ');
        text.extend_from_slice(&next.text);
        span.end = next.span.end.max(span.end);
    }
    (text, span)
}

fn pair(text: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    match text.iter().position(|byte| *byte == b'=') {
        Some(at) => {
            let (name, value) = text.split_at(at);
            (name.to_vec(), value.get(1..).map(<[u8]>::to_vec))
        }
        None => (text.to_vec(), None),
    }
}

/// The lines of a text, without blanks around them.
fn lines(input: &Mapped) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    input.text.split(|byte| *byte == b'\n').filter_map(move |line| {
        let start = at + line.len() - line.trim_ascii_start().len();
        at += line.len() + 1;
        let length = line.trim_ascii().len();
        (length > 0).then_some(start..start + length)
    })
}

fn of_line(input: &Mapped, range: Range<usize>, behind: &[u8]) -> Option<BuildArg> {
    let line = input.text.get(range.clone())?;
    let at = memchr::memmem::find(line, behind)? + behind.len();
    let (name, value) = pair(line.get(at..)?);
    Some(BuildArg { name, value, span: input.span(range) })
}
