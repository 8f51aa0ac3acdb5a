//! The words behind `command:`, split as a shell splits them and expanded by nobody.
//!
//! Owns the quotes. Refuses what only a shell gives a meaning to (`|`, `$NAME`, `~`): passed on
//! as it is, it would be an argument that nobody meant.

use super::{SourceError, may_hold_key};

/// The most bytes behind `command:`.
pub const MAX_COMMAND: usize = 4096;
/// What a shell would see in an unquoted word.
const SHELL: &[char] = &['|', '&', ';', '<', '>', '(', ')', '$', '`'];

/// A program and its arguments. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    program: String,
    arguments: Vec<String>,
}

impl CommandLine {
    /// What is started, looked for in `PATH` where it has no slash.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What it is given.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The words of a text.
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        if text.len() > MAX_COMMAND || text.contains('\0') {
            return Err(SourceError::CommandText);
        }
        let mut words = split(text)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        let program = program.ok_or(SourceError::Missing("command", "program and its arguments"))?;
        Ok(Self { program, arguments: words.collect() })
    }
}

impl std::fmt::Display for CommandLine {
    /// The words with the quotes that they need. One that may be a key is not repeated.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, word) in std::iter::once(&self.program).chain(&self.arguments).enumerate() {
            let space = if at == 0 { "" } else { " " };
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
            if may_hold_key(word) {
                write!(f, "{space}…")?;
            } else if !word.is_empty() && word.chars().all(plain) {
                write!(f, "{space}{word}")?;
            } else {
                write!(f, "{space}'{}'", word.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

fn split(text: &str) -> Result<Vec<String>, SourceError> {
    let mut words = Vec::new();
    // None between words: `''` is a word too.
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (Some(_), '$' | '`') => return Err(SourceError::CommandShell),
            (Some(_), '\\') => {
                let next = chars.next().ok_or(SourceError::CommandQuote)?;
                if !"\"\\$`".contains(next) {
                    word.get_or_insert_default().push('\\');
                }
                word.get_or_insert_default().push(next);
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\\') => word.get_or_insert_default().push(chars.next().ok_or(SourceError::CommandQuote)?),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_ascii_whitespace() => words.extend(word.take()),
            (None, c) if SHELL.contains(&c) || (c == '~' && word.is_none()) => return Err(SourceError::CommandShell),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(SourceError::CommandQuote);
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).expect(text)
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (text, expected) in [
            ("op read op://ci/omnibus/key", &["op", "read", "op://ci/omnibus/key"][..]),
            ("  a\tb\n c ", &["a", "b", "c"]),
            ("a 'b c'\"d e\" ''", &["a", "b cd e", ""]),
            ("a\\ b \"c\\\"d\\e\" 'f\\'", &["a b", "c\"d\\e", "f\\"]),
            ("a '$HOME | ~' \"\\$HOME\" b~ \\~", &["a", "$HOME | ~", "$HOME", "b~", "~"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
            // The control: a real shell sees the same words.
            let script = format!("for word in {}; do printf '<%s>' \"$word\"; done", text.replace('\n', " "));
            let shell = std::process::Command::new("sh").args(["-c", &script]).output().expect("a shell");
            let shown: String = expected.iter().map(|word| format!("<{word}>")).collect();
            assert_eq!(String::from_utf8_lossy(&shell.stdout), shown, "{text:?}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_refused() {
        for text in ["a | b", "a;b", "a &", "a > b", "a <b", "a $B", "a \"$B\"", "a `b`", "a \"`b`\"", "a (b)", "a ~/b"]
        {
            assert_eq!(split(text), Err(SourceError::CommandShell), "{text}");
        }
        for text in ["a 'b", "a \"b", "a \\", "a \"b\\"] {
            assert_eq!(split(text), Err(SourceError::CommandQuote), "{text}");
        }
    }

    #[test]
    fn a_command_at_the_limit_is_taken_and_a_longer_or_empty_one_is_not() {
        assert!(CommandLine::parse(&"a".repeat(MAX_COMMAND)).is_ok());
        assert_eq!(CommandLine::parse(&"a".repeat(MAX_COMMAND + 1)), Err(SourceError::CommandText));
        assert_eq!(CommandLine::parse("a\0b"), Err(SourceError::CommandText));
        for text in ["", " ", "''"] {
            assert!(matches!(CommandLine::parse(text), Err(SourceError::Missing("command", _))), "{text:?}");
        }
    }

    #[test]
    fn a_command_is_written_so_that_it_reads_the_same_and_a_key_in_it_is_not() {
        for text in [
            "op read op://ci/k",
            "sh -c 'a script of many words that is longer than any one word is | head'",
            "sh -c 'cat it | head'",
            "a '' 'it'\\''s'",
        ] {
            let line = CommandLine::parse(text).expect(text);
            assert_eq!(line.to_string(), text);
            assert_eq!(CommandLine::parse(&line.to_string()), Ok(line));
        }
        let key = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
        let line = CommandLine::parse(&format!("echo {key}")).expect("two words");
        assert_eq!(line.to_string(), "echo …");
    }
}
