//! What the child prints where no person sits at a terminal: through a pipe of ours, masked.
//!
//! A stream that is a terminal is the child's own, untouched. Each other one is a pipe with a thread
//! that reads, masks and writes on; where standard output and standard error are one open file, one
//! pipe is both, so that the order of lines stays. A reader of ours that goes away takes the
//! child's pipe with it, so that the child learns of it as it would without us. Nothing is queued:
//! while our reader is slow, so is the child. What was written on is looked at for signs of what went
//! wrong ([`crate::diagnosis`]): behind the mask, and when it is on its way already.

use std::fs::File;
use std::io::{self, IsTerminal as _, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use zeroize::Zeroizing;

use super::mask::Mask;
use super::signals::Forwarding;
use crate::diagnosis::{Signs, Watch};

/// How long what the child left behind may be silent, and keep its pipe open, until we go.
pub const GRACE: Duration = Duration::from_millis(500);
/// How long it is listened to altogether.
pub const MAX_GRACE: Duration = Duration::from_secs(5);
/// How long the child is silent until the letters go out that it ended with and that a secret
/// begins with.
const QUIET: Duration = Duration::from_millis(20);
/// Bytes that are read at once: what a pipe holds.
const READ: usize = 64 * 1024;
/// Bytes that are written at once: so many fit into a pipe that can be written to at all.
const WRITE: usize = 4096;
/// How often a reader that stands still is looked at, once the child has ended.
const LOOK: Duration = Duration::from_millis(100);

/// The child's output on its way, until [`Output::finish`].
#[derive(Default)]
pub struct Output {
    pumps: Vec<JoinHandle<(io::Result<()>, Signs)>>,
    /// Closed when the child has ended.
    running: Option<PipeWriter>,
    /// Whether a signal came that is to end us.
    interrupted: Arc<AtomicBool>,
    forwarding: Option<Forwarding>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("masked", &self.pumps.len()).finish_non_exhaustive()
    }
}

/// How many of our two streams are a terminal.
#[must_use]
pub fn terminals() -> usize {
    usize::from(io::stdout().is_terminal()) + usize::from(io::stderr().is_terminal())
}

/// Whether any of our own streams is no terminal, so that there is something to mask.
#[must_use]
pub fn is_recorded() -> bool {
    terminals() < 2
}

impl Output {
    /// Gives the command pipes for its output where ours is no terminal.
    pub(super) fn attach(mask: &Mask, command: &mut Command) -> io::Result<Self> {
        let (ended, running) = io::pipe()?;
        let mut output = Self { running: Some(running), ..Self::default() };
        let (out, err) = (io::stdout(), io::stderr());
        let (out_too, err_too) = (!out.is_terminal(), !err.is_terminal());
        let mut pump = |to: BorrowedFd<'_>| -> io::Result<PipeWriter> {
            let (from, writer) = io::pipe()?;
            let to = File::from(to.try_clone_to_owned()?);
            let pump =
                Pump { from, to, ended: ended.try_clone()?, left: None, interrupted: Arc::clone(&output.interrupted) };
            let mask = mask.clone();
            output.pumps.push(thread::Builder::new().name("output".into()).spawn(move || pump.watched(mask))?);
            Ok(writer)
        };
        if out_too && err_too && is_one_file(out.as_fd(), err.as_fd()) {
            let writer = pump(out.as_fd())?;
            command.stdout(writer.try_clone()?).stderr(writer);
            return Ok(output);
        }
        if out_too {
            command.stdout(pump(out.as_fd())?);
        }
        if err_too {
            command.stderr(pump(err.as_fd())?);
        }
        Ok(output)
    }

    pub(super) fn interrupted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// The child has ended. Until [`Self::finish`], signals are told of.
    pub(super) fn ended(&mut self, forwarding: Forwarding) {
        self.running = None;
        self.forwarding = Some(forwarding);
    }

    /// Waits until everything that the child printed is written; for what it left behind and keeps
    /// the pipe open, no longer than [`GRACE`] after its last word. Gives the signs that were in it,
    /// and an error when it cannot be written; a reader that has seen enough is none.
    pub fn finish(mut self) -> (Signs, io::Result<()>) {
        self.running = None;
        let results: Vec<_> = self.pumps.drain(..).map(JoinHandle::join).collect();
        if let Some(forwarding) = self.forwarding.take() {
            forwarding.stop();
        }
        let (mut signs, mut written) = (Signs::default(), Ok(()));
        for result in results {
            let (found, result) = match result {
                Ok((result, found)) => (found, result),
                Err(_) => (Signs::default(), Err(io::Error::other("it was cut off"))),
            };
            signs.add(found);
            written = written.and(result);
        }
        (signs, written)
    }
}

/// Whether both are the same pipe, file or socket. Of devices that is not to be told.
fn is_one_file(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> bool {
    let (Ok(a), Ok(b)) = (rustix::fs::fstat(a), rustix::fs::fstat(b)) else { return false };
    let kind = FileType::from_raw_mode(a.st_mode);
    let counts = matches!(kind, FileType::Fifo | FileType::RegularFile | FileType::Socket);
    counts && (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// One stream.
struct Pump {
    from: PipeReader,
    to: File,
    ended: PipeReader,
    left: Option<Left>,
    interrupted: Arc<AtomicBool>,
}

/// What is left to do when the child has ended.
struct Left {
    /// Bytes that stood in the pipe then: they are the child's own, however long they take.
    owed: u64,
    until: Instant,
}

/// What a wait for the child's words came to.
enum Next {
    Ready,
    /// None yet.
    Quiet,
    /// Nothing more comes.
    Nothing,
    /// Nobody reads what we write.
    Gone,
}

impl Pump {
    fn watched(self, mask: Mask) -> (io::Result<()>, Signs) {
        let mut watch = Watch::default();
        let written = self.run(mask, &mut watch);
        (written, watch.finish())
    }

    fn run(mut self, mut mask: Mask, watch: &mut Watch) -> io::Result<()> {
        let (mut bytes, mut out) = (Zeroizing::new(vec![0; READ]), Vec::with_capacity(READ));
        loop {
            match self.readable(mask.has_to_release())? {
                Next::Ready => {}
                Next::Quiet => {
                    out.clear();
                    mask.release(&mut out);
                    if !self.write(&out)? {
                        return Ok(());
                    }
                    watch.see(&out);
                    continue;
                }
                Next::Nothing => break,
                Next::Gone => return Ok(()),
            }
            let count = match self.from.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Some(left) = &mut self.left {
                left.owed = left.owed.saturating_sub(count as u64);
            }
            out.clear();
            mask.push(bytes.get(..count).unwrap_or_default(), &mut out);
            if !self.write(&out)? {
                return Ok(());
            }
            watch.see(&out);
        }
        out.clear();
        mask.finish(&mut out);
        watch.see(&out);
        self.write(&out).map(drop)
    }

    /// Waits for the child's next words; where something is to be released, only for a moment.
    fn readable(&mut self, release: bool) -> io::Result<Next> {
        loop {
            let left = match &self.left {
                Some(left) if left.owed > 0 => Some(GRACE),
                Some(left) => Some(left.until.saturating_duration_since(Instant::now()).min(GRACE)),
                None => None,
            };
            let timeout = if release { Some(left.unwrap_or(QUIET).min(QUIET)) } else { left };
            // An end that nobody reads any more tells so without being asked for anything.
            let mut ends = [
                PollFd::new(&self.to, PollFlags::empty()),
                PollFd::new(&self.from, PollFlags::IN),
                PollFd::new(&self.ended, PollFlags::empty()),
            ];
            let [to, from, ended] = wait(&mut ends, 2 + usize::from(left.is_none()), timeout)?;
            if !to.is_empty() {
                return Ok(Next::Gone);
            }
            if !ended.is_empty() {
                self.note_end();
            } else if from.is_empty() && release {
                return Ok(Next::Quiet);
            } else if from.is_empty() && left.is_some() {
                return Ok(Next::Nothing);
            } else if !from.is_empty() {
                let over = self.left.as_ref().is_some_and(|left| left.owed == 0 && left.until <= Instant::now());
                return Ok(if over { Next::Nothing } else { Next::Ready });
            }
        }
    }

    /// Writes it all; false when nobody reads it any more.
    fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let timeout = self.left.as_ref().map(|_| LOOK);
            let mut ends = [PollFd::new(&self.to, PollFlags::OUT), PollFd::new(&self.ended, PollFlags::empty())];
            let [to, ended] = wait(&mut ends, 1 + usize::from(timeout.is_none()), timeout)?;
            if !ended.is_empty() {
                self.note_end();
            }
            if to.is_empty() {
                // A reader may take its time, but not where we were told to end.
                let over = self.left.as_ref().is_some_and(|left| left.until <= Instant::now());
                if over && self.interrupted.load(Ordering::Relaxed) {
                    return Ok(false);
                }
                continue;
            }
            match self.to.write(rest.get(..WRITE).unwrap_or(rest)) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn note_end(&mut self) {
        let owed = rustix::io::ioctl_fionread(&self.from).unwrap_or(0);
        self.left.get_or_insert(Left { owed, until: Instant::now() + MAX_GRACE });
    }
}

/// Waits for the first `count` of them; gives what each has.
fn wait<const N: usize>(
    ends: &mut [PollFd<'_>; N],
    count: usize,
    timeout: Option<Duration>,
) -> io::Result<[PollFlags; N]> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match poll(ends.get_mut(..count).unwrap_or_default(), timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(ends.each_ref().map(PollFd::revents)),
        Err(error) => Err(error.into()),
    }
}
