//! The session at the server: pinned host key, the grant's identity, one command, and bytes
//! both ways until its exit status.
//!
//! Everything that goes wrong here reaches the build as a line on stderr and ssh's own exit
//! status 255, and the decision log with its reason.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use russh::client::{self, AuthResult, Handle};
use russh::keys::ssh_key::{Certificate, HashAlg, PublicKey};
use russh::keys::{Algorithm, EcdsaCurve, PublicKeyOrCertificate};
use russh::{ChannelMsg, cipher};

use super::channel::Channel;
use super::exec_request::ExecRequest;
use super::route::{self, Route, RouteError};
use crate::decision_log::{Carried, Decision, DecisionLog};
use crate::hosts::{Fingerprint, HostKeyStatus, HostName, Hosts};
use crate::signer::{Identity, RSA_SHA2_256, RSA_SHA2_512, fingerprint};
use crate::wire::tunnel::Kind;
use crate::wire::{key_type, put_string};

/// How long connecting, the key exchange and the login may take.
pub const CONNECT_TIME: Duration = Duration::from_secs(30);
/// How long a server may be silent while a command runs and the build waits for it.
pub const MAX_STALL: Duration = Duration::from_secs(300);
/// Identities that are tried at most: servers cut a client off after six tries.
const MAX_TRIES: usize = 5;
/// SSH's window for a channel, in bytes: 256 KiB measured faster than russh's own 2 MiB.
const WINDOW: u32 = 256 * 1024;
/// What ssh exits with when it fails itself.
const FAILURE: u32 = 255;

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

/// Why a session failed, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// A way that the gateway does not go.
    #[error("failed to reach {0}: {1}, which the gateway does not follow")]
    Route(String, RouteError),
    /// RSA host keys alone are pinned, which cannot be checked here.
    #[error(
        "failed to check {0}: only RSA keys are pinned for it, and the gateway checks ed25519 and ECDSA host keys alone"
    )]
    RsaOnly(String),
    /// No connection.
    #[error("failed to connect to {0}: {1}")]
    Connect(String, String),
    /// No key of this host is pinned.
    #[error("{0} shows a host key that is not pinned ({1})")]
    Unpinned(String, String),
    /// Other keys are pinned.
    #[error("the host key of {0} has changed: it shows {1}, and pinned are {2}; nothing was sent to it")]
    Changed(String, String, String),
    /// A revoked key.
    #[error("{0} shows a host key that was revoked ({1}); nothing was sent to it")]
    Revoked(String, String),
    /// The key exchange or the connection broke.
    #[error("the connection to {0} failed: {1}")]
    Broken(String, String),
    /// No identity was accepted.
    #[error("{0} did not accept the lent key for {1} ({2})")]
    Login(String, String, String),
    /// Silence.
    #[error("{0} was silent for {1} seconds")]
    Stalled(String, u64),
}

impl UpstreamError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(..) | Self::Broken(..) | Self::Stalled(..) => None,
            Self::Route(..) => Some("lend the keys themselves for this host: --lend agent".into()),
            Self::RsaOnly(host) => Some(format!(
                "pin another key of it with valetkey host add {host}, or lend the keys themselves: --lend agent"
            )),
            Self::Unpinned(host, _) => {
                Some(format!("compare it with what the host publishes, then valetkey host add {host}"))
            }
            Self::Changed(host, ..) => Some(format!(
                "somebody may be in between: compare with what the host publishes before you change its pin; valetkey host verify {host}"
            )),
            Self::Revoked(..) => Some("do not trust this server".into()),
            Self::Login(..) => Some("check that the key is registered there, and may read the repository".into()),
        }
    }
}

/// Opens sessions, on a runtime of its own.
pub struct Upstreams {
    hosts: Arc<Hosts>,
    log: Arc<DecisionLog>,
    /// Variables that hold keys, which `ssh -G` must not see.
    hidden: Vec<OsString>,
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
}

impl Upstreams {
    /// Nothing is connected, and no thread started, before the first session.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>, log: Arc<DecisionLog>, hidden: Vec<OsString>) -> Self {
        Self { hosts, log, hidden, runtime: Mutex::new(None) }
    }

    /// The pins.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Runs a session in the background; its end is a chunk of the channel.
    pub fn run(&self, session: Session, identities: Vec<Identity>, channel: Arc<Channel>) {
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
        let (hosts, log, hidden) = (Arc::clone(&self.hosts), Arc::clone(&self.log), self.hidden.clone());
        started.spawn(async move {
            let mut host_key = None;
            let carried = tokio::select! {
                result = carry(&session, &identities, &hosts, hidden, &channel, &mut host_key) => result,
                () = silenced(&channel) => Ok(None),
            };
            let status = match carried {
                Ok(status) => status,
                Err(error) => {
                    let hint = format!("valetkey: {error}\n");
                    channel.put(Kind::Stderr, hint.as_bytes()).await;
                    log.record(Decision::UpstreamFailed { id: &session.id, error: error.clone() });
                    Some(FAILURE)
                }
            };
            let counted = channel.counted();
            log.record(Decision::Carried(Carried {
                id: session.id.clone(),
                host: session.host.to_string(),
                repository: session.exec.repository.clone(),
                command: session.exec.service.name(),
                host_key,
                bytes_up: counted.up,
                bytes_down: counted.down,
                duration: session.started.elapsed(),
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
async fn silenced(channel: &Channel) {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tick.tick().await;
        if channel.silence() > super::tunnel::MAX_SILENCE {
            channel.close("the build step is gone");
        }
        if channel.is_closed() {
            return;
        }
    }
}

/// The whole session. Returns the exit status; `None` where the channel was closed before.
async fn carry(
    session: &Session,
    identities: &[Identity],
    hosts: &Arc<Hosts>,
    hidden: Vec<OsString>,
    channel: &Arc<Channel>,
    host_key: &mut Option<String>,
) -> Result<Option<u32>, UpstreamError> {
    let host = session.host.to_string();
    let handle = tokio::time::timeout(CONNECT_TIME, log_in(session, identities, hosts, hidden, host_key)).await;
    let handle = handle.map_err(|_| UpstreamError::Stalled(host.clone(), CONNECT_TIME.as_secs()))??;
    let broken = |error: russh::Error| UpstreamError::Broken(host.clone(), error.to_string());
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
        let message = match tokio::time::timeout(MAX_STALL, from.wait()).await {
            Ok(message) => message,
            Err(_) => break Err(UpstreamError::Stalled(host.clone(), MAX_STALL.as_secs())),
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
    let _ = handle.disconnect(russh::Disconnect::ByApplication, "", "").await;
    ended
}

async fn log_in(
    session: &Session,
    identities: &[Identity],
    hosts: &Arc<Hosts>,
    hidden: Vec<OsString>,
    host_key: &mut Option<String>,
) -> Result<Handle<CheckHostKey>, UpstreamError> {
    let host = session.host.to_string();
    let asked = {
        let (name, user) = (session.host.clone(), session.user.clone());
        tokio::task::spawn_blocking(move || route::ask(&name, &user, &hidden)).await
    };
    let route = match asked {
        Ok(route) => route.map_err(|error| UpstreamError::Route(host.clone(), error))?,
        Err(_) => Route::direct(&session.host),
    };
    let algorithms = host_key_algorithms(hosts, [&session.host, &route.pinned_as]);
    let algorithms = algorithms.ok_or_else(|| UpstreamError::RsaOnly(host.clone()))?;
    let address = (route.connect.host.as_str(), route.connect.port);
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .map_err(|error| UpstreamError::Connect(host.clone(), error.to_string()))?;
    let _ = stream.set_nodelay(true);
    let verdict = Arc::new(Mutex::new((None, None)));
    let handler =
        CheckHostKey { host: session.host.clone(), route, hosts: Arc::clone(hosts), verdict: Arc::clone(&verdict) };
    let connected = client::connect_stream(Arc::new(config(algorithms)), stream, handler).await;
    let (shown, refused) = verdict.lock().unwrap_or_else(PoisonError::into_inner).clone();
    *host_key = shown;
    if let Some(refused) = refused {
        return Err(refused);
    }
    let mut handle = connected.map_err(|error| UpstreamError::Broken(host.clone(), error.to_string()))?;

    let mut tried = Vec::new();
    for identity in identities.iter().take(MAX_TRIES) {
        tried.push(fingerprint(&identity.blob));
        match authenticate(&mut handle, &session.user, identity).await {
            Ok(true) => return Ok(handle),
            Ok(false) => {}
            Err(error) => return Err(UpstreamError::Broken(host, error)),
        }
    }
    Err(UpstreamError::Login(host, session.exec.repository.clone(), tried.join(", ")))
}

async fn authenticate(handle: &mut Handle<CheckHostKey>, user: &str, identity: &Identity) -> Result<bool, String> {
    let kind = key_type(&identity.blob).unwrap_or_default().to_owned();
    let hash = if kind.starts_with("ssh-rsa") {
        // A server that says nothing gets SHA-512, as from OpenSSH; never SHA-1.
        let supported = handle.best_supported_rsa_hash().await.map_err(|error| error.to_string())?;
        Some(supported.flatten().unwrap_or(HashAlg::Sha512))
    } else {
        None
    };
    let mut signer = Lent(identity.clone());
    let result = if kind.contains("-cert-v01@") {
        let certificate = Certificate::from_bytes(&identity.blob).map_err(|error| error.to_string())?;
        handle.authenticate_certificate_with(user, certificate, hash, &mut signer).await
    } else {
        let key = PublicKey::from_bytes(&identity.blob).map_err(|error| error.to_string())?;
        handle.authenticate_publickey_with(user, key, hash, &mut signer).await
    };
    Ok(matches!(result.map_err(|error| error.0)?, AuthResult::Success))
}

/// The identity's own signer, for russh.
struct Lent(Identity);

/// Why it did not sign.
struct NotSigned(String);

impl From<russh::SendError> for NotSigned {
    fn from(_: russh::SendError) -> Self {
        Self("the connection was closed during the login".into())
    }
}

impl russh::Signer for Lent {
    type Error = NotSigned;

    async fn auth_sign(
        &mut self,
        _: &russh::keys::agent::AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        let flags = match hash {
            Some(HashAlg::Sha256) => RSA_SHA2_256,
            Some(_) => RSA_SHA2_512,
            None => 0,
        };
        let signer = Arc::clone(&self.0.signer);
        // The upstream agent may wait for a touch, RSA takes milliseconds: not on this thread.
        let signed = tokio::task::spawn_blocking(move || {
            let signature = signer.sign(&to_sign, flags)?;
            put_string(&mut to_sign, &signature);
            Ok::<_, crate::signer::SignError>(to_sign)
        });
        signed.await.map_err(|_| NotSigned("the signer failed".into()))?.map_err(|error| NotSigned(error.to_string()))
    }
}

/// The types of host keys to ask for: those that are pinned, so that a server with several
/// shows the one that is known; all of them where the pins are fingerprints or authorities.
/// `None` where RSA alone is pinned, which russh cannot check without the `rsa` crate
/// (RUSTSEC-2023-0071).
fn host_key_algorithms(hosts: &Hosts, names: [&HostName; 2]) -> Option<Vec<Algorithm>> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let all =
        [Algorithm::Ed25519, ecdsa(EcdsaCurve::NistP256), ecdsa(EcdsaCurve::NistP384), ecdsa(EcdsaCurve::NistP521)];
    let pinned: Vec<String> = names.iter().flat_map(|name| hosts.key_types(name)).collect();
    let known: Vec<Algorithm> =
        all.iter().filter(|of| pinned.iter().any(|kind| kind == of.as_str())).cloned().collect();
    match (known.is_empty(), pinned.is_empty()) {
        (true, true) => Some(all.to_vec()),
        (true, false) => None,
        (false, _) => Some(known),
    }
}

/// Only what is modern, fast and checked: AES-GCM first, because it measured fastest.
fn config(host_keys: Vec<Algorithm>) -> client::Config {
    let mut config = client::Config {
        window_size: WINDOW,
        nodelay: true,
        keepalive_interval: Some(Duration::from_secs(30)),
        ..client::Config::default()
    };
    config.preferred.key = host_keys.into();
    config.preferred.cipher =
        vec![cipher::AES_128_GCM, cipher::AES_256_GCM, cipher::CHACHA20_POLY1305, cipher::AES_256_CTR].into();
    config
}

/// What two names say of one key: revoked by either wins, then known to either.
fn worst_but_match(statuses: [HostKeyStatus; 2]) -> HostKeyStatus {
    for status in [HostKeyStatus::Revoked, HostKeyStatus::Match, HostKeyStatus::Changed] {
        if statuses.contains(&status) {
            return status;
        }
    }
    HostKeyStatus::New
}

/// Holds the server's key against the pins, before anything of the user's is sent.
struct CheckHostKey {
    host: HostName,
    route: Route,
    hosts: Arc<Hosts>,
    /// The fingerprint of what was shown, and why it was not accepted.
    verdict: Arc<Mutex<(Option<String>, Option<UpstreamError>)>>,
}

impl client::Handler for CheckHostKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let blob = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.to_bytes().map_err(russh::keys::Error::from)?,
            PublicKeyOrCertificate::Certificate(certificate) => {
                certificate.to_bytes().map_err(russh::keys::Error::from)?
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (name, shown) = (self.host.to_string(), Fingerprint::of(&blob).to_string());
        let names = [&self.host, &self.route.pinned_as];
        let refused = match worst_but_match(names.map(|name| self.hosts.status(name, &blob, now))) {
            HostKeyStatus::Match => None,
            HostKeyStatus::New => Some(UpstreamError::Unpinned(name, shown.clone())),
            HostKeyStatus::Changed => {
                let pinned = self.hosts.fingerprints(&self.host).join(", ");
                Some(UpstreamError::Changed(name, shown.clone(), pinned))
            }
            HostKeyStatus::Revoked => Some(UpstreamError::Revoked(name, shown.clone())),
        };
        let accepted = refused.is_none();
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = (Some(shown), refused);
        Ok(accepted)
    }
}
