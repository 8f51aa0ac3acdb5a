//! `command:WORDS`: a key that a program prints, such as `op read`, `pass show`, `sops -d`.
//!
//! Owns what its answer means. It is started without a shell, with the environment of valetkey
//! and without standard input; one that asks a person does so on the terminal. What it prints is
//! never shown, what it says on stderr always is.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::child::secret_answer::{Unanswered, ask};
use crate::exit::Code;
use crate::ui::{self, Explain};
use crate::wire::text::shown;

use super::Secret;
use super::source::{CommandLine, may_hold_key};

/// How long a program may take: one may wait for a person in a window of its own.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Why a program gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such program.
    #[error("there is no program {0:?}")]
    Missing(String),
    /// It cannot be started.
    #[error("the program cannot be started: {0}")]
    Start(ErrorKind),
    /// It did not end in time (seconds).
    #[error("the program did not end in {0} seconds, and was stopped")]
    Silent(u64),
    /// It printed more than the limit (KiB).
    #[error("the program printed more than {0} KiB, and was stopped")]
    TooLong(usize),
    /// It said itself that it failed: how it ended, and its last line on stderr.
    #[error("the program ended with {ended}{}", .said.as_ref().map_or_else(String::new, |said| format!(": {said}")))]
    Failed {
        /// `status 1`, `signal 9`.
        ended: String,
        /// What it said last, without control characters.
        said: Option<String>,
    },
    /// The system's error.
    #[error("the program cannot be listened to: {0}")]
    Io(ErrorKind),
}

impl Explain for CommandError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(_) => "install it, or write its whole path; valetkey runs no shell, so that neither \
                                     aliases nor functions are known"
                .to_owned(),
            Self::Start(_) => "check that it is executable and its first line names an interpreter".to_owned(),
            Self::Silent(_) => "run it by itself to see what it waits for; it gets no standard input".to_owned(),
            Self::TooLong(_) => "let it print the key alone".to_owned(),
            Self::Failed { .. } => "run it by itself: it must print the key and end with status 0".to_owned(),
            Self::Io(_) => "try again".to_owned(),
        })
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// What the program prints, at most `limit` bytes, without the ends of the last lines, as a
/// shell's `$(…)` gives it.
pub(super) fn read(line: &CommandLine, limit: usize, time: Duration) -> Result<Secret, CommandError> {
    let mut command = Command::new(line.program());
    command.args(line.arguments());
    // Room for a line's end that does not count.
    let answer = ask(&mut command, limit.saturating_add(1), time, &mut ui::pass_on).map_err(|error| match error {
        Unanswered::Start(error) if error.kind() == ErrorKind::NotFound => {
            CommandError::Missing(shown(line.program().as_bytes()))
        }
        Unanswered::Start(error) => CommandError::Start(error.kind()),
        Unanswered::TimedOut => CommandError::Silent(time.as_secs()),
        Unanswered::TooLong => CommandError::TooLong(limit / 1024),
        Unanswered::Io(error) => CommandError::Io(error.kind()),
    })?;
    if !answer.status.success() {
        return Err(CommandError::Failed { ended: how(answer.status), said: last_words(&answer.last_line) });
    }
    let mut secret = answer.secret.as_slice();
    while let Some(rest) = secret.strip_suffix(b"\n") {
        secret = rest;
    }
    if secret.len() > limit {
        return Err(CommandError::TooLong(limit / 1024));
    }
    Ok(Secret::new(secret.to_vec()))
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(number)) => format!("signal {number}"),
        (None, None) => "no status".to_owned(),
    }
}

/// What a program said last. A key that it wrote there by mistake is on the terminal already, and
/// goes no further.
fn last_words(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let text: String = text.trim().chars().take(MAX_SAID).map(harmless).collect();
    let tells = may_hold_key(&text) || text.split_whitespace().any(is_base64);
    (!text.is_empty() && !tells).then_some(text)
}

/// A line of a key's body, or a token: long, and of letters of both cases and digits.
fn is_base64(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
    word.len() >= MIN_BASE64
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "+/=-_".contains(c))
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
}

/// Characters from which on a word may be a part of a key.
const MIN_BASE64: usize = 32;

/// The most characters of a program's last words in an error.
const MAX_SAID: usize = 200;

fn harmless(c: char) -> char {
    if crate::wire::text::is_harmless(c) { c } else { '\u{fffd}' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_shown_where_they_are_words() {
        let line = "AAAEAtTW9uZGF5IGlzIG5vIGRheSBmb3IgYSBrZXkgd2l0/HNlY3JldHMg";
        for (said, shown) in [
            (
                "  [ERROR] 2026/11/26 not signed in, run op signin  ",
                Some("[ERROR] 2026/11/26 not signed in, run op signin"),
            ),
            ("", None),
            (line, None),
            (&format!("the key is {line}"), None),
            (&line[..MIN_BASE64], None),
            (&line[..MIN_BASE64 - 1], Some(&line[..MIN_BASE64 - 1])),
            ("-----END OPENSSH PRIVATE KEY-----", None),
        ] {
            assert_eq!(last_words(said.as_bytes()).as_deref(), shown, "{said}");
        }
        assert_eq!(last_words("a b ".repeat(MAX_SAID).as_bytes()).map(|said| said.len()), Some(MAX_SAID));
    }
}
