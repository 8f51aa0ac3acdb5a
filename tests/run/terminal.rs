//! A real pseudo-terminal with a person at it: what is typed, and all that was shown.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::place::{Place, until};

/// The end that a person types at.
pub(crate) struct Terminal {
    person: Arc<File>,
    program: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = OsString::from_vec(ptsname(&person, Vec::new()).unwrap().into_bytes());
        let program = File::options().read(true).write(true).open(name).unwrap();
        let person = Arc::new(File::from(person));
        let shown = Arc::default();
        let (reader, all) = (Arc::downgrade(&person), Arc::clone(&shown));
        std::thread::spawn(move || read_all(&reader, &all));
        Self { person, program, shown }
    }

    /// Starts a command whose controlling terminal this is, as the leader of a new session.
    pub(crate) fn start(&self, place: &Place, command: &[&str]) -> Child {
        let mut setsid = place.command("setsid");
        self.attach(setsid.args(["--ctty", "--wait"]).args(command)).spawn().expect("setsid of util-linux")
    }

    fn attach<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let end = || Stdio::from(self.program.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm")
    }

    pub(crate) fn types(&self, keys: &str) {
        (&*self.person).write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until these words are shown.
    #[track_caller]
    pub(crate) fn until_shown(&self, words: &str) {
        let what = format!("{words:?} on the terminal");
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(&what, || self.shown().contains(words).then_some(()));
        }));
        assert!(seen.is_ok(), "{what}, which shows:\n{}", self.shown());
    }

    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.program).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&*self.person, size).unwrap();
    }
}

/// Reads until the terminal is dropped, and holds it only for a moment at a time: dropping it is
/// to hang up.
fn read_all(person: &Weak<File>, all: &Mutex<Vec<u8>>) {
    let moment = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    let mut part = [0; 1024];
    while let Some(person) = person.upgrade() {
        if poll(&mut [PollFd::new(&person, PollFlags::IN)], Some(&moment)) == Ok(1)
            // An error while no program has the other end open.
            && let Ok(count) = (&*person).read(&mut part)
        {
            all.lock().unwrap().extend_from_slice(&part[..count]);
        }
    }
}

/// The exit code of a command on a terminal.
#[track_caller]
pub(crate) fn code(mut child: Child) -> Option<i32> {
    until("the end of the command", || child.try_wait().unwrap()).code()
}
