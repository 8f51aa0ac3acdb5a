//! The report for a person. Every text is escaped here: server banners, comments of keys and tools'
//! own messages go through it.

use super::check::{Check, Section, State};
use crate::ui::{one_line, visible};

/// The narrowest line that is written for, in characters.
pub const MIN_WIDTH: usize = 40;
/// The most characters of one text that are shown.
const MAX_TEXT: usize = 1000;
/// Where texts begin: behind the longest word, `not checked`.
const INDENT: usize = 15;

/// How it is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Whether there are colours.
    pub colour: bool,
    /// Characters in a line; none where nobody knows it, and lines are as long as they are: what is in
    /// a log or a pipe is searched.
    pub width: Option<usize>,
}

/// A section with its title; nothing where it has no checks.
#[must_use]
pub fn section(section: Section, checks: &[Check], view: View) -> String {
    let mut out = String::new();
    for check in checks.iter().filter(|check| check.section == section) {
        if out.is_empty() {
            out.push_str(&coloured(section.title(), "1", view));
            out.push('\n');
        }
        push(&mut out, check, view);
    }
    out
}

/// The last line.
#[must_use]
pub fn summary(checks: &[Check]) -> String {
    let count = |of: fn(&State) -> bool| checks.iter().filter(|check| of(&check.state)).count();
    let failures = count(|state| matches!(state, State::Failure(_)));
    let warnings = count(|state| *state == State::Warning);
    let unchecked = count(|state| *state == State::NotChecked);
    let number = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let mut text = match failures {
        0 => "nothing failed".to_owned(),
        _ => number(failures, "failure"),
    };
    if warnings > 0 {
        text.push_str(&format!(", {}", number(warnings, "warning")));
    }
    if unchecked > 0 {
        text.push_str(&format!(", {unchecked} not checked"));
    }
    text
}

fn push(out: &mut String, check: &Check, view: View) {
    let (word, colour) = (check.state.word(), colour(check.state));
    let padding = " ".repeat(INDENT.saturating_sub(word.len() + 2));
    out.push_str(&format!("  {}{padding}", coloured(word, colour, view)));
    out.push_str(&wrapped(&one_line(&short(&check.said)), view));
    for line in check.hint.iter().flat_map(|hint| hint.lines()) {
        out.push_str(&" ".repeat(INDENT));
        out.push_str(&wrapped(&format!("> {}", visible(&short(line))), view));
    }
}

fn colour(state: State) -> &'static str {
    match state {
        State::Ok => "32",
        State::Warning => "33",
        State::Failure(_) => "1;31",
        State::NotChecked => "2",
    }
}

fn coloured(text: &str, colour: &str, view: View) -> String {
    if view.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// Words in lines that fit, the later ones indented. A word that is longer stays whole: it may be
/// there to be copied.
fn wrapped(text: &str, view: View) -> String {
    let room = view.width.map_or(usize::MAX, |width| width.max(MIN_WIDTH) - INDENT);
    let (mut out, mut used) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            out.push('\n');
            out.push_str(&" ".repeat(INDENT));
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Code;

    const PLAIN: View = View { colour: false, width: None };

    fn shown(check: Check, view: View) -> String {
        section(check.section, &[check], view)
    }

    #[test]
    fn a_check_has_its_word_its_sentence_and_what_to_do() {
        let check = Check::failure(Section::Keys, "key", Code::Key, "env:KEY: not set").with_hint("set it\nor not");
        assert_eq!(
            shown(check, PLAIN),
            "Keys and secrets\n  failure      env:KEY: not set\n               > set it\n               > or not\n"
        );
        assert_eq!(section(Section::Hosts, &[], PLAIN), "");
    }

    #[test]
    fn colour_is_there_where_it_is_wanted_alone() {
        let check = || Check::ok(Section::Tool, "engine", "fine");
        assert!(!shown(check(), PLAIN).contains('\x1b'));
        let coloured = shown(check(), View { colour: true, ..PLAIN });
        assert_eq!(coloured, "\x1b[1mTool\x1b[0m\n  \x1b[32mok\x1b[0m           fine\n");
    }

    #[test]
    fn what_others_wrote_cannot_write_to_the_terminal_or_look_like_a_line_of_ours() {
        let text = "\x1b[2J\r\nok  all is well \u{202e}";
        let check = Check::warning(Section::Hosts, "login", text).with_hint("\x1b]0;title\x07");
        let shown = shown(check, PLAIN);
        assert!(!shown.contains(['\x1b', '\r', '\x07', '\u{202e}']), "{shown:?}");
        assert_eq!(shown.lines().count(), 3, "{shown:?}");
    }

    #[test]
    fn a_long_sentence_is_broken_at_the_width_and_a_word_never_is() {
        let check = Check::ok(Section::Tool, "x", format!("{} {}", "ab ".repeat(20).trim(), "c".repeat(60)));
        let shown = shown(check, View { colour: false, width: Some(10) });
        assert!(shown.lines().all(|line| line.len() <= MIN_WIDTH || line.trim().len() == 60), "{shown}");
        assert!(shown.lines().skip(2).all(|line| line.starts_with(&" ".repeat(INDENT))), "{shown}");
    }

    #[test]
    fn a_text_at_the_limit_is_whole_and_a_longer_one_is_cut() {
        assert_eq!(short(&"ä".repeat(MAX_TEXT)), "ä".repeat(MAX_TEXT));
        assert_eq!(short(&"ä".repeat(MAX_TEXT + 1)), format!("{}…", "ä".repeat(MAX_TEXT)));
    }

    #[test]
    fn the_last_line_counts_what_is_not_well() {
        let of = |checks: &[Check]| summary(checks);
        assert_eq!(of(&[]), "nothing failed");
        let mut checks =
            vec![Check::failure(Section::Keys, "k", Code::Key, ""), Check::warning(Section::Keys, "w", "")];
        assert_eq!(of(&checks), "1 failure, 1 warning");
        checks.push(Check::failure(Section::Keys, "k", Code::Key, ""));
        checks.push(Check::not_checked(Section::Keys, "n", "", ""));
        assert_eq!(of(&checks), "2 failures, 1 warning, 1 not checked");
    }
}
