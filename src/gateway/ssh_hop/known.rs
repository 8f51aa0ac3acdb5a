//! What `ssh` is to know of the server: one key, which the server showed to us and a pin vouches
//! for.

use std::sync::Arc;

use base64ct::{Base64, Encoding as _};
use tokio::time::Instant;

use super::super::host_key;
use super::super::route::Route;
use super::super::session::Job;
use super::super::upstream_error::UpstreamError;
use crate::hosts::probe::{ProbeError, rsa_key};
use crate::hosts::transport::TransportError;
use crate::hosts::{Fingerprint, HostName, HostScope, KeyOwner};
use crate::policy::HostKeys;

/// What `ssh` and its agent are to know of the server.
pub(super) struct Known {
    /// The name in `lines`.
    pub(super) alias: String,
    /// A known_hosts file.
    pub(super) lines: String,
    /// What a login may be bound to.
    pub(super) keys: Arc<dyn HostKeys + Send + Sync>,
}

/// The one key that the server may have.
struct OneKey {
    host: String,
    key: Vec<u8>,
}

impl HostKeys for OneKey {
    fn owner(&self, _: &HostScope, key: &[u8], _: u64) -> KeyOwner {
        if key == self.key { KeyOwner::Granted(self.host.clone()) } else { KeyOwner::Unknown }
    }

    fn fingerprint(&self, key: &[u8]) -> String {
        Fingerprint::of(key).to_string()
    }
}

/// Asks the server for its key and judges it. The fingerprint goes into `host_key`.
pub(super) async fn known(
    job: &Job,
    route: &Route,
    until: Instant,
    host_key: &mut Option<String>,
) -> Result<Known, UpstreamError> {
    let host = job.session.host.to_string();
    let names = [&job.session.host, &route.pinned_as];
    let by_authority = names.iter().any(|name| job.hosts.listed_for(name).iter().any(|pin| pin.authority));
    let name = route.connect.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let left = || until.saturating_duration_since(Instant::now());
        if by_authority {
            match rsa_key(&name, true, left()) {
                Err(ProbeError::Exchange(_, TransportError::NothingInCommon("type of host key"))) => {}
                shown => return shown,
            }
        }
        rsa_key(&name, false, left())
    });
    let broken = |why: String| UpstreamError::Broken(host.clone(), why);
    let shown = match asked.await.map_err(|error| broken(error.to_string()))? {
        Ok(shown) => shown,
        Err(ProbeError::Connect(_, error)) => return Err(UpstreamError::Connect(host, error.to_string())),
        // Older than what our own exchange knows; ssh may still know it.
        Err(ProbeError::Exchange(_, TransportError::NothingInCommon("key exchange" | "cipher"))) => {
            return from_pins(job, names).ok_or_else(|| broken("its key exchange is not one that is known".into()));
        }
        Err(ProbeError::Exchange(_, TransportError::Io(error))) if error.kind() == std::io::ErrorKind::TimedOut => {
            return Err(UpstreamError::Stalled(host, job.limits.connect.as_secs()));
        }
        Err(ProbeError::Exchange(_, error)) => return Err(broken(error.to_string())),
        Err(ProbeError::Runtime(error)) => return Err(broken(error.to_string())),
    };
    *host_key = Some(Fingerprint::of(&shown).to_string());
    host_key::judge(&job.hosts, &job.session.host, route, &shown)?;
    // Of a certificate the key in it, which was judged with it: a server has both, and so ssh
    // accepts what we have seen and no other key of the same authority.
    let plain = crate::hosts::certificate::certified_key(&shown).unwrap_or(shown);
    let alias = job.session.host.to_string();
    let lines = format!("{alias} ssh-rsa {}\n", Base64::encode_string(&plain));
    let keys = Arc::new(OneKey { host: alias.clone(), key: plain });
    Ok(Known { alias, lines, keys })
}

/// The pinned RSA keys, under the name that has some. Pins that are no keys say nothing here.
fn from_pins(job: &Job, names: [&HostName; 2]) -> Option<Known> {
    let name = names.into_iter().find(|name| job.hosts.key_types(name).iter().any(|kind| kind == "ssh-rsa"))?;
    let lines = job.hosts.known_hosts_for(&[HostScope::Only(vec![name.clone()])]);
    Some(Known { alias: name.to_string(), lines, keys: job.hosts.clone() })
}
