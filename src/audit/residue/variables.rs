//! Variables, build arguments and options whose name says that they hold a secret, with a value.

use std::ops::Range;

use super::{Notes, Rule, names};
use crate::audit::finding::Severity;
use crate::audit::secrets::{is_token, name::is_secret, placeholder, url};
use crate::wire::text::shown;

const VALUE: Rule = Rule {
    id: "secret-in-variable",
    about: "a value in a variable whose name says that it is secret",
    severity: Severity::Warning,
    remedy: "give it to the step by --mount=type=secret, and change its value: whoever has the image has it",
};

const ARGUMENT: Rule = Rule {
    id: "secret-build-argument",
    about: "a build argument whose name says that it is secret",
    severity: Severity::Note,
    remedy: "give it to the step by --mount=type=secret: the image's history keeps build arguments",
};

pub(super) const RULES: [&Rule; 2] = [&VALUE, &ARGUMENT];

/// Characters of a value that could be a secret.
const SHORTEST: usize = 4;
/// Characters of a value that are looked at.
const LONGEST: usize = 4_096;

/// The field's own name: of a variable, a build argument, a label.
pub(super) fn named(path: &str, value: &[u8], notes: &mut Notes<'_>) {
    let name = path.rsplit(['.', ':', '/', '[', ']', '"']).find(|part| !part.is_empty()).unwrap_or(path);
    if is_secret(name.as_bytes()) && is_value(value) {
        notes.add(&VALUE, format!("{} has a value, and the name of a secret", shown(name.as_bytes())), 0..value.len());
    }
    if name == "SSH_AUTH_SOCK" && !placeholder::is(value) {
        names::note_agent(0..value.len(), notes);
    }
}

/// Assignments, options and arguments in one instruction.
pub(super) fn look(start: usize, line: &[u8], notes: &mut Notes<'_>) {
    let mut at = 0;
    while at < line.len() {
        let begins = at.checked_sub(1).is_none_or(|before| !is_name(line[before]));
        let length = line[at..].iter().take_while(|byte| is_name(**byte)).count();
        if length == 0 || !begins {
            at += 1;
            continue;
        }
        let end = at + length;
        let dashes = line[at..end].iter().take_while(|byte| **byte == b'-').count();
        let name = &line[at + dashes..end];
        let option = dashes == 2;
        at = end;
        let socket = name == b"SSH_AUTH_SOCK";
        if !socket && !is_secret(name) {
            continue;
        }
        let value = match line.get(end) {
            Some(b'=') => value(line, end + 1),
            Some(b' ') if option => value(line, end + 1),
            _ => end..end,
        };
        if value.is_empty() {
            if !socket && line.get(end) != Some(&b'=') && line[..end - name.len()].trim_ascii_end().ends_with(b"ARG") {
                let message = format!("{} is a build argument with the name of a secret", shown(name));
                notes.add(&ARGUMENT, message, start + end - name.len()..start + end);
            }
            continue;
        }
        // What is in a value is not another name: a text of them takes no longer than any other.
        at = value.end;
        let text = &line[value.clone()];
        let range = start + value.start..start + value.end;
        if socket && !placeholder::is(text) {
            names::note_agent(range, notes);
        } else if !socket && is_value(text) && !(option && text.starts_with(b"-")) {
            notes.add(&VALUE, format!("{} has a value, and the name of a secret", shown(name)), range);
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The value that begins there, without quotes.
fn value(line: &[u8], at: usize) -> Range<usize> {
    match line.get(at) {
        Some(quote @ (b'"' | b'\'')) => {
            let length = line[at + 1..].iter().take(LONGEST).take_while(|byte| *byte != quote).count();
            at + 1..at + 1 + length
        }
        _ => {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b";&|)\"'".contains(byte);
            at..at + line.get(at..).map_or(0, |rest| rest.iter().take(LONGEST).take_while(|byte| !ends(byte)).count())
        }
    }
}

/// Whether a value could be the secret itself: not a path to it, nor a command or an address that
/// gives it, nor what another rule says already.
fn is_value(value: &[u8]) -> bool {
    let value = &value[..value.len().min(LONGEST)];
    let path = value.starts_with(b"/") || value.starts_with(b"~") || value.starts_with(b"./");
    let address = memchr::memmem::find(value, url::LITERAL).is_some();
    value.len() >= SHORTEST
        && !path
        && !address
        && !placeholder::is(value)
        && !value.contains(&b'$')
        && !is_token(value, 0)
}
