//! Build secrets: texts of any kind and length, found whole or, where they are long, by their parts.
//!
//! A token is found as it is, spelled with any escapes, in hexadecimal, base64 and UTF-16. Of a text
//! of several lines, or of one that does not fit into a window with all that may lie between its
//! characters, parts are looked for as well, because a part of a credential file is as good as the
//! file: lines, or pieces of a long line. What everybody's file of that kind has is no part: armour,
//! certificates, public keys, and the first line of OpenSSH's format.

use zeroize::Zeroizing;

use super::{Form, HEAD, heads, spelled, written};
use crate::audit::encoded::text::value as base64_value;
use crate::audit::finding::{Found, Severity};
use crate::audit::rule::Text;
use crate::keys::written::{is_pem_boundary, lines, without_line_end};

/// The rule's id.
pub const RULE: &str = "lent-secret";
pub(super) const REMEDY: &str = "revoke this secret now, and build without copying it";
/// The fewest bytes of a text that is looked for: fewer are a word that any file may have.
pub const MIN_TEXT: usize = 8;
/// The longest text that is looked for whole: with all that may lie between its characters, it fits
/// into what a window shows.
pub const MAX_WHOLE: usize = 4 * 1024;
/// The fewest bytes of a part.
pub const MIN_PART: usize = 16;
/// The most bytes of a part, and of the beginning of a text that is too long for a whole.
pub const MAX_PART: usize = 256;
/// Parts of a text, spread over it: with the whole they are one search.
pub const MAX_PARTS: usize = 48;

/// A text, or a part of one.
struct Part {
    bytes: Zeroizing<Vec<u8>>,
    /// Where in it the bytes are that the search looks for.
    anchor: usize,
    /// Whose it is, of [`Texts::messages`].
    text: usize,
}

/// Texts, with what the search for them looks for.
#[derive(Default)]
pub(super) struct Texts {
    messages: Vec<String>,
    parts: Vec<Part>,
    /// Of each literal, in their order.
    forms: Vec<(usize, Form)>,
    pub(super) literals: Vec<Vec<u8>>,
}

impl Texts {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn add(&mut self, name: &str, text: &[u8]) -> bool {
        let whole = distinct(without_line_end(text));
        if whole.len() < MIN_TEXT {
            return false;
        }
        let shown = whole.get(..if whole.len() > MAX_WHOLE { MAX_PART } else { whole.len() }).unwrap_or(whole);
        let parts = parts(text, shown);
        let or_part = if parts.is_empty() && shown.len() == whole.len() { "" } else { ", or a part of it" };
        let index = self.messages.len();
        self.messages.push(format!("this is the build secret {name:?}, which was lent or named{or_part}"));
        self.part(shown, index, true);
        parts.into_iter().for_each(|part| self.part(part, index, false));
        true
    }

    /// Looks for some bytes, spelled in any way; the whole in encodings at an alignment that nothing
    /// tells too.
    fn part(&mut self, bytes: &[u8], text: usize, is_whole: bool) {
        let (index, anchor) = (self.parts.len(), anchor(bytes));
        let mut literals = vec![(bytes.iter().skip(anchor).take(HEAD).copied().collect(), Form::Raw)];
        if is_whole {
            let head = bytes.get(..HEAD).unwrap_or(bytes);
            literals.extend(heads(head).into_iter().filter(|(_, form)| !matches!(form, Form::Raw)));
            literals.push((head.iter().take(2).flat_map(|byte| [*byte, 0]).collect(), Form::Wide));
        }
        for (literal, form) in literals {
            self.literals.push(literal);
            self.forms.push((index, form));
        }
        self.parts.push(Part { bytes: Zeroizing::new(bytes.to_vec()), anchor, text });
    }

    pub(super) fn at_literal(&self, index: usize, at: usize, text: &Text<'_>, found: &mut Vec<Found>) {
        let Some((part, form)) = self.forms.get(index).and_then(|(part, form)| Some((self.parts.get(*part)?, form)))
        else {
            return;
        };
        let Some((start, end, wrapped)) = part.at(form, at, text.bytes) else { return };
        let Some(message) = self.messages.get(part.text) else { return };
        found.push(Found {
            rule: RULE,
            severity: Severity::Error,
            message: message.clone(),
            remedy: REMEDY,
            at: start,
            length: end - start,
            wrapped,
            key: None,
        });
    }
}

impl Part {
    /// From where to where it stands, and in which encoding, if a literal of it is at `at`.
    fn at(&self, form: &Form, at: usize, bytes: &[u8]) -> Option<(usize, usize, Vec<&'static str>)> {
        Some(match form {
            Form::Raw => {
                let (before, behind) = self.bytes.split_at_checked(self.anchor)?;
                let end = spelled::forward(bytes, at, behind)?;
                let start = spelled::backward(bytes, at, before)?;
                let wrapped = if end - start == self.bytes.len() { vec![] } else { vec!["escapes"] };
                (start, end, wrapped)
            }
            Form::Hex => (at, written(bytes, at, 4, 0, &self.bytes)?, vec!["hex"]),
            Form::Base64(phase) => {
                let (skip, before) = super::BASE64_HEADS[*phase];
                let end = written(bytes, at, 6, skip, &self.bytes)?;
                let is_it = before == 0 || begins_in(bytes.get(..at)?, skip, *self.bytes.first()?);
                is_it.then(|| (at.saturating_sub(before), end, vec!["base64"]))?
            }
            Form::Wide => {
                let units = bytes.get(at..at + 2 * self.bytes.len() - 1)?;
                let is_it = units.iter().step_by(2).eq(self.bytes.iter())
                    && units.iter().skip(1).step_by(2).all(|byte| *byte == 0);
                is_it.then(|| (at, at + units.len(), vec!["utf-16"]))?
            }
        })
    }
}

/// Whether the last character of base64, before the end of a line if there is one, ends with the
/// first `count` bits of a byte.
fn begins_in(bytes: &[u8], count: usize, byte: u8) -> bool {
    /// Bytes between two lines.
    const MAX_BETWEEN: usize = 32;
    let mut rest = bytes;
    while bytes.len() - rest.len() <= MAX_BETWEEN
        && let [before @ .., last] = rest
    {
        match (before, last) {
            ([before @ .., b'\\'], b'n' | b'r' | b't') => rest = before,
            (_, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'\\' | b',') => rest = before,
            _ => {
                let low = |value: u8| value & ((1 << count) - 1);
                return base64_value(*last).is_some_and(|value| low(value) == byte >> (8 - count));
            }
        }
    }
    false
}

/// Whether two findings at one place that have no key are of one thing. Of build secrets, two may lie
/// in one another.
pub(in crate::audit) fn same(a: &Found, b: &Found) -> bool {
    a.rule == b.rule && (a.rule != RULE || a.message == b.message)
}

/// Of the findings of a build secret in one text, keeps the first.
pub fn once(found: &mut Vec<Found>) {
    let mut told = std::collections::HashSet::new();
    found.retain(|one| one.rule != RULE || told.insert(one.message.clone()));
}

/// Without a run of one byte at its beginning, of which files are full: dashes, zeros, spaces.
fn distinct(text: &[u8]) -> &[u8] {
    let run = text.iter().take_while(|byte| Some(*byte) == text.first()).count();
    match text.get(run..) {
        Some(rest) if run >= HEAD && rest.len() >= MIN_TEXT => rest,
        _ => text,
    }
}

/// Where in a part letters and digits alone begin that are not all the same: they are spelled as
/// they are almost everywhere.
fn anchor(bytes: &[u8]) -> usize {
    let good = |head: &[u8]| {
        head.iter().all(u8::is_ascii_alphanumeric) && head.iter().filter(|byte| Some(*byte) != head.first()).count() > 1
    };
    bytes.windows(HEAD).take(MAX_PART).position(good).unwrap_or(0)
}

/// Parts of a text, none of which is `whole`, spread over it.
fn parts<'t>(text: &'t [u8], whole: &[u8]) -> Vec<&'t [u8]> {
    let (mut all, mut is_public, mut is_first) = (Vec::new(), false, false);
    for line in lines(text) {
        if is_pem_boundary(line) {
            is_public = line.starts_with(b"-----BEGIN ") && memchr::memmem::find(line, b"PRIVATE").is_none();
            is_first = line.starts_with(b"-----BEGIN OPENSSH");
            continue;
        }
        if !is_public && !is_first {
            all.extend(line.chunks(MAX_PART).map(distinct).filter(|part| part.len() >= MIN_PART));
        }
        is_first = false;
    }
    all.retain(|part| *part != whole);
    let step = all.len().div_ceil(MAX_PARTS).max(1);
    all.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests;
