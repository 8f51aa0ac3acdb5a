//! The wrapped command: its environment, its signals, its end.
//!
//! The child stays in our process group and on our terminal, so that Ctrl-C, job control,
//! window size and progress display are its own.

pub(crate) mod ask;
mod foreground;
pub mod mask;
pub mod output;
pub(crate) mod secret_answer;
mod signals;
pub mod witness;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use rustix::process::{Pid, WaitOptions, WaitStatus};

use crate::exit::{self, Code};
use crate::ui::Explain;
use mask::Mask;
use output::Output;
use witness::Witness;

/// Everything that the child is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables to set.
    pub set: Vec<(OsString, OsString)>,
    /// Variables that it must not see: those that held a key.
    pub remove: Vec<OsString>,
}

/// Why the child did not run.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// No such program.
    #[error("failed to start {0}: command not found")]
    NotFound(String),
    /// The file is there, and what its first line or its format asks for is not.
    #[error("failed to start {0}: the file is there, and the interpreter or loader that it names is not")]
    NoInterpreter(String),
    /// It cannot be executed.
    #[error("failed to start {program}")]
    Start {
        /// What was to be started.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The system did not let us watch over it.
    #[error("failed to watch over the command")]
    Watch(#[source] io::Error),
}

impl Explain for ChildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => Some("check its spelling and PATH; the command comes behind `--`".into()),
            Self::NoInterpreter(program) => {
                Some(format!("check the first line of {program}, or for which system it was built"))
            }
            _ => None,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::NoInterpreter(_) => Code::NotFound,
            Self::Start { .. } => Code::NotExecutable,
            Self::Watch(_) => Code::Internal,
        }
    }
}

/// How the child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exited(u8),
    /// By this signal.
    Signalled(i32),
}

impl Ended {
    /// The exit code that valetkey passes on.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Signalled(number) => exit::of_signal(number),
        }
    }
}

/// Runs the child to its end, passing on the signals that only we got. With a mask, what it prints
/// goes through it where we have no terminal; the end of that is the caller's to wait for, because
/// it may come later.
///
/// # Errors
/// [`ChildError`] when it could not be started.
pub fn run(
    start: &Start,
    core_limit: Option<rustix::process::Rlimit>,
    mut witness: Witness,
    mask: Option<&Mask>,
) -> Result<(Ended, Output), ChildError> {
    let mut command = Command::new(&start.program);
    command.args(&start.args);
    for name in &start.remove {
        command.env_remove(name);
    }
    for (name, value) in &start.set {
        command.env(name, value);
    }
    crate::sys::with_core_limit(&mut command, core_limit);
    // Before the child: a signal that arrives while it starts must not be lost.
    let signals = signals::Signals::listen().map_err(ChildError::Watch)?;
    witness.ready().map_err(ChildError::Watch)?;
    let output = mask.map(|mask| Output::attach(mask, &mut command)).transpose().map_err(ChildError::Watch)?;
    let mut output = output.unwrap_or_default();
    let child = command.spawn().map_err(|source| not_started(&start.program, source))?;
    // With it go our copies of the child's ends of its pipes.
    drop(command);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else { return Err(ChildError::Watch(io::ErrorKind::InvalidData.into())) };
    let forwarding = signals.forward_to(pid, witness, output.interrupted()).map_err(ChildError::Watch)?;
    let ended = wait(pid).map_err(ChildError::Watch);
    output.ended(forwarding);
    Ok((ended?, output))
}

fn not_started(program: &OsStr, source: io::Error) -> ChildError {
    let is_there = program.as_encoded_bytes().contains(&b'/') && std::path::Path::new(program).exists();
    let program = program.to_string_lossy().into_owned();
    match source.kind() {
        io::ErrorKind::NotFound if is_there => ChildError::NoInterpreter(program),
        io::ErrorKind::NotFound => ChildError::NotFound(program),
        _ => ChildError::Start { program, source },
    }
}

/// Waits for the child, and reaps on the way what it left to us: as a child subreaper we are
/// the parent of its orphans. Called by the thread that started it.
///
/// What other threads start (the gateway asks `ssh -G`) is theirs to wait for: taken from them
/// here, they would not learn how it ended.
fn wait(child: Pid) -> io::Result<Ended> {
    let of_this_thread = WaitOptions::from_bits_retain(libc::__WNOTHREAD.cast_unsigned());
    loop {
        match rustix::process::wait(of_this_thread) {
            Ok(Some((pid, status))) if pid == child => {
                if let Some(ended) = ended(status) {
                    return Ok(ended);
                }
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn ended(status: WaitStatus) -> Option<Ended> {
    let status = std::process::ExitStatus::from_raw(status.as_raw());
    match (status.code(), status.signal()) {
        (Some(code), _) => Some(Ended::Exited(u8::try_from(code).unwrap_or(u8::MAX))),
        (None, Some(number)) => Some(Ended::Signalled(number)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::zombie_processes, reason = "what is tested is the wait for it")]
    fn the_end_of_what_another_thread_started_is_left_to_that_thread() {
        let (sender, stdin) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let mut child =
                Command::new("sh").args(["-c", "read x; exit 7"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
            sender.send(child.stdin.take().unwrap()).unwrap();
            wait(Pid::from_child(&child)).unwrap()
        });
        let stdin = stdin.recv().unwrap();
        for _ in 0..50 {
            assert!(Command::new("true").status().expect("its end is ours to know").success());
        }
        drop(stdin);
        assert_eq!(waiting.join().unwrap(), Ended::Exited(7));
    }
}
