//! The set of pins, and what it says about a key that a server showed.
//!
//! Owns: the built-in pins, what is added to them, the index over both, and the decisions
//! `status`, `owner` and `unbound_allowed`. Pure: no clock, file or socket.
//!
//! Three readings are stricter than ssh's, on purpose: a key that any line revokes is revoked
//! for every host; a host on another port than 22 is never matched by the bare name; and a
//! fingerprint is enough to revoke.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use super::certificate::{HostCertificate, certified_key, is_certificate};
use super::entry::{PinEntry, PinnedKey};
use super::fingerprint::Fingerprint;
use super::known_hosts::{Marker, TooLarge, parse};
use super::name::HostName;
use super::pattern::{Names, Pattern};
use super::{Binds, HostKeyStatus, HostScope, KeyOwner};

/// The forges' published keys, as known_hosts text.
pub const PUBLISHED: &str = include_str!("published.known_hosts");
/// Keys that were withdrawn by their hosts, by fingerprint, so that no known_hosts file can
/// bring them back in any form: github.com (2023-03-24), bitbucket.org (2023-06-20).
pub const REVOKED: [(&str, &str); 2] = [
    ("github.com", "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"),
    ("bitbucket.org", "SHA256:zzXQOXSRBEiUtuE8AikJYKwbHaxvSc0ojez9YXaGp1A"),
];
/// Most host names whose lines are remembered. Past it every look-up scans.
const MAX_REMEMBERED: usize = 1024;

/// Where a pin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Published by the host, and shipped.
    BuiltIn,
    /// Stored by `valetkey host add`.
    Stored,
    /// A `[[host]]` of `valetkey.toml`.
    Config,
    /// A file that was named with `--known-hosts`.
    KnownHosts,
}

/// One pinned key, with the line it stands on.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) marker: Marker,
    pub(super) names: Names,
    /// The name field as it was written.
    pub(super) field: String,
    pub(super) key_type: String,
    pub(super) blob: Vec<u8>,
    pub(super) fingerprint: Fingerprint,
    pub(super) source: Source,
    /// `file:line`, or what stands for it.
    pub(super) origin: String,
}

impl Pin {
    fn label(&self) -> String {
        self.names.label().map_or_else(|| self.origin.clone(), str::to_owned)
    }
}

/// The set of pins.
#[derive(Debug, Default)]
pub struct Hosts {
    pub(super) pins: Vec<Pin>,
    by_blob: HashMap<Vec<u8>, Vec<usize>>,
    pub(super) by_fingerprint: HashMap<Fingerprint, Vec<(HostName, Source)>>,
    pub(super) revoked: BTreeMap<Fingerprint, (String, Source)>,
    binds: BTreeMap<HostName, Binds>,
    /// Which pins are a name's: hashed lines cost an HMAC each, so this is worked out once.
    remembered: RwLock<HashMap<HostName, Arc<HashSet<usize>>>>,
}

/// A key as a server showed it.
struct Shown<'a> {
    /// The key itself; for a certificate the key in it.
    plain: Cow<'a, [u8]>,
    /// Where it is a certificate whose CA really signed it.
    certificate: Option<HostCertificate>,
}

impl<'a> Shown<'a> {
    fn new(key: &'a [u8]) -> Self {
        if !is_certificate(key) {
            return Self { plain: Cow::Borrowed(key), certificate: None };
        }
        let plain = certified_key(key).map_or(Cow::Borrowed(key), Cow::Owned);
        Self { plain, certificate: HostCertificate::parse(key) }
    }
}

impl Hosts {
    /// No pins, and the keys of [`REVOKED`].
    #[must_use]
    pub fn empty() -> Self {
        let mut hosts = Self::default();
        for (host, fingerprint) in REVOKED {
            if let Ok(fingerprint) = fingerprint.parse() {
                hosts.revoked.insert(fingerprint, (host.into(), Source::BuiltIn));
            }
        }
        hosts
    }

    /// The forges' published pins.
    #[must_use]
    pub fn builtin() -> Self {
        let mut hosts = Self::empty();
        let added = hosts.add_text(PUBLISHED, "built-in", &Source::BuiltIn);
        debug_assert!(added.is_ok_and(|warnings| warnings.is_empty()), "the shipped pins are readable");
        hosts
    }

    /// Adds the lines of a known_hosts file that a person named. `origin` names it in warnings
    /// and in [`KeyOwner`]. Returns a warning for each line that could not be read.
    ///
    /// # Errors
    /// When the text is past a limit; nothing of it is then added.
    pub fn add_known_hosts(&mut self, text: &str, origin: &str) -> Result<Vec<String>, TooLarge> {
        self.add_text(text, origin, &Source::KnownHosts)
    }

    /// Adds the pins that `valetkey host add` stored; see [`Self::add_known_hosts`]. A line's
    /// comment may say `binds=yes` or `binds=no`.
    ///
    /// # Errors
    /// When the text is past a limit; nothing of it is then added.
    pub fn add_stored(&mut self, text: &str, origin: &str) -> Result<Vec<String>, TooLarge> {
        self.add_text(text, origin, &Source::Stored)
    }

    /// Adds the `[[host]]` entries of `valetkey.toml`. What an entry says about `binds` wins
    /// over what was said before.
    pub fn add_pins(&mut self, entries: &[PinEntry]) {
        for entry in entries {
            let shown = entry.name.to_string();
            for key in &entry.keys {
                match key {
                    PinnedKey::Full { key_type, blob } => self.push(Pin {
                        marker: Marker::None,
                        names: Names::Patterns(vec![Pattern { negated: false, text: shown.clone() }]),
                        field: shown.clone(),
                        key_type: key_type.clone(),
                        fingerprint: Fingerprint::of(blob),
                        blob: blob.clone(),
                        source: Source::Config,
                        origin: "valetkey.toml".into(),
                    }),
                    PinnedKey::Fingerprint(fingerprint) => {
                        let names = self.by_fingerprint.entry(*fingerprint).or_default();
                        names.push((entry.name.clone(), Source::Config));
                    }
                }
            }
            self.note_binds(entry.name.clone(), entry.binds);
        }
    }

    fn add_text(&mut self, text: &str, origin: &str, source: &Source) -> Result<Vec<String>, TooLarge> {
        let parsed = parse(text, origin)?;
        let warnings = parsed.warnings(origin);
        for line in parsed.lines {
            // A foreign known_hosts file says nothing about binding: its comments are anyone's.
            if *source != Source::KnownHosts {
                for name in line.names.plain() {
                    self.note_binds(name, Binds::of_comment(&line.comment));
                }
            }
            let origin = if *source == Source::BuiltIn { origin.into() } else { format!("{origin}:{}", line.number) };
            self.push(Pin {
                marker: line.marker,
                names: line.names,
                field: line.field,
                key_type: line.key_type,
                fingerprint: Fingerprint::of(&line.blob),
                blob: line.blob,
                source: source.clone(),
                origin,
            });
        }
        Ok(warnings)
    }

    fn push(&mut self, pin: Pin) {
        self.remembered.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        if pin.marker == Marker::Revoked {
            self.revoked.entry(pin.fingerprint).or_insert_with(|| (pin.label(), pin.source.clone()));
        }
        self.by_blob.entry(pin.blob.clone()).or_default().push(self.pins.len());
        self.pins.push(pin);
    }

    fn note_binds(&mut self, name: HostName, binds: Binds) {
        if binds != Binds::Unknown {
            self.binds.insert(name, binds);
        }
    }

    /// Whether a host binds logins, as far as any pin says.
    #[must_use]
    pub fn binds(&self, name: &HostName) -> Binds {
        self.binds.get(name).copied().unwrap_or_default()
    }

    /// Whether this key (raw blob) is revoked, and of which host.
    #[must_use]
    pub fn revoked(&self, key: &[u8]) -> Option<&str> {
        self.revoked.get(&Fingerprint::of(key)).map(|(host, _)| host.as_str())
    }

    fn revoked_in(&self, key: &[u8], shown: &Shown<'_>) -> Option<&str> {
        let authority = shown.certificate.as_ref().and_then(|c| self.revoked(&c.authority));
        authority.or_else(|| self.revoked(&shown.plain)).or_else(|| self.revoked(key))
    }

    pub(super) fn is_live(&self, pin: &Pin) -> bool {
        pin.marker != Marker::Revoked && !self.revoked.contains_key(&pin.fingerprint)
    }

    /// The pins (by index) whose names are this host's.
    pub(super) fn pins_of(&self, name: &HostName) -> Arc<HashSet<usize>> {
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = remembered.get(name) {
            return Arc::clone(found);
        }
        drop(remembered);
        let shown = name.to_string();
        let of_name = |(index, pin): (usize, &Pin)| pin.names.matches(&shown).then_some(index);
        let found: Arc<HashSet<usize>> = Arc::new(self.pins.iter().enumerate().filter_map(of_name).collect());
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(name.clone(), Arc::clone(&found));
        }
        found
    }

    fn with_blob(&self, blob: &[u8], marker: Marker) -> impl Iterator<Item = &Pin> {
        let indices = self.by_blob.get(blob).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|&index| &self.pins[index]).filter(move |pin| pin.marker == marker)
    }

    fn pinned_by_fingerprint(&self, key: &[u8]) -> &[(HostName, Source)] {
        self.by_fingerprint.get(&Fingerprint::of(key)).map_or(&[], Vec::as_slice)
    }

    /// Whether this key stands on a line of these pins. Walks whichever is the shorter: a key
    /// can be on thousands of lines, and a name on a few.
    fn is_among(&self, of_name: &HashSet<usize>, blob: &[u8], marker: Marker) -> bool {
        let indices = self.by_blob.get(blob).map_or(&[][..], Vec::as_slice);
        let is = |index: usize| self.pins[index].marker == marker;
        if indices.len() <= of_name.len() {
            indices.iter().any(|&index| is(index) && of_name.contains(&index))
        } else {
            of_name.iter().any(|&index| is(index) && self.pins[index].blob == blob)
        }
    }

    /// Whether the key, not revoked, is pinned for this one host at `now`.
    fn is_pinned_for(&self, name: &HostName, shown: &Shown<'_>, now: u64) -> bool {
        let of_name = self.pins_of(name);
        if self.is_among(&of_name, &shown.plain, Marker::None) {
            return true;
        }
        if self.pinned_by_fingerprint(&shown.plain).iter().any(|(pinned, _)| pinned == name) {
            return true;
        }
        shown.certificate.as_ref().is_some_and(|certificate| {
            certificate.is_valid_for(&name.host, now)
                && self.is_among(&of_name, &certificate.authority, Marker::CertAuthority)
        })
    }

    /// What `key` (raw blob of a key or host certificate) is for this host at `now` (unix
    /// seconds). `Revoked` wins over everything.
    #[must_use]
    pub fn status(&self, name: &HostName, key: &[u8], now: u64) -> HostKeyStatus {
        let shown = Shown::new(key);
        if self.revoked_in(key, &shown).is_some() {
            return HostKeyStatus::Revoked;
        }
        if self.is_pinned_for(name, &shown, now) {
            return HostKeyStatus::Match;
        }
        if self.has_pins(name) { HostKeyStatus::Changed } else { HostKeyStatus::New }
    }

    /// Whether anything but a revoked key is pinned for this host.
    #[must_use]
    pub fn has_pins(&self, name: &HostName) -> bool {
        self.pins_of(name).iter().any(|&index| self.is_live(&self.pins[index]))
            || self.by_fingerprint.iter().any(|(fingerprint, names)| {
                !self.revoked.contains_key(fingerprint) && names.iter().any(|(pinned, _)| pinned == name)
            })
    }

    fn live_of(&self, name: &HostName) -> impl Iterator<Item = &Pin> {
        let mut found: Vec<usize> = self.pins_of(name).iter().copied().collect();
        found.sort_unstable();
        found.into_iter().map(|index| &self.pins[index]).filter(|pin| self.is_live(pin))
    }

    /// The types of the keys that are pinned for this host, as SSH names them. A pin that is a
    /// fingerprint alone, or an authority, says nothing about the type.
    #[must_use]
    pub fn key_types(&self, name: &HostName) -> Vec<String> {
        self.live_of(name).filter(|pin| pin.marker == Marker::None).map(|pin| pin.key_type.clone()).collect()
    }

    /// The fingerprints of the keys that are pinned for this host, for a person to compare.
    #[must_use]
    pub fn fingerprints(&self, name: &HostName) -> Vec<String> {
        let mut shown: Vec<String> = self.live_of(name).map(|pin| pin.fingerprint.to_string()).collect();
        let by_fingerprint = self.by_fingerprint.iter().filter(|(_, names)| names.iter().any(|(of, _)| of == name));
        shown.extend(by_fingerprint.map(|(fingerprint, _)| fingerprint.to_string()));
        shown
    }

    /// Whose key a bound login's server key is. A key that is pinned both inside and outside
    /// of the scope is `Granted`. On the signing path: one look-up by key, and for a
    /// certificate one signature check.
    #[must_use]
    pub fn owner(&self, scope: &HostScope, key: &[u8], now: u64) -> KeyOwner {
        let shown = Shown::new(key);
        if let Some(host) = self.revoked_in(key, &shown) {
            return KeyOwner::Revoked(host.to_owned());
        }
        if let HostScope::Only(names) = scope
            && let Some(name) = names.iter().find(|name| self.is_pinned_for(name, &shown, now))
        {
            return KeyOwner::Granted(name.to_string());
        }
        match (self.any_owner(&shown, now), scope) {
            (None, _) => KeyOwner::Unknown,
            (Some(host), HostScope::AllPinned) => KeyOwner::Granted(host),
            (Some(host), HostScope::Only(_)) => KeyOwner::OtherHost(host),
        }
    }

    /// Any host that the key is pinned for.
    fn any_owner(&self, shown: &Shown<'_>, now: u64) -> Option<String> {
        if let Some(pin) = self.with_blob(&shown.plain, Marker::None).next() {
            return Some(pin.label());
        }
        if let Some((name, _)) = self.pinned_by_fingerprint(&shown.plain).first() {
            return Some(name.to_string());
        }
        let certificate = shown.certificate.as_ref().filter(|c| c.is_valid_at(now))?;
        self.with_blob(&certificate.authority, Marker::CertAuthority).find_map(|pin| {
            // The certificate names hosts, the line names hosts and ports: one name must be in
            // both. A principal with a wildcard is tried with the line's own plain names.
            let ports = pin.names.ports();
            let principals = certificate
                .principals
                .iter()
                .flat_map(|principal| ports.iter().filter_map(move |&port| HostName::new(principal, port).ok()));
            principals
                .chain(pin.names.plain())
                .find(|name| certificate.is_valid_for(&name.host, now) && pin.names.matches(&name.to_string()))
                .map(|name| name.to_string())
        })
    }

    /// The hosts of the scope that cannot bind logins, because a pin says so. Where this is
    /// empty, unbound logins are refused; a host of which nothing is known is not in it.
    #[must_use]
    pub fn unbound_allowed(&self, scope: &HostScope) -> Vec<HostName> {
        match scope {
            HostScope::AllPinned => {
                self.binds.iter().filter(|(_, binds)| **binds == Binds::No).map(|(name, _)| name.clone()).collect()
            }
            HostScope::Only(names) => names.iter().filter(|name| self.binds(name) == Binds::No).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_names_are_remembered_as_the_limit_says_and_the_next_is_still_found() {
        let hosts = Hosts::builtin();
        for number in 0..MAX_REMEMBERED {
            hosts.pins_of(&HostName::new(&format!("h{number}"), 22).unwrap());
        }
        assert_eq!(hosts.pins_of(&"github.com".parse().unwrap()).len(), 4, "three pins and a revoked key");
        assert_eq!(hosts.remembered.read().unwrap().len(), MAX_REMEMBERED);
    }
}
