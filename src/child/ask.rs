//! Asking a program: its whole answer, within a time limit and a size.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often a program that has closed its output is looked at until it ends.
const EXIT_POLL: Duration = Duration::from_millis(5);

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Whether it ended with status 0.
    pub success: bool,
    /// All of its stdout.
    pub stdout: Vec<u8>,
    /// All of its stderr.
    pub stderr: Vec<u8>,
}

/// How long a program may take, and the most bytes that it may write on stdout, and on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    pub(crate) output: u64,
}

/// Runs a program to its end.
pub(crate) fn ask(command: &mut Command, stdin: &str, limits: Limits) -> io::Result<Output> {
    let input = if stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        let text = stdin.to_owned();
        // A tool that does not read all of it is free not to.
        std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
    }
    let answer = answer(&mut child, limits);
    if answer.is_err() {
        // Already gone, or ours to end; either way it is reaped.
        let _ = child.kill();
        let _ = child.wait();
    }
    answer
}

fn answer(child: &mut Child, limits: Limits) -> io::Result<Output> {
    let until = Instant::now() + limits.time;
    let stdout = reader(child.stdout.take(), limits.output);
    let stderr = reader(child.stderr.take(), limits.output);
    // Threads are not joined: where a grandchild keeps a pipe open, they end with it.
    let stdout = received(&stdout, until)?;
    let stderr = received(&stderr, until)?;
    let status = exit(child, until)?;
    Ok(Output { success: status.success(), stdout, stderr })
}

fn reader(source: Option<impl io::Read + Send + 'static>, limit: u64) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let bytes = source.map_or_else(|| Ok(Vec::new()), |source| bounded(source, "the answer", limit));
        // Nobody listens any more where the time limit was reached.
        let _ = sender.send(bytes);
    });
    receiver
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer within the time limit")
}

fn received(from: &mpsc::Receiver<io::Result<Vec<u8>>>, until: Instant) -> io::Result<Vec<u8>> {
    from.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|_| timed_out())?
}

fn exit(child: &mut Child, until: Instant) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= until {
            return Err(timed_out());
        }
        std::thread::sleep(EXIT_POLL);
    }
}

fn too_long(what: &str, limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("{what} is longer than {limit} bytes"))
}

/// All that a source has, where it is no more than `limit` bytes.
pub(crate) fn bounded(source: impl io::Read, what: &str, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_long(what, limit));
    }
    Ok(bytes)
}
