//! Asking a program for a secret: what it prints is wiped and never shown, what it says on stderr
//! is shown as it comes.
//!
//! Owns its end: it runs in a process group of its own, and whatever of that is still there when
//! it has ended, had its time or said too much is killed. One that leaves the group on purpose,
//! as a daemon does, is let go.

use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid};
use zeroize::Zeroizing;

use super::foreground::Foreground;

/// The most bytes of its stderr that are shown; the rest is read and dropped.
pub(crate) const MAX_SHOWN: usize = 64 * 1024;
/// The most bytes of its stderr's last line that are kept.
const MAX_LINE: usize = 512;
/// Bytes of stderr that are read at once.
const PIECE: usize = 4096;

/// What a program ended with.
pub(crate) struct Answer {
    pub(crate) status: ExitStatus,
    /// All of its stdout.
    pub(crate) secret: Zeroizing<Vec<u8>>,
    /// The last line of its stderr that is not blank.
    pub(crate) last_line: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It did not start.
    Start(io::Error),
    /// It did not end in time.
    TimedOut,
    /// It printed more than was asked for.
    TooLong,
    /// It cannot be listened to.
    Io(io::Error),
}

/// Runs a program to its end, without input. `show` gets its stderr.
pub(crate) fn ask(
    command: &mut Command,
    limit: usize,
    time: Duration,
    show: &mut dyn FnMut(&[u8]),
) -> Result<Answer, Unanswered> {
    let until = Instant::now() + time;
    let mut group = Group::start(command)?;
    let mut secret = Secret { bytes: Zeroizing::new(vec![0; limit.saturating_add(1)]), length: 0 };
    let mut said = Said::default();
    loop {
        // Looked at before the pipes: what it wrote before its end is in them by now.
        let ended = group.has_ended().map_err(Unanswered::Io)?;
        read(&mut group.stdout, |pipe| secret.take(pipe))?;
        read(&mut group.stderr, |pipe| said.take(pipe, show))?;
        if ended {
            let secret = Zeroizing::new(secret.bytes.get(..secret.length).unwrap_or_default().to_vec());
            return Ok(Answer { status: group.end().map_err(Unanswered::Io)?, secret, last_line: said.last_line() });
        }
        group.wait(until)?;
    }
}

/// The process and all that it starts, killed when this goes.
struct Group {
    child: Child,
    id: Pid,
    handle: OwnedFd,
    stdout: Option<std::process::ChildStdout>,
    stderr: Option<std::process::ChildStderr>,
    // Goes before the group does: the terminal is ours again by then.
    terminal: Option<Foreground>,
    reaped: bool,
}

impl Group {
    fn start(command: &mut Command) -> Result<Self, Unanswered> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // Should we be killed, it goes too.
        crate::sys::dies_with_this_thread(command, None);
        let mut child = command.spawn().map_err(Unanswered::Start)?;
        let id = Pid::from_child(&child);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let handle = pidfd_open(id, PidfdFlags::empty());
        let handle = match handle {
            Ok(handle) => handle,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Unanswered::Io(error.into()));
            }
        };
        let terminal = Foreground::give(id);
        let group = Self { child, id, handle, stdout, stderr, terminal, reaped: false };
        for pipe in [group.stdout.as_ref().map(|pipe| pipe.as_fd()), group.stderr.as_ref().map(|pipe| pipe.as_fd())] {
            let Some(pipe) = pipe else { continue };
            fcntl_getfl(pipe)
                .and_then(|flags| fcntl_setfl(pipe, flags | OFlags::NONBLOCK))
                .map_err(|error| Unanswered::Io(error.into()))?;
        }
        Ok(group)
    }

    /// Whether it has ended. It is not reaped: until then its number is nobody else's.
    fn has_ended(&self) -> io::Result<bool> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        Ok(waitid(WaitId::Pid(self.id), look)?.is_some())
    }

    /// Waits until it ends or says something.
    fn wait(&self, until: Instant) -> Result<(), Unanswered> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Unanswered::TimedOut);
        }
        let mut waiting = vec![PollFd::new(&self.handle, PollFlags::IN)];
        waiting.extend(self.stdout.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        waiting.extend(self.stderr.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut waiting, Timespec::try_from(left).ok().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Unanswered::Io(error.into())),
        }
    }

    /// Kills what is left of the group, and reaps the one that ended.
    fn end(&mut self) -> io::Result<ExitStatus> {
        self.terminal = None;
        let _ = kill_process_group(self.id, Signal::KILL);
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.end();
        }
    }
}

/// Reads from a pipe, and closes it at its end.
fn read<P>(pipe: &mut Option<P>, take: impl FnOnce(&mut P) -> Result<bool, Unanswered>) -> Result<(), Unanswered> {
    let Some(open) = pipe else { return Ok(()) };
    if take(open)? {
        *pipe = None;
    }
    Ok(())
}

/// One read: how much there was, `None` where there is nothing yet.
fn some(pipe: &mut impl Read, into: &mut [u8]) -> Result<Option<usize>, Unanswered> {
    loop {
        match pipe.read(into) {
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(Unanswered::Io(error)),
        }
    }
}

/// What was printed, in memory that never moves: moved memory would leave a copy behind.
struct Secret {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Secret {
    /// Reads what is there; whether that is the end.
    fn take(&mut self, pipe: &mut impl Read) -> Result<bool, Unanswered> {
        loop {
            let free = self.bytes.get_mut(self.length..).filter(|free| !free.is_empty());
            let Some(free) = free else { return Err(Unanswered::TooLong) };
            match some(pipe, free)? {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(count) => self.length += count,
            }
        }
    }
}

/// What was said on stderr.
#[derive(Default)]
struct Said {
    shown: usize,
    line: Vec<u8>,
    last: Vec<u8>,
}

impl Said {
    /// Shows one piece of what is there, so that one that never stops does not keep us from the
    /// clock; whether that is the end.
    fn take(&mut self, pipe: &mut impl Read, show: &mut dyn FnMut(&[u8])) -> Result<bool, Unanswered> {
        let mut piece = [0; PIECE];
        // As much as a pipe holds.
        for _ in 0..MAX_SHOWN / PIECE {
            match some(pipe, &mut piece)? {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(count) => self.add(piece.get(..count).unwrap_or_default(), show),
            }
        }
        Ok(false)
    }

    fn add(&mut self, piece: &[u8], show: &mut dyn FnMut(&[u8])) {
        let fits = piece.get(..piece.len().min(MAX_SHOWN - self.shown)).unwrap_or_default();
        if !fits.is_empty() {
            show(fits);
            self.shown += fits.len();
        }
        for byte in piece {
            if b"\r\n".contains(byte) {
                self.end_line();
            } else if self.line.len() < MAX_LINE {
                self.line.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.trim_ascii().is_empty() {
            self.last = line;
        }
    }

    fn last_line(mut self) -> Vec<u8> {
        self.end_line();
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// What a script answers, and what was shown of it.
    fn answer(script: &str, limit: usize, time: Duration) -> (Result<Answer, Unanswered>, Vec<u8>) {
        let mut shown = Vec::new();
        let mut command = Command::new("sh");
        let answer = ask(command.args(["-c", script]), limit, time, &mut |piece| shown.extend_from_slice(piece));
        (answer, shown)
    }

    #[test]
    fn what_is_printed_is_the_answer_and_what_is_said_is_shown() {
        let (said, shown) = answer("printf secret; printf 'one\\ntwo\\n\\n' >&2; exit 3", 10, LONG);
        let said = said.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((said.secret.as_slice(), shown.as_slice()), (&b"secret"[..], &b"one\ntwo\n\n"[..]));
        assert_eq!((said.status.code(), said.last_line.as_slice()), (Some(3), &b"two"[..]));
    }

    #[test]
    fn an_answer_at_the_limit_is_whole_and_a_byte_more_or_a_flood_is_none() {
        let (said, _) = answer("printf 12345", 5, LONG);
        assert_eq!(said.unwrap_or_else(|error| panic!("{error:?}")).secret.as_slice(), b"12345");
        for script in ["printf 123456", "exec yes", "yes & yes"] {
            assert!(matches!(answer(script, 5, LONG).0, Err(Unanswered::TooLong)), "{script}");
        }
        // More than a pipe holds, and all of it.
        let (said, _) = answer("head -c 300000 /dev/zero", 300_000, LONG);
        assert_eq!(said.unwrap_or_else(|error| panic!("{error:?}")).secret.len(), 300_000);
    }

    #[test]
    fn stderr_is_shown_up_to_its_limit_and_the_answer_is_whole_all_the_same() {
        let script = "head -c 1000000 /dev/zero | tr '\\0' x >&2; printf ok";
        let (said, shown) = answer(script, 5, LONG);
        let said = said.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((said.secret.as_slice(), shown.len(), said.last_line.len()), (&b"ok"[..], MAX_SHOWN, MAX_LINE));
        let (said, shown) = answer("exec yes >&2", 5, Duration::from_millis(300));
        assert!(matches!(said, Err(Unanswered::TimedOut)) && shown.len() == MAX_SHOWN);
    }

    /// Whether a process of this group is there, beside those that ended and wait for their parent.
    fn runs(group: &str) -> bool {
        let is = |stat: &str| {
            let mut fields = stat.rsplit_once(") ").into_iter().flat_map(|(_, rest)| rest.split(' '));
            let (state, group_of) = (fields.next(), fields.nth(1));
            state.is_some_and(|state| !"ZX".contains(state)) && group_of == Some(group)
        };
        let stats = std::fs::read_dir("/proc").expect("processes").flatten();
        stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok()).any(|stat| is(&stat))
    }

    #[track_caller]
    fn expect_all_gone(group: &[u8]) {
        let group = String::from_utf8_lossy(group).trim().to_owned();
        assert!(group.parse::<u32>().is_ok(), "{group:?}");
        let give_up = Instant::now() + LONG;
        while runs(&group) {
            assert!(Instant::now() < give_up, "the group {group} still runs");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn one_that_hangs_is_killed_with_all_that_it_started() {
        let began = Instant::now();
        let (said, shown) = answer("echo $$ >&2; sleep 600 & sleep 600 & wait", 5, Duration::from_millis(300));
        assert!(matches!(said, Err(Unanswered::TimedOut)));
        assert!(began.elapsed() < LONG);
        expect_all_gone(&shown);
        // So it is where SIGTERM means nothing to it.
        let (said, shown) = answer("trap '' TERM INT HUP; echo $$ >&2; sleep 600", 5, Duration::from_millis(300));
        assert!(matches!(said, Err(Unanswered::TimedOut)));
        expect_all_gone(&shown);
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() {
        let began = Instant::now();
        let (said, shown) = answer("echo $$ >&2; sleep 600 & printf key", 5, LONG);
        let said = said.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((said.secret.as_slice(), said.status.code()), (&b"key"[..], Some(0)));
        assert!(began.elapsed() < LONG);
        expect_all_gone(&shown);
    }

    #[test]
    fn one_that_closes_its_output_is_waited_for_until_its_end() {
        let (said, _) = answer("printf key; exec >&- 2>&-; sleep 0.1; exit 4", 5, LONG);
        let said = said.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((said.secret.as_slice(), said.status.code()), (&b"key"[..], Some(4)));
        let (said, _) = answer("exec >&- 2>&-; sleep 600", 5, Duration::from_millis(300));
        assert!(matches!(said, Err(Unanswered::TimedOut)));
    }

    #[test]
    fn there_is_nothing_to_read_for_it() {
        let (said, _) = answer("cat; printf end", 5, LONG);
        assert_eq!(said.unwrap_or_else(|error| panic!("{error:?}")).secret.as_slice(), b"end");
    }

    #[test]
    fn one_that_is_not_there_does_not_start() {
        let said = ask(&mut Command::new("/nowhere/op"), 5, LONG, &mut |_| {});
        assert!(matches!(said, Err(Unanswered::Start(error)) if error.kind() == io::ErrorKind::NotFound));
    }
}
