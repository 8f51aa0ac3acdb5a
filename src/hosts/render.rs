//! The known_hosts file that is handed to a build.

use std::collections::BTreeSet;

use base64ct::{Base64, Encoding as _};

use super::HostScope;
use super::known_hosts::Marker;
use super::pins::{Hosts, Pin};

impl Hosts {
    /// known_hosts text with the pins of every host of the scopes.
    ///
    /// For named hosts each line has that one name in the clear, whatever pattern or hash it
    /// was pinned under; for [`HostScope::AllPinned`] every line is kept as it was written.
    /// `@cert-authority` stays. Revoked keys whose key is known are written as `@revoked *`,
    /// because that is how they are judged here. A key that is known by its fingerprint alone
    /// gives no line.
    #[must_use]
    pub fn known_hosts_for(&self, scopes: &[HostScope]) -> String {
        let mut lines = Vec::new();
        for scope in scopes {
            match scope {
                HostScope::AllPinned => {
                    lines.extend(self.pins.iter().filter(|pin| self.is_live(pin)).map(|pin| line(pin, &pin.field)));
                }
                HostScope::Only(names) => {
                    for name in names {
                        let of_name = self.pins_of(name);
                        let shown = name.to_string();
                        let live = self.pins.iter().enumerate();
                        let live = live.filter(|(index, pin)| of_name.contains(index) && self.is_live(pin));
                        lines.extend(live.map(|(_, pin)| line(pin, &shown)));
                    }
                }
            }
        }
        // First, so that a person who opens the file sees them; ssh reads the whole file anyway.
        let revoked = self.pins.iter().filter(|pin| pin.marker == Marker::Revoked).map(|pin| line(pin, "*"));
        let mut seen = BTreeSet::new();
        let mut text = String::new();
        for line in revoked.chain(lines) {
            if seen.insert(line.clone()) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }
}

fn line(pin: &Pin, names: &str) -> String {
    let marker = match pin.marker {
        Marker::None => "",
        Marker::CertAuthority => "@cert-authority ",
        Marker::Revoked => "@revoked ",
    };
    format!("{marker}{names} {} {}", pin.key_type, Base64::encode_string(&pin.blob))
}
