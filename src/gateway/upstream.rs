//! Opens sessions at servers, and says how each ended.
//!
//! Everything that goes wrong here reaches the build as a line on stderr and ssh's own exit
//! status 255, and the decision log with its reason.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::channel::Channel;
use super::limits::TimeLimits;
use super::session::{FAILURE, Job, carry};
use crate::decision_log::{Carried, Decision, DecisionLog};
use crate::hosts::Hosts;
use crate::policy::Grant;
use crate::signer::Identity;
use crate::wire::tunnel::Kind;

pub use super::session::Session;
pub use super::upstream_error::UpstreamError;

/// Opens sessions, on a runtime of its own.
pub struct Upstreams {
    hosts: Arc<Hosts>,
    log: Arc<DecisionLog>,
    /// Variables that hold keys, which `ssh -G` must not see.
    hidden: Vec<OsString>,
    limits: TimeLimits,
    /// The folder of the lease.
    folder: PathBuf,
    /// Sessions so far: each has a folder of its own, where it needs one.
    count: AtomicU64,
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
}

impl Upstreams {
    /// Nothing is connected, and no thread started, before the first session.
    #[must_use]
    pub fn new(
        hosts: Arc<Hosts>,
        log: Arc<DecisionLog>,
        hidden: Vec<OsString>,
        limits: TimeLimits,
        folder: PathBuf,
    ) -> Self {
        Self { hosts, log, hidden, limits, folder, count: AtomicU64::new(0), runtime: Mutex::new(None) }
    }

    /// How long things may take.
    #[must_use]
    pub fn limits(&self) -> TimeLimits {
        self.limits
    }

    /// The pins.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Runs a session in the background; its end is a chunk of the channel.
    pub fn run(&self, session: Session, grant: Grant, identities: Vec<Identity>, channel: Arc<Channel>) {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let started = match &*runtime {
            Some(running) => running,
            None => {
                let built = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .max_blocking_threads(16)
                    .thread_name("gateway")
                    .enable_all()
                    .build();
                match built {
                    Ok(built) => runtime.insert(built),
                    Err(error) => return channel.close(&format!("the system gave no threads: {error}")),
                }
            }
        };
        let log = Arc::clone(&self.log);
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let job = Job {
            session,
            grant,
            identities,
            hosts: Arc::clone(&self.hosts),
            log: Arc::clone(&log),
            hidden: self.hidden.clone(),
            limits: self.limits,
            // Short, because a socket's path is.
            folder: self.folder.join(format!("s{number}")),
        };
        started.spawn(async move {
            let mut host_key = None;
            let carried = tokio::select! {
                result = carry(&job, &channel, &mut host_key) => result,
                () = silenced(&channel, job.limits.silence) => Ok(None),
            };
            let status = match carried {
                Ok(status) => status,
                Err(error) => {
                    let hint = format!("valetkey: {error}\n");
                    channel.put(Kind::Stderr, hint.as_bytes()).await;
                    log.record(Decision::UpstreamFailed { id: &job.session.id, error: error.clone() });
                    Some(FAILURE)
                }
            };
            let counted = channel.counted();
            log.record(Decision::Carried(Carried {
                id: job.session.id.clone(),
                host: job.session.host.to_string(),
                repository: job.session.exec.repository.clone(),
                command: job.session.exec.service.name(),
                host_key,
                bytes_up: counted.up,
                bytes_down: counted.down,
                duration: job.session.started.elapsed(),
                exit: status,
            }));
            channel.exit(status.unwrap_or(FAILURE));
        });
    }

    /// Ends what still runs.
    pub fn stop(&self) {
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

/// Ends where the channel was closed or its guest is gone.
async fn silenced(channel: &Channel, limit: Duration) {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tick.tick().await;
        if channel.silence() > limit {
            channel.close("the build step is gone");
        }
        if channel.is_closed() {
            return;
        }
    }
}
