//! The pins as `valetkey host list` and a refusal show them.

use super::known_hosts::Marker;
use super::name::HostName;
use super::pins::{Hosts, Pin, Source};
use super::{Binds, Fingerprint};

/// A pin as `valetkey host list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name field as it was written (a hash, where names are hashed).
    pub names: String,
    /// Key type; `None` where only a fingerprint is known.
    pub key_type: Option<String>,
    /// Fingerprint of the key.
    pub fingerprint: Fingerprint,
    /// Where the pin comes from.
    pub source: Source,
    /// `file:line`, or what stands for it.
    pub origin: String,
    /// Whether the host binds logins.
    pub binds: Binds,
    /// The key signs host certificates (`@cert-authority`).
    pub authority: bool,
    /// The key is never to be trusted.
    pub revoked: bool,
}

impl Hosts {
    /// Every pin and every revoked key, in the order they were added.
    #[must_use]
    pub fn listed(&self) -> Vec<Listed> {
        let mut out: Vec<Listed> = self.pins.iter().map(|pin| self.list_pin(pin)).collect();
        for (fingerprint, names) in &self.by_fingerprint {
            out.extend(names.iter().map(|(name, source)| Listed {
                names: name.to_string(),
                key_type: None,
                fingerprint: *fingerprint,
                source: source.clone(),
                origin: "valetkey.toml".into(),
                binds: self.binds(name),
                authority: false,
                revoked: self.revoked.contains_key(fingerprint),
            }));
        }
        for (fingerprint, (host, source)) in &self.revoked {
            if !out.iter().any(|listed| listed.fingerprint == *fingerprint) {
                out.push(Listed {
                    names: host.clone(),
                    key_type: None,
                    fingerprint: *fingerprint,
                    source: source.clone(),
                    origin: "built-in".into(),
                    binds: Binds::Unknown,
                    authority: false,
                    revoked: true,
                });
            }
        }
        out
    }

    /// What is pinned for one host, revoked keys left out.
    #[must_use]
    pub fn listed_for(&self, name: &HostName) -> Vec<Listed> {
        let of_name = self.pins_of(name);
        let live = |(index, pin): &(usize, &Pin)| of_name.contains(index) && self.is_live(pin);
        let mut out: Vec<Listed> =
            self.pins.iter().enumerate().filter(live).map(|(_, pin)| self.list_pin(pin)).collect();
        let shown = name.to_string();
        out.extend(self.listed().into_iter().filter(|l| l.key_type.is_none() && !l.revoked && l.names == shown));
        out
    }

    fn list_pin(&self, pin: &Pin) -> Listed {
        Listed {
            names: pin.field.clone(),
            key_type: Some(pin.key_type.clone()),
            fingerprint: pin.fingerprint,
            source: pin.source.clone(),
            origin: pin.origin.clone(),
            binds: pin.names.plain().first().map_or(Binds::Unknown, |name| self.binds(name)),
            authority: pin.marker == Marker::CertAuthority,
            revoked: !self.is_live(pin),
        }
    }
}
