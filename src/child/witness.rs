//! A process beside us that tells which signals reached our whole process group.
//!
//! The kernel does not say whether a signal was sent to us or to our group, and who sent it
//! does not tell either: `kill -- -GROUP` of a CI runner comes from outside of the group, and
//! the `terminate()` of a script from inside of it. The witness is in the group and does
//! nothing else: what it got as well, the child has too.
//!
//! It is this program once more under another name, with an empty environment and before the
//! first key is read, so that it holds no secret. It ends with us, whatever ends us.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::iterator::Signals;

use super::signals::PASSED_ON;

/// Its name in the process list; `pkill valetkey` must not mean it, or we would take that for
/// a signal to the group.
const NAME: &str = "lease-signals";
/// How long its word is waited for: it needs a moment of a processor, on a busy machine too.
const WAIT: Duration = Duration::from_millis(200);
/// What it says once it watches; no signal has this number.
const READY: u8 = 0;

/// The running witness, and the signals that it told of and nobody asked for yet.
#[derive(Debug)]
pub struct Witness {
    reports: ChildStdout,
    seen: u128,
}

impl Witness {
    /// Starts it. It is not ready at once, so that other work can be done meanwhile.
    ///
    /// # Errors
    /// When the system gives no process.
    pub fn start() -> io::Result<Self> {
        // By its link, which still leads to this program when its file was replaced.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let reports = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { reports, seen: 0 })
    }

    /// Waits until it watches; what came before concerns no child.
    pub(super) fn ready(&mut self) -> io::Result<()> {
        let mut byte = [u8::MAX];
        self.reports.read_exact(&mut byte)?;
        if byte == [READY] { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Whether it got this signal too. Several of one number count as one, as for the kernel.
    /// Where the witness is gone the answer is no: twice is better than never.
    pub(super) fn saw(&mut self, number: i32) -> bool {
        let bit = u32::try_from(number).ok().and_then(|number| 1u128.checked_shl(number)).unwrap_or_default();
        let until = Instant::now() + WAIT;
        while self.seen & bit == 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.hear(left) {
                return false;
            }
        }
        self.seen &= !bit;
        true
    }

    /// Takes in what it says within this time. False at its end.
    fn hear(&mut self, left: Duration) -> bool {
        let timeout = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(&self.reports, PollFlags::IN)], timeout.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
        let mut bytes = [0; 64];
        match self.reports.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                let numbers = bytes.iter().take(count).filter_map(|&number| 1u128.checked_shl(number.into()));
                self.seen |= numbers.fold(0, |all, bit| all | bit);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }
}

/// What this process is to do if it was started as the witness.
#[must_use]
pub fn role() -> Option<ExitCode> {
    let is_witness = std::env::args_os().next().is_some_and(|name| name == NAME);
    is_witness.then(|| if watch().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells of each signal until whoever listens is gone.
fn watch() -> io::Result<()> {
    // It descends from us like the child, so nobody may speak to the agent through it.
    crate::sys::harden()?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let mut signals = Signals::new(PASSED_ON)?;
    // A parent that was gone before the line above is noticed here, by the broken pipe.
    let mut out = io::stdout();
    out.write_all(&[READY]).and_then(|()| out.flush())?;
    for number in &mut signals {
        let number = u8::try_from(number).map_err(io::Error::other)?;
        out.write_all(&[number]).and_then(|()| out.flush())?;
    }
    Ok(())
}
