//! PURE reading of `.env` files as Compose does, for the two or three variables that decide
//! which Compose files are found.
//!
//! `KEY=value` and `KEY: value`, `export`, comments, quotes over several lines, and `$NAME`,
//! `${NAME}`, `${NAME:-default}`, `${NAME-default}`. Lines that mean nothing are passed over:
//! Compose itself complains about them.

use std::collections::BTreeMap;

/// Variables of one or more files, the later winning.
pub(super) type Variables = BTreeMap<String, String>;

/// Adds the variables of `text` to `found`. `outer` is the environment, which wins over files.
pub(super) fn read(text: &str, outer: &dyn Fn(&str) -> Option<String>, found: &mut Variables) {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        rest = entry(rest, outer, found);
    }
}

/// Reads one line (or one quoted value of several), and returns what follows it.
fn entry<'a>(text: &'a str, outer: &dyn Fn(&str) -> Option<String>, found: &mut Variables) -> &'a str {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let start = line.trim_start();
    let start = start.strip_prefix("export ").map_or(start, str::trim_start);
    let Some((name, value)) = start.split_once(['=', ':']).filter(|(name, _)| is_name(name.trim_end())) else {
        return after;
    };
    let name = name.trim_end().to_owned();
    // The value's place in the whole text, because a quoted one may go on behind the line.
    let value = &text[value.as_ptr() as usize - text.as_ptr() as usize..];
    let value = value.trim_start_matches([' ', '\t']);
    let lookup = |name: &str, found: &Variables| outer(name).or_else(|| found.get(name).cloned());
    let (value, after) = match value.chars().next() {
        Some('\'') => match value[1..].find('\'') {
            Some(end) => (value[1..=end].to_owned(), behind_line(&value[end + 2..])),
            None => return after,
        },
        Some('"') => match closing_quote(value) {
            Some(end) => (unescaped(&expanded(&value[1..end], &|n| lookup(n, found))), behind_line(&value[end + 1..])),
            None => return after,
        },
        _ => {
            let (value, after) = value.split_once('\n').unwrap_or((value, ""));
            let value = value.split(" #").next().unwrap_or_default().trim();
            let value = if value.starts_with('#') { "" } else { value };
            (expanded(value, &|n| lookup(n, found)), after)
        }
    };
    found.insert(name, value);
    after
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn behind_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, after)| after)
}

/// Index of the quote that closes the one at the start; `\"` does not.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

/// `text` with its variables replaced, once: what a variable holds is not looked at again.
fn expanded(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        out.push_str(&rest[..at - usize::from(escaped)]);
        rest = &rest[at + 1..];
        if escaped {
            out.push('$');
        } else if let Some((inner, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            out.push_str(&braced(inner, lookup));
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            match end {
                0 => out.push('$'),
                _ => out.push_str(&lookup(&rest[..end]).unwrap_or_default()),
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

fn braced(inner: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some((name, default)) = inner.split_once(":-") {
        return lookup(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned());
    }
    if let Some((name, default)) = inner.split_once('-') {
        return lookup(name).unwrap_or_else(|| default.to_owned());
    }
    lookup(inner).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_read_as_compose_reads_it() {
        for (text, value) in [
            ("F=a.yaml", Some("a.yaml")),
            ("  export F = a.yaml  \r\n", Some("a.yaml")),
            ("F: a.yaml", Some("a.yaml")),
            ("F=a.yaml # comment", Some("a.yaml")),
            ("F=a#b", Some("a#b")),
            ("F= # comment", Some("")),
            ("#F=a", None),
            ("F='a $X' # c\nG=1", Some("a $X")),
            ("F=\"a\\\"b\\n\"", Some("a\"b\n")),
            ("Z='\nF=no\n'\nF=yes", Some("yes")),
            ("Z=\"\nF=no\n\"\n", None),
            ("F='unclosed", None),
            ("F=a\nF=b", Some("b")),
            ("F=$OUT/x", Some("out/x")),
            ("F=${OUT}/x:${NONE}y", Some("out/x:y")),
            ("F=${NONE:-d}", Some("d")),
            ("F=${EMPTY:-d}${EMPTY-d}", Some("d")),
            ("F=\\$OUT", Some("$OUT")),
            ("A=1\nF=\"$A$\"", Some("1$")),
            ("\u{feff}F=a", Some("a")),
            ("nonsense\nF=a", Some("a")),
            ("F=", Some("")),
            ("F", None),
        ] {
            let mut found = Variables::new();
            let outer = |name: &str| match name {
                "OUT" => Some("out".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            };
            read(text, &outer, &mut found);
            assert_eq!(found.get("F").map(String::as_str), value, "{text:?}");
        }
    }
}
