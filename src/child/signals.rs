//! Which signals reach the child, and how.
//!
//! A signal from the terminal (Ctrl-C, Ctrl-\) goes to the whole foreground process group, as
//! does `kill -- -GROUP`, so the child has it already: passing it on would make it two, and the
//! second Ctrl-C of `docker compose` means "kill". What reached us alone is passed on: the
//! `terminate()` of a script or CI runner, `timeout --foreground`, or the hang-up of a terminal
//! whose session we lead. The [`Witness`] says which it was.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, PidfdFlags, Signal};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Handle;

use super::witness::Witness;

/// Signals that would end us and that belong to the child.
pub(super) const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// Those that mean that we are to end too.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Signals that are caught and wait for a child to be passed on to.
pub(super) struct Signals(signal_hook::iterator::Signals);

/// The thread that passes signals on.
pub(super) struct Forwarding {
    handle: Handle,
    thread: JoinHandle<()>,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        // A signal that we were started with as ignored (nohup) stays ignored, for us and for
        // the child, who inherits that.
        let caught = PASSED_ON.iter().filter(|&&number| !crate::sys::is_ignored(number));
        signal_hook::iterator::Signals::new(caught).map(Self)
    }

    /// Passes them on to the child; `interrupted` tells that one of them was to end us.
    pub(super) fn forward_to(
        mut self,
        child: Pid,
        mut witness: Witness,
        interrupted: Arc<AtomicBool>,
    ) -> io::Result<Forwarding> {
        // A pidfd: once the child is reaped its number may be somebody else's.
        let pidfd = rustix::process::pidfd_open(child, PidfdFlags::empty())?;
        let handle = self.0.handle();
        let thread = thread::Builder::new().name("signals".into()).spawn(move || {
            for number in &mut self.0 {
                interrupted.fetch_or(ENDING.contains(&number), Ordering::Relaxed);
                if !witness.saw(number)
                    && let Some(signal) = Signal::from_named_raw(number)
                {
                    // The child may be gone already; then there is nobody to tell.
                    let _ = rustix::process::pidfd_send_signal(&pidfd, signal);
                }
            }
        })?;
        Ok(Forwarding { handle, thread })
    }
}

impl Forwarding {
    pub(super) fn stop(self) {
        self.handle.close();
        let _ = self.thread.join();
    }
}
