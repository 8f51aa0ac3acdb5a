//! Which signals reach the child, and how.
//!
//! A signal from the terminal (Ctrl-C, Ctrl-\, hang-up) goes to the whole foreground process
//! group, so the child has it already: passing it on would make it two, and the second Ctrl-C
//! of `docker compose` means "kill". What somebody sent to us alone is passed on. The kernel
//! says which it was. A sender from our own process group has usually signalled the whole
//! group (`kill 0` of a script), as sudo assumes too: that is not passed on either.

use std::io;
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, PidfdFlags, Signal};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::{Handle, SignalsInfo};
use signal_hook::low_level::siginfo::Origin;

/// Signals that would end us and that belong to the child.
const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// The kernel: the terminal.
    Kernel,
    /// A process, and whether it is of our process group.
    Process {
        /// Whether it shares our process group.
        of_our_group: bool,
    },
}

/// Whether the child has not got this signal yet.
fn is_for_us_alone(sender: Sender) -> bool {
    match sender {
        Sender::Kernel => false,
        Sender::Process { of_our_group } => !of_our_group,
    }
}

fn sender(origin: &Origin) -> Sender {
    let Some(process) = &origin.process else { return Sender::Kernel };
    let group = Pid::from_raw(process.pid).and_then(|pid| rustix::process::getpgid(Some(pid)).ok());
    Sender::Process { of_our_group: group.is_some_and(|group| group == rustix::process::getpgrp()) }
}

/// Signals that are caught and wait for a child to be passed on to.
pub(super) struct Signals(SignalsInfo<WithOrigin>);

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
        SignalsInfo::new(caught).map(Self)
    }

    pub(super) fn forward_to(mut self, child: Pid) -> io::Result<Forwarding> {
        // A pidfd: once the child is reaped its number may be somebody else's.
        let pidfd = rustix::process::pidfd_open(child, PidfdFlags::empty())?;
        let handle = self.0.handle();
        let thread = thread::Builder::new().name("signals".into()).spawn(move || {
            for origin in &mut self.0 {
                if is_for_us_alone(sender(&origin))
                    && let Some(signal) = Signal::from_named_raw(origin.signal)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_from_the_terminal_or_to_the_whole_group_is_not_sent_twice() {
        assert!(!is_for_us_alone(Sender::Kernel));
        assert!(!is_for_us_alone(Sender::Process { of_our_group: true }));
        assert!(is_for_us_alone(Sender::Process { of_our_group: false }));
    }
}
