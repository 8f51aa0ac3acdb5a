//! A process beside us in which secrets lie while they are lent, and nowhere else.
//!
//! It inherits one sealed memfd a secret and does nothing with it: a build tool of the same user
//! opens it as `/proc/HOLDER/fd/N`. (Not from us: our own `/proc` entry is closed to all.) When
//! it ends, so do the files. It ends with us, whatever ends us, because it waits for the end of a
//! pipe of which we alone hold the other end. It is this program once more under another name,
//! with an empty environment, in a session of its own so that Ctrl-C does not reach it before the
//! build has ended.
//!
//! podman and buildah of a user that is not root read from within a user namespace, where the
//! kernel closes `/proc` entries of processes outside, and bake reads nothing that is not at the
//! end of its links. For them a secret is a file in memory ([`super::memory`]), which we and this
//! process both wipe, whoever is there to do it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, Mode, SealFlags};
use rustix::process::{PidfdFlags, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::memory::{self, Place};
use crate::exit::Code;
use crate::keys::Secret;
use crate::lease::LeaseError;
use crate::ui::Explain;

/// Its name in the process list; `pkill valetkey` must not mean it.
const NAME: &str = "lease-secrets";
/// What it says once it holds.
const READY: u8 = 0;
/// How long it may take to end once it is told to; then it is killed.
const END: Duration = Duration::from_secs(2);
/// Signals that do not end it: it ends with us.
const IGNORED: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// How a build tool can read secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Out of a process of the same user.
    Process,
    /// From a file alone.
    File,
}

/// Why secrets could not be held.
#[derive(Debug, thiserror::Error)]
pub enum HolderError {
    /// The system refused something.
    #[error("failed to hold secrets in memory")]
    System(#[from] io::Error),
    /// No folder is in memory.
    #[error("failed to hold secrets: neither {0} nor /dev/shm is on tmpfs, and no secret is written to a disk")]
    NoMemory(PathBuf),
    /// The folder for files in memory.
    #[error("failed to hold secrets in memory: {0}")]
    Folder(LeaseError),
}

impl Explain for HolderError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoMemory(_) => Some("set XDG_RUNTIME_DIR to a folder on tmpfs that only you can open".into()),
            Self::Folder(error) => error.hint(),
            Self::System(_) => None,
        }
    }

    fn code(&self) -> Code {
        Code::Lease
    }
}

/// The process, and what it holds. Dropping it ends both.
pub struct Holder {
    /// Closed to end it.
    life: Option<ChildStdin>,
    /// Closed by its end.
    said: ChildStdout,
    process: OwnedFd,
    paths: Vec<PathBuf>,
    /// Where the secrets are files.
    place: Option<Place>,
}

impl Holder {
    /// Holds these secrets; `lease` is the lease's folder.
    ///
    /// # Errors
    /// [`HolderError`]; then nothing is held.
    pub fn start(secrets: &[&Secret], way: Way, lease: &Path) -> Result<Self, HolderError> {
        if way == Way::Process
            && let Some(holder) = Self::in_process(secrets)?
        {
            return Ok(holder);
        }
        let place = Place::find(lease)?;
        let paths: Vec<PathBuf> = (0..secrets.len()).map(|number| place.file(number)).collect();
        let mut command = command();
        command.arg(place.apart().unwrap_or(Path::new(""))).args(&paths);
        // Before the first file is there, so that whatever ends us from here on leaves none.
        let (mut holder, _) = Self::spawn(command)?;
        holder.place = Some(place);
        holder.paths = paths;
        for (path, secret) in holder.paths.iter().zip(secrets) {
            memory::write(path, secret)?;
        }
        Ok(holder)
    }

    /// As memfds; none where they cannot be read back (a `/proc` that hides them).
    fn in_process(secrets: &[&Secret]) -> Result<Option<Self>, HolderError> {
        let files = secrets.iter().map(|secret| sealed(secret)).collect::<io::Result<Vec<OwnedFd>>>()?;
        let mut command = command();
        // Behind what closes all others.
        crate::sys::inherits(&mut command, files.iter().map(|file| file.as_raw_fd()).collect());
        let (mut holder, pid) = Self::spawn(command)?;
        holder.paths = files.iter().map(|file| format!("/proc/{pid}/fd/{}", file.as_raw_fd()).into()).collect();
        let readable = holder.paths.iter().zip(secrets).all(|(path, secret)| {
            let length = File::open(path).and_then(|file| file.metadata()).map(|meta| meta.len());
            length.is_ok_and(|length| length == secret.expose().len() as u64)
        });
        Ok(readable.then_some(holder))
    }

    fn spawn(mut command: Command) -> Result<(Self, u32), HolderError> {
        let mut child = command.spawn()?;
        let pid = child.id();
        let (life, said) = (child.stdin.take(), child.stdout.take());
        let (Some(life), Some(said)) = (life, said) else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        // It was not waited for, so its number is still its own.
        let process = rustix::process::pidfd_open(rustix::process::Pid::from_child(&child), PidfdFlags::empty());
        let process = process.map_err(io::Error::from)?;
        let mut holder = Self { life: Some(life), said, process, paths: Vec::new(), place: None };
        let mut byte = [u8::MAX];
        holder.said.read_exact(&mut byte)?;
        if byte != [READY] {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        Ok((holder, pid))
    }

    /// Where each secret can be read, in the order in which they were given.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Ends it: no path can be read any more. Idempotent.
    pub fn end(&mut self) {
        let Some(life) = self.life.take() else { return };
        drop(life);
        if !self.has_ended(END) {
            // A handle on this very process: its number may be another's by now.
            let _ = rustix::process::pidfd_send_signal(&self.process, Signal::KILL);
            self.has_ended(END);
        }
        // Reaped already where somebody waited for every child.
        use std::os::fd::AsFd as _;
        let _ = rustix::process::waitid(WaitId::PidFd(self.process.as_fd()), WaitIdOptions::EXITED);
        if let Some(place) = self.place.take() {
            // It may have been killed before it could.
            self.paths.iter().for_each(|path| memory::wipe(path));
            drop(place);
        }
    }

    /// Whether it ends within this time: then its pipe does.
    fn has_ended(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.said, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return false,
                Ok(_) => return matches!(self.said.read(&mut [0]), Ok(0)),
                Err(rustix::io::Errno::INTR) if !left.is_zero() => {}
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.end();
    }
}

fn command() -> Command {
    // By its link, which still leads to this program when its file was replaced.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME).env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    crate::sys::with_three_descriptors(&mut command);
    command
}

/// A file in memory that holds the secret, and that nobody can change any more.
fn sealed(secret: &Secret) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create(NAME, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(file);
    file.write_all(secret.expose())?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

/// What this process is to do if it was started as the holder.
#[must_use]
pub fn role() -> Option<ExitCode> {
    let is_holder = std::env::args_os().next().is_some_and(|name| name == NAME);
    is_holder.then(|| if hold().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for the end of whoever started us, and removes the files that were named.
fn hold() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let apart = arguments.next().filter(|folder| !folder.as_os_str().is_empty());
    let files: Vec<PathBuf> = arguments.collect();
    rustix::process::setsid()?;
    // A program that this user may run and not read would be closed to the build tools.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?;
    let _ignored = signal_hook::iterator::Signals::new(IGNORED)?;
    let mut out = io::stdout();
    out.write_all(&[READY]).and_then(|()| out.flush())?;
    // Nothing is ever written: what is waited for is the end.
    let mut input = io::stdin();
    loop {
        match input.read(&mut [0]) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    files.iter().for_each(|path| memory::wipe(path));
    if let Some(folder) = apart {
        crate::lease::remove_session(&folder);
    }
    Ok(())
}
