//! PURE reading of Dockerfiles: repositories in `ADD` and in the commands of `RUN`, and what
//! `ENV` and `ARG` tell Go, Git and cargo.

use super::format::{Format, beside, name};
use super::remote_context;
use super::script::{Counts, Script, Variables};
use super::{Place, Reading};
use crate::builder::instruction::{Logical, escape_of, first_word, flags, logical_lines};
use crate::builder::shell_words::of_instruction;

/// How often ONBUILD may stand in front of ONBUILD; BuildKit allows it once.
const MAX_ONBUILD: usize = 2;

/// Dockerfiles and Containerfiles.
pub(super) static FORMAT: Format = Format {
    name: "Dockerfile",
    wants: |path| {
        let file = name(path).to_ascii_lowercase();
        ["dockerfile", "containerfile"].iter().any(|kind| {
            let rest = file.strip_prefix(kind);
            let other = rest.is_some_and(|rest| rest.starts_with('.') && !rest.ends_with(".dockerignore"));
            rest == Some("") || other || file.strip_suffix(kind).is_some_and(|before| before.ends_with('.'))
        })
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    read_at(file, text, 0, reading);
}

/// Reads the text of a Dockerfile whose first line is this many lines behind the file's first.
pub(super) fn read_at(file: &str, text: &str, lines_before: usize, reading: &mut Reading) {
    let bytes = text.as_bytes();
    let escape = escape_of(bytes);
    let mut variables = Variables::default();
    for logical in logical_lines(bytes, escape) {
        let mut near = Near { text, at: logical.offset, line: logical.line, first: logical.line };
        let mut place = |word: &str| Place::new(file, lines_before + near.line_of(word));
        instruction(&logical, &logical.text, escape, 0, &mut variables, &mut place, reading);
    }
}

/// A Dockerfile that a file names, beside which a build's context is: one of another name than a
/// Dockerfile has is found by nothing else.
pub(super) fn named(place: Place, context: Option<&str>, path: &str, reading: &mut Reading) {
    let context = context.unwrap_or(".");
    let is_local = !context.contains(['$', ':', '@']) && !path.contains('$');
    if let Some(file) = beside(&place.file, &format!("{context}/{path}")).filter(|_| is_local)
        && !(FORMAT.wants)(&file)
    {
        reading.follow(place, file, &FORMAT);
    }
}

/// Finds words of an instruction in the text, one behind the other.
struct Near<'a> {
    text: &'a str,
    /// From where on, and the line of it.
    at: usize,
    line: usize,
    /// The instruction's own line, for what is not written as it is read.
    first: usize,
}

impl Near<'_> {
    fn line_of(&mut self, word: &str) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        // No further than a word of a long instruction can be.
        let rest = rest.get(..MAX_NEAR).unwrap_or(rest);
        let Some(found) = memchr::memmem::find(rest, word.as_bytes()).filter(|_| !word.is_empty()) else {
            return self.first;
        };
        self.line += memchr::memchr_iter(b'\n', rest.get(..found).unwrap_or_default()).count();
        self.at += found;
        self.line
    }
}

/// How far a word is looked for behind the one before it, in bytes: many words that are written
/// otherwise than they are read must not cost the whole text each.
const MAX_NEAR: usize = 8 * 1024;

fn instruction(
    logical: &Logical<'_>,
    text: &[u8],
    escape: u8,
    depth: usize,
    variables: &mut Variables,
    place: &mut dyn FnMut(&str) -> Place,
    reading: &mut Reading,
) {
    let (word, rest) = first_word(text);
    match word.to_ascii_uppercase().as_slice() {
        b"ONBUILD" if depth < MAX_ONBUILD => {
            instruction(logical, rest, escape, depth + 1, variables, place, reading);
        }
        b"ENV" | b"ARG" => {
            for (name, value) in settings(rest, escape) {
                let value = variables.expand(&value);
                reading.across.variable(&place(&name), &name, &value);
                variables.set(&name, &value);
            }
        }
        b"ADD" => {
            let (_, rest) = flags(rest);
            let words = json(rest)
                .unwrap_or_else(|| String::from_utf8_lossy(rest).split_ascii_whitespace().map(str::to_owned).collect());
            let Some((_, sources)) = words.split_last() else { return };
            for source in sources {
                let source_known = variables.expand(source);
                if let Some(url) = remote_context::repository(&source_known) {
                    reading.git(place(source), "ADD", &url);
                }
            }
        }
        b"RUN" => {
            let (_, rest) = flags(rest);
            let mut script = Script { counts: Counts::Everything, variables, place, reading };
            match json(rest) {
                Some(words) => script.command(&words),
                None => script.read(rest),
            }
            logical.bodies.iter().for_each(|body| script.read(body));
        }
        _ => {}
    }
}

/// The exec form: a list of JSON.
fn json(rest: &[u8]) -> Option<Vec<String>> {
    if !rest.starts_with(b"[") {
        return None;
    }
    serde_json::from_slice(rest).ok()
}

/// `A=b C=d`, and `ENV A b`.
fn settings(rest: &[u8], escape: u8) -> Vec<(String, String)> {
    let words = of_instruction(rest, escape);
    let words: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    match words.split_first() {
        Some((name, value)) if !name.contains('=') => match value {
            [] => Vec::new(),
            value => vec![(name.clone(), value.join(" "))],
        },
        _ => {
            let pairs = words.iter().filter_map(|word| word.split_once('='));
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        }
    }
}

#[cfg(test)]
#[path = "dockerfile/tests.rs"]
mod tests;
