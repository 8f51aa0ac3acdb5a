//! The server's host key against the pins: what to ask for, and what to think of what is shown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::client;
use russh::keys::{Algorithm, EcdsaCurve, PublicKeyOrCertificate};

use super::route::Route;
use super::upstream_error::UpstreamError;
use crate::hosts::{Fingerprint, HostKeyStatus, HostName, Hosts};

/// The types of host keys to ask for: those that are pinned, so that a server with several
/// shows the one that is known; all of them where the pins are fingerprints or authorities.
/// `None` where RSA alone is pinned: that is [`super::ssh_hop`]'s.
pub(super) fn host_key_algorithms(hosts: &Hosts, names: [&HostName; 2]) -> Option<Vec<Algorithm>> {
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

/// What two names say of one key: revoked by either wins, then known to either.
fn worst_but_match(statuses: [HostKeyStatus; 2]) -> HostKeyStatus {
    for status in [HostKeyStatus::Revoked, HostKeyStatus::Match, HostKeyStatus::Changed] {
        if statuses.contains(&status) {
            return status;
        }
    }
    HostKeyStatus::New
}

/// Judges a shown key (raw blob of a key or host certificate) for a host that may be pinned
/// under its own name and under the one that ssh's config gives it.
///
/// # Errors
/// [`UpstreamError::Unpinned`], [`UpstreamError::Changed`] and [`UpstreamError::Revoked`].
pub(super) fn judge(hosts: &Hosts, host: &HostName, route: &Route, blob: &[u8]) -> Result<(), UpstreamError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (name, shown) = (host.to_string(), Fingerprint::of(blob).to_string());
    let statuses = [host, &route.pinned_as].map(|name| hosts.status(name, blob, now));
    match worst_but_match(statuses) {
        HostKeyStatus::Match => Ok(()),
        HostKeyStatus::New => Err(UpstreamError::Unpinned(name, shown)),
        HostKeyStatus::Changed => Err(UpstreamError::Changed(name, shown, pinned(hosts, host, route))),
        HostKeyStatus::Revoked => Err(UpstreamError::Revoked(name, shown)),
    }
}

/// The fingerprints that are pinned under both names, each once, for a person to compare.
pub(super) fn pinned(hosts: &Hosts, host: &HostName, route: &Route) -> String {
    let mut all = hosts.fingerprints(host);
    for fingerprint in hosts.fingerprints(&route.pinned_as) {
        if !all.contains(&fingerprint) {
            all.push(fingerprint);
        }
    }
    all.join(", ")
}

/// The fingerprint of what was shown, and why it was not accepted.
pub(super) type Shown = Arc<Mutex<(Option<String>, Option<UpstreamError>)>>;

/// Holds the server's key against the pins, before anything of the user's is sent.
pub(super) struct CheckHostKey {
    pub(super) host: HostName,
    pub(super) route: Route,
    pub(super) hosts: Arc<Hosts>,
    pub(super) shown: Shown,
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
        let refused = judge(&self.hosts, &self.host, &self.route, &blob).err();
        let accepted = refused.is_none();
        let shown = Fingerprint::of(&blob).to_string();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = (Some(shown), refused);
        Ok(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::put_string;

    const NONE: &str = "# nothing is pinned\n";

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    fn key(byte: u8) -> Vec<u8> {
        let mut key = Vec::new();
        put_string(&mut key, b"ssh-ed25519");
        put_string(&mut key, &[byte; 32]);
        key
    }

    fn hosts(pins: &[(&str, u8)]) -> Hosts {
        use base64ct::Encoding as _;
        let line = |(name, byte): &(&str, u8)| {
            format!("{name} ssh-ed25519 {}\n", base64ct::Base64::encode_string(&key(*byte)))
        };
        let mut hosts = Hosts::empty();
        let text: String = pins.iter().map(line).collect();
        hosts.add_known_hosts(if text.is_empty() { NONE } else { &text }, "test").unwrap();
        hosts
    }

    fn aliased() -> Route {
        Route { connect: name("10.0.0.1"), pinned_as: name("alias") }
    }

    fn fingerprint(byte: u8) -> String {
        Fingerprint::of(&key(byte)).to_string()
    }

    #[test]
    fn a_key_is_accepted_under_either_name() {
        assert_eq!(judge(&hosts(&[("forge", 1)]), &name("forge"), &aliased(), &key(1)), Ok(()));
        assert_eq!(judge(&hosts(&[("alias", 1)]), &name("forge"), &aliased(), &key(1)), Ok(()));
    }

    #[test]
    fn a_changed_key_is_told_with_what_is_pinned_under_both_names() {
        let pins = hosts(&[("forge", 1), ("alias", 2), ("alias", 1), ("other", 3)]);
        let told = judge(&pins, &name("forge"), &aliased(), &key(3));
        let pinned = format!("{}, {}", fingerprint(1), fingerprint(2));
        assert_eq!(told, Err(UpstreamError::Changed("forge".into(), fingerprint(3), pinned)));
    }

    #[test]
    fn a_key_of_a_host_without_pins_is_unpinned() {
        let told = judge(&hosts(&[("other", 1)]), &name("forge"), &aliased(), &key(1));
        assert_eq!(told, Err(UpstreamError::Unpinned("forge".into(), fingerprint(1))));
    }
}
