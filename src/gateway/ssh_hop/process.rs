//! The `ssh` process: started and waited for by a thread of its own, killed when it is dropped.
//!
//! The kernel kills it when that thread ends, so that a `kill -9` of valetkey leaves no `ssh`
//! behind; and nobody waits for it before its agent has stopped, so that its number stays its
//! own while the agent answers that number.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::oneshot;

use super::agent::PrivateAgent;

/// Bytes that are read at once: half a pipe.
pub(super) const CHUNK: usize = 32 * 1024;
/// The longest file that ssh may write, which is its log, in bytes.
const MAX_LOG: u64 = 64 * 1024;

/// A running `ssh`.
pub(super) struct Ssh {
    pub(super) stdin: Option<Sender>,
    pub(super) stdout: Option<Receiver>,
    pub(super) stderr: Option<Receiver>,
    /// The process itself, whatever its number is by now.
    handle: Arc<OwnedFd>,
    ended: Option<oneshot::Receiver<ExitStatus>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread says once it has started it.
struct Started {
    handle: Arc<OwnedFd>,
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

impl Ssh {
    /// Starts it, with an agent that answers it.
    pub(super) async fn start(mut command: Command, agent: PrivateAgent) -> io::Result<Self> {
        // Ctrl-C on the terminal is the wrapped command's.
        command.process_group(0);
        crate::sys::dies_with_this_thread(&mut command, Some(MAX_LOG));
        let (started, tell) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let thread = thread::Builder::new().name("ssh".into()).spawn(move || run(command, agent, started, ended))?;
        let started = tell.await.map_err(io::Error::other)??;
        let mut ssh = Self {
            stdin: None,
            stdout: None,
            stderr: None,
            handle: started.handle,
            ended: Some(end),
            thread: Some(thread),
        };
        ssh.stdin = started.stdin.map(Sender::from_owned_fd).transpose()?;
        ssh.stdout = started.stdout.map(Receiver::from_owned_fd).transpose()?;
        ssh.stderr = started.stderr.map(Receiver::from_owned_fd).transpose()?;
        Ok(ssh)
    }

    /// Waits for its end. `None` where that is not known.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        self.ended.take()?.await.ok()
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The life of one `ssh`, on its thread.
fn run(
    mut command: Command,
    mut agent: PrivateAgent,
    started: oneshot::Sender<io::Result<Started>>,
    ended: oneshot::Sender<ExitStatus>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return drop(started.send(Err(error))),
    };
    let pid = Pid::from_child(&child);
    let told = watch(&mut child, pid, &mut agent).map(|told| started.send(Ok(told)));
    match told {
        // Whoever asked for it has gone.
        Ok(Err(_)) | Err(_) => drop(child.kill()),
        Ok(Ok(())) => {}
    }
    // Until the agent has stopped the child stays a child, and its number its own.
    while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).err() == Some(Errno::INTR) {}
    agent.stop();
    if let Ok(status) = child.wait() {
        let _ = ended.send(status);
    }
}

fn watch(child: &mut Child, pid: Pid, agent: &mut PrivateAgent) -> io::Result<Started> {
    let handle = Arc::new(pidfd_open(pid, PidfdFlags::empty())?);
    agent.answer(pid)?;
    Ok(Started {
        handle,
        stdin: child.stdin.take().map(Into::into),
        stdout: child.stdout.take().map(Into::into),
        stderr: child.stderr.take().map(Into::into),
    })
}

/// Reads what is there; 0 at the end.
pub(super) async fn read(pipe: &Receiver, into: &mut [u8]) -> io::Result<usize> {
    loop {
        pipe.readable().await?;
        match pipe.try_read(into) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

/// Writes all of it.
pub(super) async fn write_all(pipe: &Sender, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        pipe.writable().await?;
        match pipe.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
