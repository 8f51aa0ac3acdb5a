//! The login with russh: the pinned host key, then one identity after another.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::Algorithm;
use russh::keys::ssh_key::{Certificate, HashAlg, PublicKey};
use russh::{AlgorithmKind, cipher};

use super::host_key::{CheckHostKey, Shown};
use super::route::Route;
use super::session::Job;
use super::upstream_error::UpstreamError;
use crate::signer::{Identity, RSA_SHA2_256, RSA_SHA2_512, fingerprint};
use crate::wire::{key_type, put_string};

/// Identities that are tried at most: servers cut a client off after six tries.
pub(super) const MAX_TRIES: usize = 5;
/// SSH's window for a channel, in bytes: more than this makes a clone no faster.
const WINDOW: u32 = 512 * 1024;
/// Packets that wait between russh and the channel, each up to 32 KiB; russh's own 100 let eight
/// clones at once take 20 MiB more and no less time.
const QUEUE: usize = 8;

/// Why there is no session.
pub(super) enum NotLoggedIn {
    /// The server has none of the host key types that russh can check.
    NoCommonHostKey,
    /// Anything else.
    Failed(UpstreamError),
}

impl From<UpstreamError> for NotLoggedIn {
    fn from(error: UpstreamError) -> Self {
        Self::Failed(error)
    }
}

/// Connects and logs in. The fingerprint of what the server showed goes into `host_key`.
pub(super) async fn log_in(
    job: &Job,
    route: &Route,
    algorithms: Vec<Algorithm>,
    host_key: &mut Option<String>,
) -> Result<Handle<CheckHostKey>, NotLoggedIn> {
    let session = &job.session;
    let host = session.host.to_string();
    let address = (route.connect.host.as_str(), route.connect.port);
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .map_err(|error| UpstreamError::Connect(host.clone(), error.to_string()))?;
    let _ = stream.set_nodelay(true);
    let shown = Shown::default();
    let handler = CheckHostKey {
        host: session.host.clone(),
        route: route.clone(),
        hosts: Arc::clone(&job.hosts),
        shown: Arc::clone(&shown),
    };
    let connected = client::connect_stream(Arc::new(config(algorithms)), stream, handler).await;
    let (shown, refused) = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    *host_key = shown;
    if let Some(refused) = refused {
        return Err(refused.into());
    }
    let mut handle = connected.map_err(|error| match error {
        russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, .. } => NotLoggedIn::NoCommonHostKey,
        error => UpstreamError::Broken(host.clone(), error.to_string()).into(),
    })?;

    let mut tried = Vec::new();
    for identity in job.identities.iter().take(MAX_TRIES) {
        tried.push(fingerprint(&identity.blob));
        match authenticate(&mut handle, &session.user, identity).await {
            Ok(true) => return Ok(handle),
            Ok(false) => {}
            Err(error) => return Err(UpstreamError::Broken(host, error).into()),
        }
    }
    Err(UpstreamError::Login(host, session.exec.repository.clone(), tried.join(", ")).into())
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

/// Only what is modern, fast and checked: AES-GCM first, because it measured fastest.
fn config(host_keys: Vec<Algorithm>) -> client::Config {
    let mut config = client::Config {
        window_size: WINDOW,
        channel_buffer_size: QUEUE,
        nodelay: true,
        keepalive_interval: Some(Duration::from_secs(30)),
        ..client::Config::default()
    };
    config.preferred.key = host_keys.into();
    config.preferred.cipher =
        vec![cipher::AES_128_GCM, cipher::AES_256_GCM, cipher::CHACHA20_POLY1305, cipher::AES_256_CTR].into();
    config
}
