//! All human text goes out through here: `error:`, `hint:`, `warning:` and plain lines, with
//! colour only on a terminal and never under `NO_COLOR`.

pub mod diff;
pub mod progress;

use std::io::{IsTerminal as _, Write as _};

use crate::exit::Code;
use crate::wire::text::is_harmless;

/// An error that a person can act on. `Display` fits behind "failed to …: ", in lower case
/// and without any secret; the hint says what to do next.
pub trait Explain: std::error::Error {
    /// What to do about it, in one or more lines.
    fn hint(&self) -> Option<String> {
        None
    }
    /// The exit code that this failure ends valetkey with.
    fn code(&self) -> Code;
}

/// A failure on its way to the terminal: message, hint and exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One line, lower case, no final full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What valetkey exits with.
    pub code: Code,
}

impl Failure {
    /// A failure without a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code }
    }

    /// The same failure, with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self { message, hint: error.hint(), code: error.code() }
    }
}

fn coloured() -> bool {
    std::io::stderr().is_terminal() && colour_is_wanted()
}

/// Whether what goes to stdout may have colours.
#[must_use]
pub fn colour_on_stdout() -> bool {
    std::io::stdout().is_terminal() && colour_is_wanted()
}

/// Characters in a line of the terminal on stdout, if it is one.
#[must_use]
pub fn width_of_stdout() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

fn colour_is_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn labelled(label: &str, colour: &str, text: &str) {
    if coloured() {
        err(&format!("\x1b[1;{colour}m{label}:\x1b[0m {text}"));
    } else {
        err(&format!("{label}: {text}"));
    }
}

/// Escapes control characters, so that no comment, host name or file name that came from
/// elsewhere can write to the terminal. Line feeds stay.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || is_harmless(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    out
}

/// The same, on one line: nothing in it can look like a line of ours.
#[must_use]
pub fn one_line(text: &str) -> String {
    visible(text).replace('\n', "\\n")
}

/// Prints the one fatal error and its hint.
pub fn failure(failure: &Failure) {
    labelled("error", "31", &one_line(&failure.message));
    if let Some(hint) = &failure.hint {
        labelled("hint", "36", &visible(hint));
    }
}

/// Something that a person should know and that does not stop the run.
pub fn warning(text: &str) {
    labelled("warning", "33", &one_line(text));
}

/// A line of progress or summary on stderr.
pub fn note(text: &str) {
    let label = if coloured() { "\x1b[2mvaletkey:\x1b[0m" } else { "valetkey:" };
    err(&format!("{label} {}", one_line(text)));
}

/// A line of the command's result, on stdout.
pub fn line(text: &str) {
    // A reader that has seen enough (`| head`) is no error.
    let _ = writeln!(std::io::stdout(), "{}", visible(text));
}

/// A command's result that was escaped where it was made, on stdout.
pub fn write(bytes: &[u8]) {
    let _ = std::io::stdout().write_all(bytes);
}

/// What a program of the person's own says on its stderr, as it comes: a prompt has no line's end.
pub fn pass_on(bytes: &[u8]) {
    let _ = std::io::stderr().write_all(bytes);
}

/// A terminal that is gone must not stop the end of a lease, so nothing here panics.
fn err(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
