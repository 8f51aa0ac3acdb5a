//! A lease: a folder of its own with the sockets and files of one build, and its end.
//!
//! The folder is 0700 under XDG_RUNTIME_DIR, or else in a folder of this user in the temp
//! folder. It holds sockets, known_hosts and the files of the plan, and build secrets only where
//! it is in memory and no process can hold them ([`crate::secret::holder`]). What a kill left
//! behind is swept up by the next start.

pub mod control;
mod ended;
mod folder;
mod places;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::agent::peer::Peers;
use crate::agent::{Listener, Service, service::Shared, socket};
use crate::exit::Code;
use crate::secret::Holder;
use crate::ui::Explain;

pub use ended::{MAX_SAID, keep_ended, take_ended};
pub use folder::{BAKE, CLONES, Folder, clear};
pub(crate) use folder::{random_name, remove_session};
pub use places::{Places, is_held};

/// The file in the folder of a lease in the background that says what it is: [`crate::cli::start`].
pub const FILE: &str = "lease.json";

/// Why a lease could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// A folder could not be made or is not safe.
    #[error("failed to make the folder of the lease, {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder is there and belongs to somebody else, or is open to others.
    #[error("{0} is not a folder of this user alone (mode 0700)")]
    Unsafe(PathBuf),
    /// A path is too long for a Unix socket.
    #[error("the path of the socket is {length} bytes long; the system allows {max}: {path}", max = socket::MAX_PATH)]
    TooLong {
        /// Which.
        path: PathBuf,
        /// How long.
        length: usize,
    },
    /// A socket could not be bound, or its thread not started.
    #[error("failed to open the agent socket {path}")]
    Socket {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("failed to write {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Explain for LeaseError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsafe(path) => {
                Some(format!("remove {} or set XDG_RUNTIME_DIR to a folder that only you can open", path.display()))
            }
            Self::TooLong { .. } => Some("set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path".into()),
            Self::Folder { .. } | Self::Socket { .. } | Self::File { .. } => None,
        }
    }

    fn code(&self) -> Code {
        Code::Lease
    }
}

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The wrapped command ended.
    Command,
    /// The time limit came first.
    TimeLimit,
    /// The process that it was to last for ended.
    Job,
    /// `valetkey stop`.
    Stop,
    /// A signal to the lease's own process.
    Signal,
}

/// What the timer and the lease share.
#[derive(Default)]
struct Timer {
    over: Mutex<bool>,
    changed: Condvar,
}

/// What can be reached while the lease lasts.
struct Open {
    listeners: Vec<Listener>,
    holder: Option<Holder>,
}

/// A running lease. Dropping it ends it.
pub struct Lease {
    folder: Folder,
    sockets: Vec<(String, PathBuf)>,
    open: Arc<Mutex<Open>>,
    timer: Arc<Timer>,
    timer_thread: Option<JoinHandle<()>>,
    ended_by: Arc<Mutex<EndedBy>>,
    started: Instant,
}

impl Lease {
    /// Opens one socket per service in `folder` and starts to answer
    /// `peers`. After `time_limit` all of them close, and what `holder` holds is gone.
    ///
    /// # Errors
    /// [`LeaseError`] when a socket cannot be opened.
    pub fn start(
        folder: Folder,
        services: Vec<Service>,
        holder: Option<Holder>,
        shared: &Shared,
        time_limit: Duration,
        peers: &Peers,
    ) -> Result<Self, LeaseError> {
        let mut sockets = Vec::new();
        let mut listeners = Vec::new();
        for (number, service) in services.into_iter().enumerate() {
            let path = folder.socket_path(number)?;
            sockets.push((service.id().to_owned(), path.clone()));
            let bound = socket::bind(&path).and_then(|bound| Listener::start(bound, Arc::new(service), *peers));
            listeners.push(bound.map_err(|source| LeaseError::Socket { path, source })?);
        }
        let mut lease = Self {
            folder,
            sockets,
            open: Arc::new(Mutex::new(Open { listeners, holder })),
            timer: Arc::default(),
            timer_thread: None,
            ended_by: Arc::new(Mutex::new(EndedBy::Command)),
            started: shared.started,
        };
        lease.timer_thread = Some(lease.watch(time_limit)?);
        Ok(lease)
    }

    /// Starts the thread that ends the lease at its time limit.
    fn watch(&self, time_limit: Duration) -> Result<JoinHandle<()>, LeaseError> {
        let (timer, open, ended_by) = (Arc::clone(&self.timer), Arc::clone(&self.open), Arc::clone(&self.ended_by));
        let left = time_limit.saturating_sub(self.started.elapsed());
        let watch = move || {
            let over = timer.over.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = timer.changed.wait_timeout_while(over, left, |over| !*over);
            let over = *waited.unwrap_or_else(PoisonError::into_inner).0;
            if !over {
                *ended_by.lock().unwrap_or_else(PoisonError::into_inner) = EndedBy::TimeLimit;
                stop(&open);
            }
        };
        let path = self.folder.path().to_owned();
        thread::Builder::new()
            .name("time limit".into())
            .spawn(watch)
            .map_err(|source| LeaseError::Socket { path, source })
    }

    /// `(id, path)` of each socket.
    #[must_use]
    pub fn sockets(&self) -> &[(String, PathBuf)] {
        &self.sockets
    }

    /// The folder of the lease.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the plan into the folder.
    ///
    /// # Errors
    /// [`LeaseError::File`] of the system.
    pub fn write(&self, path: &Path, content: &[u8]) -> Result<(), LeaseError> {
        self.folder.write(path, 0o600, content)
    }

    /// Makes an empty folder in it.
    ///
    /// # Errors
    /// [`LeaseError::Folder`] of the system.
    pub fn make_folder(&self, path: &Path) -> Result<(), LeaseError> {
        std::fs::create_dir(path).map_err(|source| LeaseError::Folder { path: path.to_owned(), source })
    }

    /// Ends the lease: no socket answers, no secret is held, the folder is gone. Says what ended it.
    pub fn end(&mut self) -> EndedBy {
        let ended_by = self.close();
        self.folder.remove();
        ended_by
    }

    /// Ends it for whoever was lent to, and leaves the folder for as long as there is something to
    /// say. Says what ended it.
    pub fn close(&mut self) -> EndedBy {
        *self.timer.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.timer.changed.notify_all();
        if let Some(thread) = self.timer_thread.take() {
            let _ = thread.join();
        }
        stop(&self.open);
        *self.ended_by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end();
    }
}

fn stop(open: &Mutex<Open>) {
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    for listener in &mut open.listeners {
        listener.stop();
    }
    if let Some(mut holder) = open.holder.take() {
        holder.end();
    }
}
