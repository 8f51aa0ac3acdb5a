//! One session: which way it goes, and with russh the command and its bytes both ways until its
//! exit status.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use russh::client::Handle;
use russh::{ChannelMsg, Disconnect};

use super::channel::Channel;
use super::exec_request::ExecRequest;
use super::host_key::{CheckHostKey, host_key_algorithms};
use super::limits::TimeLimits;
use super::login::{NotLoggedIn, log_in};
use super::route::{self, Route};
use super::ssh_hop;
use super::upstream_error::UpstreamError;
use crate::decision_log::DecisionLog;
use crate::hosts::{HostName, Hosts};
use crate::policy::Grant;
use crate::signer::Identity;
use crate::wire::tunnel::Kind;

/// What ssh exits with when it fails itself.
pub(super) const FAILURE: u32 = 255;

/// What a channel is for.
#[derive(Clone, Debug)]
pub struct Session {
    /// The ssh id of the socket.
    pub id: String,
    /// Index of the grant.
    pub grant: usize,
    /// The account.
    pub user: String,
    /// The server.
    pub host: HostName,
    /// The command.
    pub exec: ExecRequest,
    /// `GIT_PROTOCOL`, where the client asked for a version.
    pub protocol: Option<String>,
    /// When it was asked for.
    pub started: Instant,
}

/// A session and all that it needs.
pub(super) struct Job {
    pub(super) session: Session,
    /// The grant that allows it.
    pub(super) grant: Grant,
    /// The identities of that grant.
    pub(super) identities: Vec<Identity>,
    pub(super) hosts: Arc<Hosts>,
    pub(super) log: Arc<DecisionLog>,
    /// Variables that hold keys, which `ssh -G` must not see.
    pub(super) hidden: Vec<OsString>,
    pub(super) limits: TimeLimits,
    /// A folder that is not there yet, for what `ssh` needs.
    pub(super) folder: PathBuf,
}

/// The whole session. Returns the exit status; `None` where the channel was closed before.
pub(super) async fn carry(
    job: &Job,
    channel: &Arc<Channel>,
    host_key: &mut Option<String>,
) -> Result<Option<u32>, UpstreamError> {
    let host = job.session.host.to_string();
    let until = tokio::time::Instant::now() + job.limits.connect;
    let slow = |_| UpstreamError::Stalled(host.clone(), job.limits.connect.as_secs());
    let route = tokio::time::timeout_at(until, ask(job)).await.map_err(slow)??;
    if let Some(algorithms) = host_key_algorithms(&job.hosts, [&job.session.host, &route.pinned_as]) {
        let handle = tokio::time::timeout_at(until, log_in(job, &route, algorithms, host_key)).await.map_err(slow)?;
        match handle {
            Ok(handle) => return with_russh(job, handle, channel).await,
            Err(NotLoggedIn::Failed(error)) => return Err(error),
            Err(NotLoggedIn::NoCommonHostKey) => {}
        }
    }
    ssh_hop::carry(job, &route, until, channel, host_key).await
}

/// Where the host is reached.
pub(super) async fn ask(job: &Job) -> Result<Route, UpstreamError> {
    let (name, user, hidden) = (job.session.host.clone(), job.session.user.clone(), job.hidden.clone());
    match tokio::task::spawn_blocking(move || route::ask(&name, &user, &hidden)).await {
        Ok(route) => route.map_err(|error| UpstreamError::Route(job.session.host.to_string(), error)),
        Err(_) => Ok(Route::direct(&job.session.host)),
    }
}

async fn with_russh(
    job: &Job,
    handle: Handle<CheckHostKey>,
    channel: &Arc<Channel>,
) -> Result<Option<u32>, UpstreamError> {
    let (session, host) = (&job.session, job.session.host.to_string());
    let broken = |error: russh::Error| UpstreamError::Broken(host.clone(), error.to_string());
    channel.moved();
    let ssh = handle.channel_open_session().await.map_err(broken)?;
    if let Some(protocol) = &session.protocol {
        ssh.set_env(false, "GIT_PROTOCOL", protocol.as_str()).await.map_err(broken)?;
    }
    ssh.exec(true, session.exec.command()).await.map_err(broken)?;

    // Two tasks: while one waits for room, the other must go on, or both ends wait for ever.
    let (mut from, to) = ssh.split();
    // A set, because it ends with this function however that ends: a server that takes no stdin
    // would hold the task, and with it the connection, long after the guest has gone.
    let mut up = tokio::task::JoinSet::new();
    {
        let channel = Arc::clone(channel);
        up.spawn(async move {
            while let Some(bytes) = channel.stdin().await {
                if to.data_bytes(bytes).await.is_err() {
                    return;
                }
            }
            let _ = to.eof().await;
        });
    }
    let mut status = None;
    let ended = loop {
        let message = tokio::select! {
            message = from.wait() => message,
            () = channel.stalled(job.limits.stall) => {
                break Err(UpstreamError::Stalled(host.clone(), job.limits.stall.as_secs()));
            }
        };
        let goes_on = match message {
            Some(ChannelMsg::Data { data }) => channel.put(Kind::Stdout, &data).await,
            Some(ChannelMsg::ExtendedData { data, .. }) => channel.put(Kind::Stderr, &data).await,
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                status = Some(exit_status);
                true
            }
            // As ssh: a command that a signal ended has no status of its own.
            Some(ChannelMsg::ExitSignal { .. }) => {
                status = Some(FAILURE);
                true
            }
            Some(ChannelMsg::Failure) => {
                break Err(UpstreamError::Broken(host.clone(), "it refused the command".into()));
            }
            Some(ChannelMsg::Close) | None => false,
            Some(_) => true,
        };
        if !goes_on {
            break Ok(if channel.is_closed() { None } else { Some(status.unwrap_or(FAILURE)) });
        }
    };
    up.abort_all();
    let _ = handle.disconnect(Disconnect::ByApplication, "", "").await;
    ended
}
