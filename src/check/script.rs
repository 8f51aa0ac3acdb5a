//! PURE reading of a shell's script (POSIX.1-2024, "Shell Command Language") into commands, words and
//! redirections that know their places; as far as the rules need it. Nothing is expanded.
//!
//! Substitutions, subshells and the scripts of `sh -c` are commands of the same list, deeper by one.

use std::ops::Range;

use super::mapped::Mapped;

mod read;

pub use read::{inner_scripts, read};

/// How deep scripts in scripts are followed.
pub const MAX_DEPTH: usize = 4;
/// Commands of one script; what is behind them is not looked at, and that is said.
pub const MAX_COMMANDS: usize = 10_000;

/// A word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What it says, quotes taken off; variables and substitutions as they are written.
    pub text: Vec<u8>,
    /// Its bytes in the file, quotes included.
    pub span: Range<usize>,
    /// Variables that the shell would put in.
    pub variables: Vec<Vec<u8>>,
    /// Whether some of it was in quotes.
    pub is_quoted: bool,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `>`, `>>`, `<`, `<<`, `<<-`, `<<<`, `>&`, `&>`, `<>`, `>|`, with the number in front if there is one.
    pub operator: Vec<u8>,
    /// Its bytes in the file, from the operator to the end of the word.
    pub span: Range<usize>,
    /// The file, the descriptor, or the heredoc's name.
    pub target: Word,
    /// What a heredoc says.
    pub body: Option<Mapped>,
}

/// What stands between a command and the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joint {
    /// Nothing: it is the last of its list.
    #[default]
    End,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|`.
    Pipe,
    /// `;` or a line's end.
    Next,
    /// `&`.
    Background,
}

/// A simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; what stands in front of a command (`then`, `!`, `{`) is left out.
    pub words: Vec<Word>,
    /// `NAME=value` in front of it.
    pub assignments: Vec<Word>,
    /// Its redirections.
    pub redirects: Vec<Redirect>,
    /// Its bytes in the file, from its first word to its last, redirections included.
    pub span: Range<usize>,
    /// What is behind it.
    pub joint: Joint,
    /// Whether a shell's word (`if`, `then`, `{`, `!`, …) stands in front of it: it cannot go alone.
    pub is_in_compound: bool,
    /// How deep it lies: 0 in the script itself, 1 in a substitution, a subshell or `sh -c`.
    pub depth: usize,
}

/// Programs that run the program behind their own options.
const WRAPPERS: [&[u8]; 12] = [
    b"sudo", b"env", b"exec", b"command", b"time", b"nohup", b"nice", b"eval", b"builtin", b"xargs", b"timeout",
    b"retry",
];

impl Command {
    /// The words from the program on: past `sudo -E`, `env A=b` and the like. A wrapper's option with
    /// a value of its own is not known here.
    #[must_use]
    pub fn own(&self) -> &[Word] {
        let mut words = self.words.as_slice();
        while let [first, rest @ ..] = words {
            if !WRAPPERS.contains(&base(&first.text)) {
                break;
            }
            let skipped = rest
                .iter()
                .take_while(|word| word.text.starts_with(b"-") || is_assignment(&word.text) || is_time(&word.text));
            let skipped = skipped.count();
            words = rest.get(skipped..).unwrap_or_default();
        }
        words
    }

    /// The program's name, without its folder; empty where there is none.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        self.own().first().map_or(b"", |word| base(&word.text))
    }

    /// What stands behind the program.
    #[must_use]
    pub fn args(&self) -> &[Word] {
        self.own().get(1..).unwrap_or_default()
    }

    /// Whether one of the arguments is this.
    #[must_use]
    pub fn has(&self, arg: &[u8]) -> bool {
        self.args().iter().any(|word| word.text == arg)
    }

    /// Every word that there is: assignments, program, arguments, targets of redirections.
    pub fn all_words(&self) -> impl Iterator<Item = &Word> {
        let targets = self.redirects.iter().map(|redirect| &redirect.target);
        self.assignments.iter().chain(&self.words).chain(targets)
    }
}

impl Word {
    /// `NAME=value`, apart.
    #[must_use]
    pub fn assignment(&self) -> Option<(&[u8], &[u8])> {
        if !is_assignment(&self.text) {
            return None;
        }
        let equals = self.text.iter().position(|&byte| byte == b'=')?;
        let (name, value) = self.text.split_at(equals);
        Some((name, value.get(1..).unwrap_or_default()))
    }
}

/// The last part of a path.
#[must_use]
pub fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

fn is_assignment(word: &[u8]) -> bool {
    let name = word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    name > 0 && word.get(name) == Some(&b'=') && !word.first().is_some_and(u8::is_ascii_digit)
}

/// `10`, `5m`, as `timeout` and `retry` take them.
fn is_time(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_digit) && word.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests;
