//! A change of a file, shown as `diff -u` shows it (POSIX.1-2024, "diff", unified form).

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::{colour_on_stdout, one_line, write};

/// Lines around a change.
const AROUND: usize = 3;
/// How long the smallest difference is looked for; what is found by then is right, only longer.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The difference, or nothing where there is none. Bytes that are no UTF-8 are shown as such.
#[must_use]
pub fn unified(name: &str, old: &[u8], new: &[u8], colour: bool) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let diff = TextDiff::configure().timeout(TIME_LIMIT).diff_lines(&*old, &*new);
    let mut out = String::new();
    let painted = |line: &str, code: &str| {
        if colour { format!("\x1b[{code}m{line}\x1b[0m\n") } else { format!("{line}\n") }
    };
    for hunk in diff.unified_diff().context_radius(AROUND).iter_hunks() {
        if out.is_empty() {
            let name = one_line(name);
            out.push_str(&painted(&format!("--- {name}"), "1"));
            out.push_str(&painted(&format!("+++ {name}"), "1"));
        }
        out.push_str(&painted(&hunk.header().to_string(), "36"));
        for change in hunk.iter_changes() {
            let line = change.value();
            let text = one_line(line.strip_suffix('\n').unwrap_or(line));
            match change.tag() {
                ChangeTag::Delete => out.push_str(&painted(&format!("-{text}"), "31")),
                ChangeTag::Insert => out.push_str(&painted(&format!("+{text}"), "32")),
                ChangeTag::Equal => out.push_str(&format!(" {text}\n")),
            }
            if change.missing_newline() {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// Prints it.
pub fn show(name: &str, old: &[u8], new: &[u8]) {
    write(unified(name, old, new, colour_on_stdout()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_as_a_patch_and_nothing_in_it_can_write_to_the_terminal() {
        let diff = unified("a\nb", b"1\n2\n3\n4\n5\n6", b"1\n2\n3\n4\n5\x1b[31m\n6", false);
        assert_eq!(
            diff,
            "--- a\\nb\n+++ a\\nb\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+5\\u{1b}[31m\n 6\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("a", b"1", b"1", true), "");
        assert!(unified("a", b"1", b"2", true).contains("\x1b[31m-1"));
    }
}
