//! Asking a lease that lives in the background: how it stands, or that it ends.
//!
//! A socket in the lease's folder, which is open to its owner alone. A question is one word and a
//! line feed; the answer is a document of JSON up to the end of the stream. It carries no key and
//! no way to one: whoever asks learns what `status` shows.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::PidfdFlags;

use super::MAX_SAID;
use crate::agent::socket;

/// The socket's name in the folder.
const NAME: &str = "control.sock";
/// How long each side waits for the other's next bytes.
const WAIT: Duration = Duration::from_secs(5);
/// How long the process of a lease may take to be gone once it has said so.
const EXIT: Duration = Duration::from_secs(10);
/// How long a process that closed the connection without an answer may take to be gone.
const LEAVING: Duration = Duration::from_secs(2);
/// The pause after an accept error.
const PAUSE: Duration = Duration::from_millis(10);
/// Questions that are read at once; more are not answered.
const MAX_ASKING: usize = 8;
/// Bytes of a question.
const MAX_QUESTION: u64 = 16;

/// What a lease is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// How it stands.
    Status,
    /// To end.
    Stop,
}

impl Question {
    fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Stop => "stop",
        }
    }

    fn parse(line: &str) -> Option<Self> {
        [Self::Status, Self::Stop].into_iter().find(|question| line.strip_suffix('\n') == Some(question.word()))
    }
}

/// Somebody who asked and waits.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub question: Question,
    stream: UnixStream,
}

impl Asked {
    /// Answers. Who has gone meanwhile, or does not read, is not waited for longer than a moment.
    pub fn answer(mut self, said: &[u8]) {
        // Whoever asked sees that the answer is cut, by its JSON.
        let _ = self.stream.write_all(said);
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Opens the socket in the folder of a lease, and gives each question to `asked`.
///
/// # Errors
/// Of the system.
pub fn listen(folder: &Path, asked: impl Fn(Asked) + Send + Sync + 'static) -> io::Result<()> {
    let listener = socket::bind(&folder.join(NAME))?;
    let asked = Arc::new(asked);
    let asking = Arc::new(AtomicUsize::new(0));
    thread::Builder::new().name("control".into()).spawn(move || accept(&listener, &asked, &asking))?;
    Ok(())
}

fn accept<F: Fn(Asked) + Send + Sync + 'static>(listener: &UnixListener, asked: &Arc<F>, asking: &Arc<AtomicUsize>) {
    loop {
        // Out of descriptors: whoever waits is found again in a moment.
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        if asking.fetch_add(1, Ordering::SeqCst) >= MAX_ASKING {
            asking.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (asked, counter) = (Arc::clone(asked), Arc::clone(asking));
        let read = thread::Builder::new().name("asked".into()).spawn(move || {
            let question = question(&stream);
            counter.fetch_sub(1, Ordering::SeqCst);
            if let Some(question) = question {
                asked(Asked { question, stream });
            }
        });
        if read.is_err() {
            asking.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn question(stream: &UnixStream) -> Option<Question> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    if peer.uid != rustix::process::geteuid() {
        return None;
    }
    stream.set_read_timeout(Some(WAIT)).ok()?;
    stream.set_write_timeout(Some(WAIT)).ok()?;
    let mut line = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(stream.take(MAX_QUESTION)), &mut line).ok()?;
    Question::parse(&line)
}

/// Why a lease did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens: its process is gone.
    #[error("the lease {0} is over")]
    Over(PathBuf),
    /// It was asked, and did not answer as it should.
    #[error("the lease {folder} does not answer")]
    Silent {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl crate::ui::Explain for ControlError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Over(_) => None,
            Self::Silent { folder, .. } => {
                Some(format!("end its process with `kill`; {} names it", folder.join(super::FILE).display()))
            }
        }
    }

    fn code(&self) -> crate::exit::Code {
        crate::exit::Code::Lease
    }
}

/// Asks the lease in `folder`, and gives its answer. After [`Question::Stop`] its process is gone.
///
/// # Errors
/// [`ControlError`].
pub fn ask(folder: &Path, question: Question) -> Result<Vec<u8>, ControlError> {
    let silent = |source| ControlError::Silent { folder: folder.to_owned(), source };
    let mut stream = UnixStream::connect(folder.join(NAME)).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::Over(folder.to_owned()),
        _ => silent(source),
    })?;
    let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(|error| silent(error.into()))?;
    if peer.uid != rustix::process::geteuid() {
        return Err(silent(io::ErrorKind::PermissionDenied.into()));
    }
    // Before it is told to end: afterwards the number may be another process's.
    let process = rustix::process::pidfd_open(peer.pid, PidfdFlags::empty()).ok();
    let answer = || {
        stream.set_read_timeout(Some(WAIT))?;
        stream.set_write_timeout(Some(WAIT))?;
        stream.write_all(format!("{}\n", question.word()).as_bytes())?;
        let mut said = Vec::new();
        stream.take(MAX_SAID).read_to_end(&mut said)?;
        if said.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(said) }
    };
    let said = match answer() {
        // It was ending by itself when it was asked.
        Err(error) if has_closed(&error) && gone(process.as_ref(), LEAVING).unwrap_or(false) => {
            return Err(ControlError::Over(folder.to_owned()));
        }
        answer => answer.map_err(silent)?,
    };
    if question == Question::Stop && process.is_some() && !gone(process.as_ref(), EXIT).map_err(silent)? {
        return Err(silent(io::ErrorKind::TimedOut.into()));
    }
    Ok(said)
}

fn has_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionReset, UnexpectedEof].contains(&error.kind())
}

/// Whether a process is gone before the limit. One that could not be opened was gone before.
fn gone(process: Option<&OwnedFd>, limit: Duration) -> io::Result<bool> {
    let Some(process) = process else { return Ok(true) };
    let mut fds = [PollFd::new(process, PollFlags::IN)];
    Ok(poll(&mut fds, Timespec::try_from(limit).ok().as_ref())? != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        listen(dir.path(), |asked| {
            let said = format!("{:?}", asked.question);
            asked.answer(said.as_bytes());
        })
        .unwrap();
        dir
    }

    #[test]
    fn a_question_is_answered_and_something_else_is_not() {
        let dir = answering();
        assert_eq!(ask(dir.path(), Question::Status).unwrap(), b"Status");
        for line in ["", "status", "reboot\n", "status and more\n", &"x".repeat(1 << 20)] {
            let mut stream = UnixStream::connect(dir.path().join(NAME)).unwrap();
            // It may be closed before all of it was written.
            let _ = stream.write_all(line.as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            assert_eq!(said, b"", "{line:.20}");
        }
    }

    #[test]
    fn who_asks_and_says_nothing_keeps_nobody_else_waiting() {
        let dir = answering();
        let silent: Vec<_> = (0..MAX_ASKING - 1).map(|_| UnixStream::connect(dir.path().join(NAME)).unwrap()).collect();
        assert_eq!(ask(dir.path(), Question::Status).unwrap(), b"Status");
        let last = UnixStream::connect(dir.path().join(NAME)).unwrap();
        assert!(matches!(ask(dir.path(), Question::Status), Err(ControlError::Silent { .. })), "one past the limit");
        drop((silent, last));
    }

    #[test]
    fn a_lease_without_a_process_is_over() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(ask(dir.path(), Question::Stop), Err(ControlError::Over(_))));
        drop(UnixListener::bind(dir.path().join(NAME)).unwrap());
        assert!(matches!(ask(dir.path(), Question::Stop), Err(ControlError::Over(_))));
    }
}
