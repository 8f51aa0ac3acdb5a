//! A prompt on the terminal, without echo.
//!
//! Owns the terminal's mode for as long as it asks, and gives it back on every way out. Ctrl-C
//! arrives as a byte here and not as a signal, so that it too comes past the restoring; a signal
//! of somebody else ends us behind it, as in OpenSSH's `readpassphrase.c`.

use std::fs::File;
use std::io::{Read as _, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Secret;
use super::passphrase::AskError;
use crate::sys::Held;

/// The most bytes of a passphrase, as in OpenSSH.
pub const MAX_PASSPHRASE: usize = 1023;

/// How often it is looked whether a signal came: it may come between a look and a wait.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// The process's own terminal, if it has one.
#[must_use]
pub fn terminal() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
}

/// The terminal's mode before the prompt, put back when this goes.
struct Silent<'a> {
    terminal: &'a File,
    before: Termios,
    /// Dropped behind the restoring.
    held: Held,
}

impl<'a> Silent<'a> {
    fn new(terminal: &'a File) -> std::io::Result<Self> {
        let held = Held::new();
        let before = tcgetattr(terminal)?;
        let mut mode = before.clone();
        // Byte by byte, so that Ctrl-C is seen at once; editing is done below.
        mode.local_modes -= LocalModes::ECHO | LocalModes::ISIG | LocalModes::ICANON;
        mode.special_codes[SpecialCodeIndex::VMIN] = 1;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &mode)?;
        Ok(Self { terminal, before, held })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Shows the prompt and reads one line.
///
/// # Errors
/// When the terminal fails, the line is too long, or the person cancels (Ctrl-C, Ctrl-D).
pub fn read(mut terminal: &File, prompt: &str) -> Result<Secret, AskError> {
    let failed = |error: std::io::Error| AskError::Terminal(error.kind());
    let silent = Silent::new(terminal).map_err(failed)?;
    terminal.write_all(crate::ui::visible(prompt).as_bytes()).map_err(failed)?;
    let mut line = Line::default();
    let mut byte = Zeroizing::new([0]);
    let answer = loop {
        let typed = poll(&mut [PollFd::new(&terminal, PollFlags::IN)], Some(&LOOK_EVERY));
        if silent.held.came() {
            break Err(AskError::Cancelled);
        }
        if matches!(typed, Ok(0) | Err(rustix::io::Errno::INTR)) {
            continue;
        }
        match terminal.read(&mut *byte) {
            Ok(0) => break Err(AskError::Cancelled),
            Ok(_) => match line.typed(byte[0]) {
                Step::More => {}
                Step::Done => break Ok(()),
                Step::Cancelled => break Err(AskError::Cancelled),
                Step::TooLong => break Err(AskError::TooLong),
            },
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(failed(error)),
        }
    };
    drop(silent);
    let _ = terminal.write_all(b"\n");
    answer.map(|()| Secret::new(line.0.to_vec()))
}

/// The line so far. It never moves: there is room for all of it from the start.
struct Line(Zeroizing<Vec<u8>>);

impl Default for Line {
    fn default() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE)))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    More,
    Done,
    Cancelled,
    TooLong,
}

impl Line {
    fn typed(&mut self, byte: u8) -> Step {
        match byte {
            b'\r' | b'\n' => return Step::Done,
            // Ctrl-C, Ctrl-\ and Ctrl-Z end it; Ctrl-D ends it where nothing was typed.
            0x03 | 0x1c | 0x1a => return Step::Cancelled,
            0x04 if self.0.is_empty() => return Step::Cancelled,
            0x04 => return Step::Done,
            // Backspace takes a whole character of UTF-8.
            0x08 | 0x7f => while self.0.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            0x15 => self.0.clear(),
            _ if self.0.len() == MAX_PASSPHRASE => return Step::TooLong,
            _ => self.0.push(byte),
        }
        Step::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (Step, Vec<u8>) {
        let mut line = Line::default();
        for key in keys {
            match line.typed(*key) {
                Step::More => {}
                end => return (end, line.0.to_vec()),
            }
        }
        (Step::More, line.0.to_vec())
    }

    #[test]
    fn a_line_is_edited_as_a_terminal_edits_it() {
        assert_eq!(typed(b"abc\r"), (Step::Done, b"abc".to_vec()));
        assert_eq!(typed(b"abx\x7fc\n"), (Step::Done, b"abc".to_vec()));
        assert_eq!(typed("ab\u{e9}\x08c\n".as_bytes()), (Step::Done, b"abc".to_vec()));
        assert_eq!(typed(b"\x7fwrong\x15abc\n"), (Step::Done, b"abc".to_vec()));
        assert_eq!(typed(b"ab\x04"), (Step::Done, b"ab".to_vec()));
        assert_eq!(typed(b"\x04").0, Step::Cancelled);
        assert_eq!(typed(b"ab\x03").0, Step::Cancelled);
    }

    #[test]
    fn a_passphrase_ends_at_its_limit() {
        let mut keys = vec![b'x'; MAX_PASSPHRASE];
        keys.push(b'\n');
        assert_eq!(typed(&keys), (Step::Done, vec![b'x'; MAX_PASSPHRASE]));
        keys.insert(0, b'x');
        assert_eq!(typed(&keys).0, Step::TooLong);
    }
}
