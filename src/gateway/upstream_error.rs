//! Why a session at the server failed, and what a person can do about it.

use super::route::RouteError;

/// Why a session failed, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// A way that the gateway does not go.
    #[error("failed to reach {0}: {1}, which the gateway does not follow")]
    Route(String, RouteError),
    /// An RSA host key, and no `ssh` to leave it to.
    #[error("failed to log in to {0}: it has an RSA host key, which takes the system's ssh, and there is none")]
    NoSsh(String),
    /// The system's `ssh` could not be started, or not be given what it needs.
    #[error("failed to start ssh for {0}: {1}")]
    Hop(String, String),
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
            Self::Connect(..) | Self::Broken(..) | Self::Stalled(..) | Self::Hop(..) => None,
            Self::Route(..) => Some("lend the keys themselves for this host: --lend agent".into()),
            Self::NoSsh(_) => {
                Some("install the OpenSSH client on this machine, or lend the keys themselves: --lend agent".into())
            }
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
