//! What a build may do: identity + host + user + repositories + access + limits.

use std::time::Duration;

use super::RepoPattern;
use crate::hosts::{HostName, HostScope};

/// Signatures that a grant allows when nothing else was said.
pub const DEFAULT_MAX_SIGNATURES: u32 = 64;
/// How long a lease lasts when nothing else was said.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60 * 60);
/// The account that forges log in to.
pub const DEFAULT_USER: &str = "git";

/// What a build may do on a repository. Only the gateway can tell reading from writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Fetch.
    #[default]
    Read,
    /// Fetch and push.
    Write,
}

/// Caps on what a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Signatures over the whole lease.
    pub max_signatures: u32,
    /// Time from the start of the lease.
    pub time_limit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_signatures: DEFAULT_MAX_SIGNATURES, time_limit: DEFAULT_TIME_LIMIT }
    }
}

/// One grant, with everything that [`super::judge()`] needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key blobs and certificate blobs of its identities, as they are listed.
    pub keys: Vec<Vec<u8>>,
    /// The hosts that it covers.
    pub scope: HostScope,
    /// Those of its hosts that cannot bind logins. Where it is empty, unbound logins are refused.
    pub unbound: Vec<HostName>,
    /// The account on the server.
    pub user: String,
    /// The repositories that the gateway reads for it; none means every one.
    pub repos: Vec<RepoPattern>,
    /// What the gateway does with them.
    pub access: Access,
    /// Its caps.
    pub limits: Limits,
}

impl Grant {
    /// Whether the identity with this blob belongs to the grant.
    #[must_use]
    pub fn covers(&self, blob: &[u8]) -> bool {
        self.keys.iter().any(|key| key == blob)
    }
}
