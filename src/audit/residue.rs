//! What the usual recipes leave behind: no secret, but the trace of one, or of a check that was
//! switched off. Notes, so that they must be few.
//!
//! [`entry`] judges the name of a file; [`field`] a field of a config, a history, an annotation or
//! an attestation; [`Residue`] reads the files whose form is known: ssh's configuration, shell
//! scripts and histories. Comments and manuals are in none of them, and so never a finding.

mod instruction;
pub(crate) mod names;
mod options;
#[cfg(test)]
mod tests;
mod variables;

use super::finding::{Found, RuleInfo, Severity};
use super::rule::{Family, Text};
use crate::image::stream::Entry;

/// Findings of one field or file: a text of nothing else is no reason for more.
const MOST: usize = 50;

/// The rules for files whose form is known.
#[derive(Clone, Copy, Debug)]
pub struct Residue;

impl Family for Residue {
    fn rules(&self) -> Vec<RuleInfo> {
        let all = [&names::RULES[..], &options::RULES, &instruction::RULES, &variables::RULES];
        all.concat().into_iter().map(|rule| RuleInfo::new(rule.id, rule.about, rule.remedy, rule.severity)).collect()
    }

    fn names(&self, path: &[u8]) -> bool {
        let name = base(path);
        kind_of(name).is_some_and(|kind| match kind {
            // A name that many programs use.
            Kind::Config => in_folder(path, b".ssh") || contains(path, b".git/"),
            Kind::Part => contains(path, b"ssh_config.d/"),
            _ => true,
        })
    }

    fn at_file(&self, text: &Text<'_>, found: &mut Vec<Found>) {
        let Some(kind) = kind_of(text.name) else { return };
        let mut notes = Notes::new(found);
        options::look(text.bytes, &mut notes);
        if kind == Kind::History {
            instruction::look(text.bytes, &mut notes);
        } else if kind != Kind::Script {
            options::identities(text.bytes, &mut notes);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    SshConfig,
    Config,
    Part,
    Script,
    History,
}

fn kind_of(name: &[u8]) -> Option<Kind> {
    match name {
        b"ssh_config" => Some(Kind::SshConfig),
        b"config" => Some(Kind::Config),
        b".gitconfig" | b"gitconfig" | b".bashrc" | b".profile" | b".bash_profile" | b".zshrc" => Some(Kind::Script),
        _ if name.ends_with(b".sh") => Some(Kind::Script),
        _ if name.ends_with(b"_history") && name.starts_with(b".") => Some(Kind::History),
        _ if name.ends_with(b".conf") => Some(Kind::Part),
        _ => None,
    }
}

/// What the name and the kind of an entry say. `path` is its path in the layer, without a leading
/// slash.
pub fn entry(path: &[u8], entry: &Entry<'_>, found: &mut Vec<Found>) {
    names::look(path, entry, &mut Notes::new(found));
}

/// What one field says. `path` names it: `config.Env.NAME`, `history[3].created_by`,
/// `config.Labels.x`, a field of an annotation or an attestation. A field that is a file's whole
/// text (a Dockerfile) is taken line by line.
pub fn field(path: &str, value: &str, found: &mut Vec<Found>) {
    let mut notes = Notes::new(found);
    variables::named(path, value.as_bytes(), &mut notes);
    if !describes(path) {
        options::look(value.as_bytes(), &mut notes);
        instruction::look(value.as_bytes(), &mut notes);
    }
}

/// Whether it is prose about the image, where any word may stand.
fn describes(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["labels", "annotation", "comment", "author", "description"].iter().any(|word| path.contains(word))
}

/// A rule of this family.
pub(super) struct Rule {
    id: &'static str,
    about: &'static str,
    severity: Severity,
    remedy: &'static str,
}

/// Takes findings, each rule once for the same words.
struct Notes<'a> {
    found: &'a mut Vec<Found>,
    from: usize,
}

impl<'a> Notes<'a> {
    fn new(found: &'a mut Vec<Found>) -> Self {
        let from = found.len();
        Self { found, from }
    }

    fn add(&mut self, rule: &Rule, message: String, at: std::ops::Range<usize>) {
        let new = &self.found[self.from..];
        if new.len() < MOST && !new.iter().any(|found| found.rule == rule.id && found.message == message) {
            self.found.push(Found {
                rule: rule.id,
                severity: rule.severity,
                message,
                remedy: rule.remedy,
                at: at.start,
                length: at.len(),
                wrapped: Vec::new(),
                key: None,
            });
        }
    }
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Whether the folder that it lies in has that name.
fn in_folder(path: &[u8], folder: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').nth(1) == Some(folder)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Each line that is no comment, with the place where it begins.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    text.split(|byte| *byte == b'\n').filter_map(move |line| {
        let start = at;
        at += line.len() + 1;
        (!line.trim_ascii_start().starts_with(b"#")).then_some((start, line))
    })
}
