//! A look at a server the way that a build's Git command would go: the route, the pinned host key,
//! the login, and the list of a repository's references. Nothing is fetched.
//!
//! For `valetkey doctor`. Refuses nothing that the gateway would allow and allows nothing that it
//! would refuse, because it is the same code ([`super::session`], [`super::login`],
//! [`super::ssh_hop`]). Every visit ends within [`TIME_LIMIT`], whatever the server does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use russh::Disconnect;

use super::channel::Channel;
use super::exec_request::ExecRequest;
use super::host_key::host_key_algorithms;
use super::limits::TimeLimits;
use super::login::{NotLoggedIn, log_in};
use super::reference_list::{Progress, ReferenceList};
use super::session::{Job, Session, ask, carry};
use super::upstream_error::UpstreamError;
use crate::decision_log::DecisionLog;
use crate::hosts::{HostName, HostScope, Hosts};
use crate::policy::{Access, Grant, Limits};
use crate::signer::Identity;
use crate::wire::tunnel::{Chunks, Kind, MAX_HOLD};

/// How long one visit may take, from the look-up of the name to its end.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long the way up to the login may take of it, and any silence after that.
const STEP_LIMIT: Duration = Duration::from_secs(15);
/// Bytes of what a server writes to stderr that are kept: the last of them.
const MAX_SAID: usize = 4096;

/// How long things may take, so that a test need not wait for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitLimits {
    /// See [`TIME_LIMIT`].
    pub whole: Duration,
    /// The way up to the login, and any silence after it.
    pub step: Duration,
}

impl Default for VisitLimits {
    fn default() -> Self {
        Self { whole: TIME_LIMIT, step: STEP_LIMIT }
    }
}

/// What is looked at.
#[derive(Clone)]
pub struct Visit {
    /// The server.
    pub host: HostName,
    /// The account.
    pub user: String,
    /// The command that lists the references; none where a login is all that is asked for.
    pub exec: Option<ExecRequest>,
    /// The identities, in the order in which they are tried.
    pub identities: Vec<Identity>,
}

/// What was seen at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A login was accepted, and nothing more was asked for.
    Login,
    /// A login alone was asked for, of a server whose only host key is RSA: the system's `ssh`, which
    /// it is left to, logs in for a command alone.
    NoLoginAlone,
    /// The references were listed.
    List {
        /// How many.
        references: usize,
        /// Whether these are all.
        whole: bool,
    },
    /// A login was accepted, and there was no list.
    NoList {
        /// What the server said last, in its own words: not fit for a terminal.
        said: String,
    },
}

/// How a visit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visited {
    /// `SHA256:…` of the host key that the server showed; none where it showed none.
    pub host_key: Option<String>,
    /// What was seen, or where it ended.
    pub seen: Result<Seen, UpstreamError>,
}

/// Makes visits.
pub struct Visitor {
    hosts: Arc<Hosts>,
    hidden: Vec<OsString>,
    folder: PathBuf,
    limits: VisitLimits,
    count: AtomicU64,
}

impl Visitor {
    /// `hidden` names variables that hold keys, which `ssh -G` must not see; `folder` is the lease's.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>, hidden: Vec<OsString>, folder: PathBuf, limits: VisitLimits) -> Self {
        Self { hosts, hidden, folder, limits, count: AtomicU64::new(0) }
    }

    /// Makes one. Runs on a runtime with time and network.
    pub async fn visit(&self, visit: &Visit) -> Visited {
        let mut host_key = None;
        let host = visit.host.to_string();
        let seen = tokio::time::timeout(self.limits.whole, self.seen(visit, &mut host_key)).await;
        let slow = Err(UpstreamError::Stalled(host, self.limits.whole.as_secs()));
        Visited { seen: seen.unwrap_or(slow), host_key }
    }

    async fn seen(&self, visit: &Visit, host_key: &mut Option<String>) -> Result<Seen, UpstreamError> {
        let job = self.job(visit)?;
        match &visit.exec {
            Some(_) => listed(&job, host_key).await,
            None => logged_in(&job, host_key).await,
        }
    }

    fn job(&self, visit: &Visit) -> Result<Job, UpstreamError> {
        let exec = visit.exec.clone().map_or_else(|| ExecRequest::parse(b"git-upload-pack 'nothing'"), Ok);
        let exec = exec.map_err(|error| UpstreamError::Broken(visit.host.to_string(), error.to_string()))?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        Ok(Job {
            session: Session {
                id: crate::config::DEFAULT_ID.to_owned(),
                grant: 0,
                user: visit.user.clone(),
                host: visit.host.clone(),
                exec,
                // Version 0, in which the list comes without being asked for.
                protocol: None,
                started: Instant::now(),
            },
            grant: Grant {
                keys: visit.identities.iter().map(|identity| identity.blob.clone()).collect(),
                scope: HostScope::Only(vec![visit.host.clone()]),
                unbound: self.hosts.unbound_allowed(&HostScope::Only(vec![visit.host.clone()])),
                user: visit.user.clone(),
                repos: Vec::new(),
                access: Access::Read,
                limits: Limits::default(),
            },
            identities: visit.identities.clone(),
            hosts: Arc::clone(&self.hosts),
            log: Arc::new(DecisionLog::new(Vec::new(), None)),
            hidden: self.hidden.clone(),
            limits: TimeLimits { connect: self.limits.step, stall: self.limits.step, silence: self.limits.whole },
            // Short, because a socket's path is.
            folder: self.folder.join(format!("s{number}")),
        })
    }
}

/// A login and nothing more.
async fn logged_in(job: &Job, host_key: &mut Option<String>) -> Result<Seen, UpstreamError> {
    let slow = |_| UpstreamError::Stalled(job.session.host.to_string(), job.limits.connect.as_secs());
    let until = tokio::time::Instant::now() + job.limits.connect;
    let route = tokio::time::timeout_at(until, ask(job)).await.map_err(slow)??;
    let Some(algorithms) = host_key_algorithms(&job.hosts, [&job.session.host, &route.pinned_as]) else {
        return Ok(Seen::NoLoginAlone);
    };
    match tokio::time::timeout_at(until, log_in(job, &route, algorithms, host_key)).await.map_err(slow)? {
        Ok(handle) => {
            let _ = handle.disconnect(Disconnect::ByApplication, "", "").await;
            Ok(Seen::Login)
        }
        Err(NotLoggedIn::Failed(error)) => Err(error),
        Err(NotLoggedIn::NoCommonHostKey) => Ok(Seen::NoLoginAlone),
    }
}

/// The gateway's session, with this end in the place of the guest: it reads the list, answers with a
/// flush, as Git does where it wants nothing, and goes.
async fn listed(job: &Job, host_key: &mut Option<String>) -> Result<Seen, UpstreamError> {
    let channel = Arc::new(Channel::default());
    // The channel's other end is for threads. Closed when this future is dropped.
    let _closing = Closing(Arc::clone(&channel));
    let reader = tokio::task::spawn_blocking({
        let channel = Arc::clone(&channel);
        move || read(&channel)
    });
    let carried = carry(job, &channel, host_key).await;
    if let Ok(status) = &carried {
        channel.exit(status.unwrap_or_default());
    } else {
        channel.close("it failed");
    }
    let (progress, said) = reader.await.unwrap_or((Progress::More, Vec::new()));
    carried?;
    Ok(match progress {
        Progress::Whole(references) => Seen::List { references, whole: true },
        Progress::Endless(references) => Seen::List { references, whole: false },
        Progress::None(word) if !word.is_empty() => Seen::NoList { said: word },
        Progress::None(_) | Progress::More => Seen::NoList { said: last_line(&said) },
    })
}

struct Closing(Arc<Channel>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close("the visit is over");
    }
}

/// Reads the list from the channel; returns how far, and the end of stderr.
fn read(channel: &Channel) -> (Progress, Vec<u8>) {
    let (mut list, mut progress, mut said) = (ReferenceList::default(), Progress::More, Vec::new());
    let mut piece = 0;
    loop {
        let mut bytes = Vec::new();
        if channel.read(piece, piece, MAX_HOLD, &mut bytes).is_err() {
            return (progress, said);
        }
        piece += u64::from(!bytes.is_empty());
        for chunk in Chunks::new(&bytes) {
            match chunk {
                Ok((Kind::Stdout, bytes)) if progress == Progress::More => {
                    progress = list.take(bytes);
                    match progress {
                        Progress::More => {}
                        Progress::Whole(_) => drop(channel.write(0, true, b"0000")),
                        Progress::Endless(_) | Progress::None(_) => channel.close("enough was read"),
                    }
                }
                Ok((Kind::Stdout, _)) => {}
                Ok((Kind::Stderr, bytes)) => {
                    said.extend_from_slice(bytes);
                    said.drain(..said.len().saturating_sub(MAX_SAID));
                }
                Ok((Kind::Exit, _)) | Err(_) => return (progress, said),
            }
        }
    }
}

/// The server's last words.
fn last_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
