//! The terminal, lent to a process group that is not ours: a program that asks for a password on
//! `/dev/tty` would be stopped otherwise.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, getpgrp, kill_process_group};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};

use crate::sys::InBackground;

/// A terminal that another group has until this is dropped.
pub(super) struct Foreground {
    terminal: File,
    ours: Pid,
    modes: Termios,
    _background: InBackground,
}

impl Foreground {
    /// Gives it, where there is one and we have it.
    pub(super) fn give(to: Pid) -> Option<Self> {
        let flags = i32::try_from((OFlags::NOCTTY | OFlags::CLOEXEC).bits()).ok()?;
        let terminal = File::options().read(true).write(true).custom_flags(flags).open("/dev/tty").ok()?;
        let ours = getpgrp();
        if tcgetpgrp(&terminal).ok()? != ours {
            return None;
        }
        let modes = tcgetattr(&terminal).ok()?;
        let background = InBackground::new();
        tcsetpgrp(&terminal, to).ok()?;
        // It may have asked before it had the terminal, and then it is stopped.
        let _ = kill_process_group(to, Signal::CONT);
        Some(Self { terminal, ours, modes, _background: background })
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = tcsetpgrp(&self.terminal, self.ours);
        // Killed at a prompt, it left the echo off.
        let _ = tcsetattr(&self.terminal, OptionalActions::Drain, &self.modes);
    }
}
