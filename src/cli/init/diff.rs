//! PURE: lines at the end of a file, as a unified diff (`diff -u`, POSIX `diff`).

/// Lines of the old text that are shown before the new ones.
const CONTEXT: usize = 3;

/// The diff from `old`, whose last line has its end, to `old` with `added` behind it.
pub(super) fn appended(path: &str, old: &str, added: &str) -> String {
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let context = lines.get(lines.len().saturating_sub(CONTEXT)..).unwrap_or_default();
    let first = lines.len() - context.len() + 1;
    let count = added.lines().count();
    let mut out = format!("--- {path}\n+++ {path}\n");
    let old_first = if context.is_empty() { 0 } else { first };
    out.push_str(&format!("@@ -{old_first},{} +{first},{} @@\n", context.len(), context.len() + count));
    for line in context {
        out.push(' ');
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
    added.lines().for_each(|line| out.push_str(&format!("+{line}\n")));
    out
}
