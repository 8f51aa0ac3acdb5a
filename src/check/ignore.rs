//! PURE: comments that say what to live with: `# valetkey: ignore RULE reason`.
//!
//! Such a comment stands on a line of its own above what it means (an instruction, a key), or, where
//! the format has comments behind values, at the end of that line.

use std::ops::Range;

/// What begins such a comment, behind the format's own sign.
const MARK: &str = "valetkey: ignore";

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its bytes, from the sign on.
    pub span: Range<usize>,
    /// The rules that it names.
    pub rules: Vec<String>,
    /// Why; empty where it does not say.
    pub reason: String,
    /// The bytes of the lines that it stands for.
    pub target: Range<usize>,
}

/// The comments of a file. `units` are spans that a comment above their first line, or between their
/// lines, means as a whole: a Dockerfile's instructions.
#[must_use]
pub fn comments(text: &[u8], units: &[Range<usize>]) -> Vec<Comment> {
    let mut found: Vec<Comment> = Vec::new();
    // Those that wait for the line that they stand above.
    let mut waiting: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let span = at..at + line.len();
        at += line.len();
        let trimmed = line.trim_ascii();
        let is_comment = trimmed.starts_with(b"#") || trimmed.starts_with(b"//");
        if let Some((offset, rules, reason)) = parse(line) {
            if is_comment {
                waiting.push(found.len());
            }
            let end = span.start + line.trim_ascii_end().len();
            found.push(Comment { span: span.start + offset..end, rules, reason, target: span.clone() });
        }
        if is_comment || trimmed.is_empty() {
            continue;
        }
        // They stand in order.
        let next = units.partition_point(|unit| unit.end <= span.start);
        let unit = units.get(next).filter(|unit| unit.start < span.end);
        for index in waiting.drain(..) {
            if let Some(comment) = found.get_mut(index) {
                comment.target = unit.cloned().unwrap_or_else(|| span.clone());
            }
        }
    }
    found
}

/// Where the comment begins, the rules, the reason.
fn parse(line: &[u8]) -> Option<(usize, Vec<String>, String)> {
    let mark = memchr::memmem::find(line, MARK.as_bytes())?;
    let before = line.get(..mark)?.trim_ascii_end();
    let offset = before.len() - if before.ends_with(b"//") { 2 } else { usize::from(before.ends_with(b"#")) };
    if offset == before.len() {
        return None;
    }
    let rest = String::from_utf8_lossy(line.get(mark + MARK.len()..)?).into_owned();
    let rest = rest.strip_prefix(' ').unwrap_or(&rest).trim();
    let (rules, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rules = rules.split(',').filter(|rule| !rule.is_empty()).map(ToOwned::to_owned);
    Some((offset, rules.collect(), reason.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, units: &[Range<usize>]) -> Vec<(String, String, String)> {
        let show = |comment: Comment| {
            let target = text[comment.target.clone()].trim_end().to_owned();
            (comment.rules.join(","), comment.reason, target)
        };
        comments(text.as_bytes(), units).into_iter().map(show).collect()
    }

    fn expected(rules: &str, reason: &str, target: &str) -> (String, String, String) {
        (rules.into(), reason.into(), target.into())
    }

    #[test]
    fn a_comment_means_the_line_below_it_or_the_one_it_stands_behind() {
        assert_eq!(
            read("# valetkey: ignore a,b it is so\n\n# other\nx: 1\ny: 2 # valetkey: ignore c\n", &[]),
            [expected("a,b", "it is so", "x: 1"), expected("c", "", "y: 2 # valetkey: ignore c")]
        );
        assert_eq!(read("//valetkey: ignore a why\nx = 1\n", &[]), [expected("a", "why", "x = 1")]);
        assert_eq!(read("say valetkey: ignore a why\n", &[]), []);
    }

    #[test]
    fn a_comment_above_an_instruction_or_in_it_means_all_of_it() {
        let text = "FROM a\n# valetkey: ignore a why\nRUN x && \\\n  # valetkey: ignore b why\n  y\nRUN z\n";
        let start = text.find("RUN x").unwrap();
        let end = text.find("\nRUN z").unwrap();
        let run = &text[start..end];
        let units = [0..6, start..end];
        assert_eq!(read(text, &units), [expected("a", "why", run), expected("b", "why", run)]);
    }
}
