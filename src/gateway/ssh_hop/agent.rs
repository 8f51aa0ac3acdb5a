//! The private agent of one `ssh`: it answers that process and no other, one connection, logins
//! of the grant's user to this host alone, and at most one for each identity.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::super::login::MAX_TRIES;
use super::super::route::Route;
use super::super::session::Job;
use super::SignedIn;
use super::arguments::SOCKET;
use super::known::Known;
use crate::agent::service::Shared;
use crate::agent::{Service, connection, peer, socket};
use crate::decision_log::Decision;
use crate::hosts::HostScope;
use crate::policy::{Grant, Limits, Standing};
use crate::signer::{Identity, SignError, Signer};

/// The pause after an accept error, and between strangers: whoever knocks without end gets no
/// processor for it.
const PAUSE: Duration = Duration::from_millis(10);

/// A socket that is bound, and answers once it is told whom. Gone when dropped.
pub(super) struct PrivateAgent {
    path: PathBuf,
    socket: Arc<UnixListener>,
    service: Arc<Service>,
    /// The one connection.
    open: Arc<Mutex<Open>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Open {
    stopped: bool,
    stream: Option<Arc<UnixStream>>,
}

impl PrivateAgent {
    /// Binds the socket in the session's folder.
    pub(super) fn bind(job: &Job, route: &Route, known: &Known, signed: Arc<SignedIn>) -> io::Result<Self> {
        let offered = job.identities.iter().take(MAX_TRIES);
        let offered: Vec<Identity> = offered.map(|identity| noted(identity, &signed)).collect();
        let (path, service) = (job.folder.join(SOCKET), service(job, route, known, offered));
        let socket = Arc::new(socket::bind_briefly(&path)?);
        Ok(Self { path, socket, service: Arc::new(service), open: Arc::default(), thread: None })
    }

    /// Starts to answer this child, which nobody may wait for before [`Self::stop`].
    pub(super) fn answer(&mut self, child: Pid) -> io::Result<()> {
        let (path, socket) = (self.path.clone(), Arc::clone(&self.socket));
        let (service, open) = (Arc::clone(&self.service), Arc::clone(&self.open));
        let serve = move || {
            let Some(stream) = accept(&socket, child, &service, &open) else { return };
            // ssh connects once. Whoever comes later finds nothing.
            let _ = std::fs::remove_file(&path);
            let _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Both);
            connection::serve(&stream, &service, 0, || (), || false);
        };
        self.thread = Some(thread::Builder::new().name("private agent".into()).spawn(serve)?);
        Ok(())
    }

    /// Ends it. Idempotent.
    pub(super) fn stop(&mut self) {
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.stopped = true;
            if let Some(stream) = &open.stream {
                let _ = stream.shutdown(std::net::Shutdown::Both);
            }
        }
        // Wakes the accept, on Linux with EINVAL.
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for PrivateAgent {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The child's connection; `None` once stopped.
fn accept(socket: &UnixListener, child: Pid, service: &Service, open: &Mutex<Open>) -> Option<Arc<UnixStream>> {
    loop {
        let taken = socket.accept();
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.stopped {
            return None;
        }
        match taken.map(|(stream, _)| peer::check_child(&stream, child).map(|()| stream)) {
            Ok(Ok(stream)) => {
                let stream = Arc::new(stream);
                open.stream = Some(Arc::clone(&stream));
                return Some(stream);
            }
            Ok(Err(stranger)) => service.log().record(Decision::Stranger(stranger)),
            Err(_) => service.log().record(Decision::AcceptFailed),
        }
        drop(open);
        thread::sleep(PAUSE);
    }
}

/// The grant that was judged already, narrowed to this host, and with a budget of its own: the
/// lease's was charged when the command was allowed.
fn service(job: &Job, route: &Route, known: &Known, offered: Vec<Identity>) -> Service {
    let host = &job.session.host;
    let grant = Grant {
        keys: offered.iter().map(|identity| identity.blob.clone()).collect(),
        scope: HostScope::Only(vec![host.clone(), route.pinned_as.clone()]),
        // ssh sends no login to a server whose key is not the one that it was given.
        unbound: vec![host.clone()],
        user: job.session.user.clone(),
        limits: Limits {
            max_signatures: u32::try_from(offered.len()).unwrap_or(0),
            time_limit: job.grant.limits.time_limit,
        },
        ..job.grant.clone()
    };
    let shared = Shared {
        grants: vec![grant],
        hosts: Arc::clone(&known.keys),
        standing: Mutex::new(Standing::new(1)),
        log: Arc::clone(&job.log),
        started: Instant::now(),
    };
    // Another id than the lease's: what is signed here is no login that the build was lent.
    Service::new(Arc::new(shared), format!("{}: ssh", job.session.id), vec![0], offered)
}

/// The identity, with a note of its signatures.
fn noted(identity: &Identity, signed: &Arc<SignedIn>) -> Identity {
    let signer = Noted { signer: Arc::clone(&identity.signer), signed: Arc::clone(signed) };
    Identity { signer: Arc::new(signer), ..identity.clone() }
}

struct Noted {
    signer: Arc<dyn Signer>,
    signed: Arc<SignedIn>,
}

impl Signer for Noted {
    fn sign(&self, data: &[u8], flags: u32) -> Result<Vec<u8>, SignError> {
        let signature = self.signer.sign(data, flags)?;
        self.signed.was.store(true, Ordering::Relaxed);
        self.signed.told.notify_one();
        Ok(signature)
    }
}
