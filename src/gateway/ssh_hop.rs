//! The session at a server whose only host key is RSA (Azure DevOps), through the system's `ssh`.
//!
//! **Why.** russh checks RSA signatures with the `rsa` crate alone (RUSTSEC-2023-0071, and so not
//! in the tree), and has no place to put another check: it verifies the exchange before it asks
//! its handler, over a hash of a secret that it keeps to itself. [`crate::hosts::transport`] does
//! check RSA, on aws-lc, but is one key exchange and no more: a whole client on top of it (its own
//! re-keying, logins, channels and, for servers of that age, finite-field key exchanges) would be
//! a second SSH implementation to keep safe, for a few hosts. OpenSSH is one that people have,
//! patch and trust already; a machine without it can still lend the key itself.
//!
//! **How.** The server is first asked for its RSA key by our own exchange, and what it shows is
//! held against the pins, whatever form they have: key, fingerprint, authority. Then `ssh` starts
//! with a known_hosts of that one key: it decides for itself, on its own connection, and sends
//! nothing to a server that shows another. Its logins come from [`agent`], a socket that answers
//! this one process, once, and is gone as soon as it has.
//!
//! **Not protected.** A process of the same user that may trace others (`kernel.yama.ptrace_scope`
//! of 0) can take over `ssh` and what that has: this session, and a login or a few as this user.

mod agent;
mod arguments;
mod known;
mod process;
mod said;

use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::channel::Channel;
use super::route::Route;
use super::session::{FAILURE, Job};
use super::upstream_error::UpstreamError;
use crate::wire::tunnel::Kind;
use agent::PrivateAgent;
use process::Ssh;

/// Told when a login was signed: from then on it is the command that is waited for.
#[derive(Default)]
struct SignedIn {
    was: AtomicBool,
    told: Notify,
}

/// The whole session, as [`super::session::carry`].
pub(super) async fn carry(
    job: &Job,
    route: &Route,
    until: Instant,
    channel: &Arc<Channel>,
    host_key: &mut Option<String>,
) -> Result<Option<u32>, UpstreamError> {
    let host = job.session.host.to_string();
    let slow = || UpstreamError::Stalled(host.clone(), job.limits.connect.as_secs());
    let known = tokio::time::timeout_at(until, known::known(job, route, until, host_key)).await;
    let known = known.map_err(|_| slow())??;

    let failed = |error: std::io::Error| UpstreamError::Hop(host.clone(), error.to_string());
    std::fs::DirBuilder::new().mode(0o700).create(&job.folder).map_err(failed)?;
    let folder = Folder(job);
    std::fs::write(job.folder.join(arguments::KNOWN_HOSTS), &known.lines).map_err(failed)?;
    let signed = Arc::new(SignedIn::default());
    let agent = PrivateAgent::bind(job, route, &known, Arc::clone(&signed)).map_err(failed)?;
    let command = arguments::command(job, route, &known.alias);
    let mut ssh = Ssh::start(command, agent).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound { UpstreamError::NoSsh(host.clone()) } else { failed(error) }
    })?;

    let up = ssh.stdin.take();
    let mut sending = tokio::task::JoinSet::new();
    {
        let channel = Arc::clone(channel);
        sending.spawn(async move {
            let Some(up) = up else { return };
            while let Some(bytes) = channel.stdin().await {
                if process::write_all(&up, &bytes).await.is_err() {
                    return;
                }
            }
        });
    }
    let ended = {
        let (stdout, stderr) = (ssh.stdout.take(), ssh.stderr.take());
        let both = async {
            tokio::join!(pass_on(stdout, Kind::Stdout, channel), pass_on(stderr, Kind::Stderr, channel));
        };
        tokio::pin!(both);
        let ended = tokio::select! {
            () = &mut both => true,
            () = signed.told.notified() => false,
            () = tokio::time::sleep_until(until) => return Err(slow()),
        };
        channel.moved();
        let stalled = || UpstreamError::Stalled(host.clone(), job.limits.stall.as_secs());
        if !ended {
            tokio::select! {
                () = &mut both => {}
                () = channel.stalled(job.limits.stall) => return Err(stalled()),
            }
        }
        if channel.is_closed() {
            return Ok(None);
        }
        tokio::time::timeout(job.limits.stall, ssh.ended()).await.map_err(|_| stalled())?
    };
    let status = ended.and_then(|status| u32::try_from(status.code()?).ok());
    let said = said::read(&job.folder.join(arguments::LOG));
    drop((ssh, folder));
    match status {
        Some(FAILURE) | None if !signed.was.load(Ordering::Relaxed) || !said.is_empty() => {
            Err(said::why(&said, job, route, host_key))
        }
        status => Ok(Some(status.unwrap_or(FAILURE))),
    }
}

/// Passes on what comes out of a pipe, as fast as the guest takes it.
async fn pass_on(pipe: Option<tokio::net::unix::pipe::Receiver>, kind: Kind, channel: &Channel) {
    let Some(pipe) = pipe else { return };
    let mut chunk = vec![0; process::CHUNK];
    while let Ok(count) = process::read(&pipe, &mut chunk).await {
        let bytes = chunk.get(..count).unwrap_or_default();
        if bytes.is_empty() || !channel.put(kind, bytes).await {
            return;
        }
    }
}

/// The session's folder; gone when dropped. It holds no secret.
struct Folder<'a>(&'a Job);

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        crate::lease::remove_session(&self.0.folder);
    }
}
