//! ssh's options that switch off the check of host keys, in its configuration or on a command
//! line (ssh_config(5)).

use std::ops::Range;

use super::{Notes, Rule, lines};
use crate::audit::finding::Severity;
use crate::wire::text::shown;

const UNCHECKED: Rule = Rule {
    id: "host-keys-not-checked",
    about: "ssh told not to check host keys",
    severity: Severity::Note,
    remedy: "pin the host's key with valetkey host, and leave the check on",
};

const FIRST_USE: Rule = Rule {
    id: "host-keys-on-first-use",
    about: "ssh told to trust a host key at first use",
    severity: Severity::Note,
    remedy: "pin the host's key with valetkey host: a build has no first use that anybody sees",
};

const IDENTITY: Rule = Rule {
    id: "ssh-identity-file",
    about: "an ssh configuration that names a key file",
    severity: Severity::Note,
    remedy: "leave ssh's configuration out of the image: a lent key needs no file",
};

pub(super) const RULES: [&Rule; 3] = [&UNCHECKED, &FIRST_USE, &IDENTITY];

pub(super) fn look(text: &[u8], notes: &mut Notes<'_>) {
    for (start, line) in lines(text) {
        for (range, value) in values(line, b"stricthostkeychecking") {
            let range = start + range.start..start + range.end;
            if value.eq_ignore_ascii_case(b"no") || value.eq_ignore_ascii_case(b"off") {
                notes.add(&UNCHECKED, "StrictHostKeyChecking is off: any host is believed".to_owned(), range);
            } else if value.eq_ignore_ascii_case(b"accept-new") {
                notes.add(&FIRST_USE, "StrictHostKeyChecking takes any new host for the right one".to_owned(), range);
            }
        }
        for (range, value) in values(line, b"userknownhostsfile") {
            if value == b"/dev/null" {
                let range = start + range.start..start + range.end;
                notes.add(&UNCHECKED, "UserKnownHostsFile is /dev/null: no host is remembered".to_owned(), range);
            }
        }
    }
}

/// In ssh's own configuration: which key files it names.
pub(super) fn identities(text: &[u8], notes: &mut Notes<'_>) {
    for (start, line) in lines(text) {
        let blank = line.len() - line.trim_ascii_start().len();
        if let Some((range, value)) = values(line, b"identityfile").next().filter(|(range, _)| range.start == blank) {
            let message = format!("ssh's configuration names the key file {}", shown(value));
            notes.add(&IDENTITY, message, start + range.start..start + range.end);
        }
    }
}

/// Every value that the option is given in that line, and the range of both.
fn values<'a>(line: &'a [u8], option: &'static [u8]) -> impl Iterator<Item = (Range<usize>, &'a [u8])> {
    let line = &line[..comment(line)];
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + memchr::memchr2(option[0], option[0].to_ascii_uppercase(), line.get(from..)?)?;
            from = at + 1;
            let end = at + option.len();
            let named = line.get(at..end).is_some_and(|word| word.eq_ignore_ascii_case(option));
            // `-oStrict…`, a quote, white space, the start of the line.
            let before = &line[..at];
            let alone = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()) || before.ends_with(b"-o");
            if !named || !alone {
                continue;
            }
            let gap = line[end..]
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'=' | b'"' | b'\'' | b'\\'))
                .count();
            let value = &line[end + gap..];
            let length = value
                .iter()
                .take_while(|byte| {
                    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b';' | b',' | b')' | b'>')
                })
                .count();
            if gap > 0 && length > 0 {
                return Some((at..end + gap + length, &value[..length]));
            }
        }
    })
}

/// Where a comment begins behind something else; the end, if none does. Docker's old mark of an
/// instruction that runs nothing, `#(nop)`, begins none.
fn comment(line: &[u8]) -> usize {
    let mut marks = memchr::memmem::find_iter(line, b" #");
    marks.find(|at| !line[at + 1..].starts_with(b"#(nop)")).unwrap_or(line.len())
}
