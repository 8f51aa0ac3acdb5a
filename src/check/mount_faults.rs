//! PURE: what the builder refuses or ignores in a mount (BuildKit's `parseMount`, `dispatchSSH` and
//! `dispatchSecret`; each verdict was seen on an engine).
//!
//! Says nothing of values with variables in them.

use std::ops::Range;

use super::dockerfile::{Field, Mount};
use crate::wire::text::shown;

/// What is wrong with a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Range<usize>,
    /// What, as a sentence without a full stop.
    pub message: String,
    /// The word that was probably meant, for the one that is not known, and where that stands.
    pub meant: Option<(String, &'static str)>,
}

/// Fields of one mount that are looked at: there are not that many names.
pub const MAX_FIELDS: usize = 64;
/// Types of mounts.
const TYPES: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];
/// Fields of mounts.
pub const FIELDS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "env",
];
/// Fields that Buildah knows beside them: a file with those is not for BuildKit.
const BUILDAHS: [&str; 8] = ["z", "u", "relabel", "bind-propagation", "chown", "tmpcopyup", "notmpcopyup", "private"];
/// What Go's `strconv.ParseBool` takes.
const TRUTHS: [&str; 12] = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];

/// Everything that is wrong with a mount; nothing where its type is a variable.
#[must_use]
pub fn faults(mount: &Mount) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut kind = "bind".to_owned();
    for (index, field) in mount.fields.iter().enumerate().take(MAX_FIELDS) {
        let name = field.name.as_str();
        let value = field.value.as_deref();
        if value.is_some_and(|value| value.contains('$')) {
            if name == "type" {
                return Vec::new();
            }
            continue;
        }
        if BUILDAHS.contains(&name) {
            continue;
        }
        if name == "type" {
            kind = value.unwrap_or_default().to_ascii_lowercase();
        }
        let before = mount.fields.get(..index).unwrap_or_default();
        if let Some(earlier) = before.iter().find(|earlier| !name.is_empty() && stem(earlier) == stem(field)) {
            let message = format!("{} is there twice, and the last one counts", shown(earlier.name.as_bytes()));
            found.push(Fault { at: field.span.clone(), message, meant: None });
        }
        let message = match value {
            _ if name != name.trim() => Some("there is a blank behind a comma, and the builder refuses that".into()),
            None => without_value(name, &kind),
            Some(value) => with_value(name, value, &kind),
        };
        let meant = match value {
            Some(value) if name == "type" => near(value, &TYPES).map(|meant| (value.to_owned(), meant)),
            _ if FIELDS.contains(&name) => None,
            _ => near(name, &FIELDS).map(|meant| (name.to_owned(), meant)),
        };
        // Of nothing, the comma in front of it is shown.
        let start = field.span.start - usize::from(field.span.is_empty());
        found.extend(message.map(|message| Fault { at: start..field.span.end, message, meant }));
    }
    if found.is_empty() {
        found.extend(whole(mount).map(|message| Fault {
            at: mount.span.clone(),
            message: message.into(),
            meant: None,
        }));
    }
    found
}

/// One name for those that mean the same.
fn stem(field: &Field) -> &str {
    match field.name.as_str() {
        "src" => "source",
        "dst" | "destination" => "target",
        "ro" | "readonly" | "rw" | "readwrite" => "readonly",
        name => name,
    }
}

fn without_value(name: &str, kind: &str) -> Option<String> {
    match name {
        "readonly" | "ro" | "readwrite" | "rw" => None,
        "required" => misplaced(name, kind),
        "" => Some("there is nothing behind a comma, and the builder refuses that".into()),
        _ => Some(format!("{} says no value, and the builder refuses that", shown(name.as_bytes()))),
    }
}

fn with_value(name: &str, value: &str, kind: &str) -> Option<String> {
    let refused = |what: &str| Some(format!("{} is no {what}, and the builder refuses it", shown(value.as_bytes())));
    let has_file = matches!(kind, "secret" | "ssh" | "cache");
    match name {
        "type" if !TYPES.contains(&value.to_ascii_lowercase().as_str()) => refused("type of mount"),
        "readonly" | "ro" | "readwrite" | "rw" | "required" if !TRUTHS.contains(&value) => refused("true or false"),
        "required" => misplaced(name, kind),
        "size" if kind != "tmpfs" => misplaced(name, kind),
        "mode" if u32::from_str_radix(value, 8).is_err() || value.starts_with('+') => refused("octal number"),
        "uid" | "gid" if value.parse::<u32>().is_err() || value.starts_with('+') => refused("number"),
        "mode" | "uid" | "gid" if !has_file => misplaced(name, kind),
        "sharing" if !["shared", "private", "locked"].contains(&value.to_ascii_lowercase().as_str()) => {
            refused("way of sharing")
        }
        "sharing" if kind != "cache" => misplaced(name, kind),
        "source" | "src" if kind == "ssh" => misplaced(name, kind),
        "from" if kind == "secret" => misplaced(name, kind),
        "env" | "from" if kind == "ssh" => Some(format!("{name} does nothing for an ssh mount")),
        "env" if kind == "secret" && value.is_empty() => Some("the variable has no name, and the step fails".into()),
        "target" | "dst" | "destination" if kind == "ssh" && !value.starts_with('/') => {
            Some(format!("{} is no path from /: SSH_AUTH_SOCK holds nowhere else", shown(value.as_bytes())))
        }
        name if FIELDS.contains(&name) => None,
        name => Some(format!("{} is no field of a mount, and the builder refuses it", shown(name.as_bytes()))),
    }
}

fn misplaced(name: &str, kind: &str) -> Option<String> {
    let is_in_place = name == "required" && matches!(kind, "secret" | "ssh");
    let hint = if name == "required" { "; its type stands in front of it" } else { "" };
    let kind = shown(kind.as_bytes());
    (!is_in_place).then(|| format!("the builder refuses {name} for a mount of type {kind}{hint}"))
}

/// What is wrong with all fields together.
fn whole(mount: &Mount) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().any(|name| mount.has(name));
    let says = |names: &[&str]| mount.value(names).is_some_and(|value| !value.is_empty());
    let (source, target) = (&["source", "src"], &["target", "dst", "destination"]);
    match mount.kind().as_str() {
        "secret" if !says(&["id"]) && !says(source) && !says(target) => {
            Some("a secret without id, and the builder refuses that")
        }
        "secret" if has(&["id"]) && has(source) => {
            Some("a secret with id and source, and the builder takes one of them")
        }
        _ => None,
    }
}

/// The one of these words that is at most two letters away, and a third of its length.
#[must_use]
pub fn near(word: &str, of: &[&'static str]) -> Option<&'static str> {
    let word = word.trim_matches([' ', ';', '"', '\'']);
    let best = of.iter().map(|known| (distance(word, known), *known)).min_by_key(|(distance, _)| *distance)?;
    (best.0 <= 2 && best.0 * 2 < word.len().max(2)).then_some(best.1)
}

/// How many letters have to be put in, taken out, replaced or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    /// Letters of the longest word that is compared.
    const LONGEST: usize = 32;
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > LONGEST {
        return LONGEST;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let cell = |row: Option<&Vec<usize>>, at: Option<usize>| {
            row.zip(at).and_then(|(row, at)| row.get(at)).copied().unwrap_or(LONGEST)
        };
        for (j, y) in b.iter().enumerate() {
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            let above = i.checked_sub(1).filter(|_| swapped).and_then(|at| rows.get(at));
            row.push(
                (cell(rows.get(i), Some(j)) + usize::from(x != y))
                    .min(cell(rows.get(i), Some(j + 1)) + 1)
                    .min(cell(Some(&row), Some(j)) + 1)
                    .min(cell(above, j.checked_sub(1)) + 1),
            );
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests;
