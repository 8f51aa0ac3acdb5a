//! `valetkey host verify`.

use std::collections::BTreeSet;

use super::{described, is_changed, now, path, pins};
use crate::exit::Code;
use crate::hosts::known_hosts::{Marker, parse};
use crate::hosts::probe::probe;
use crate::hosts::{Fingerprint, HostKeyStatus, HostName, Hosts, store};
use crate::ui::{self, Failure};
use crate::wire::key_type;

/// Connects to each host and compares. Every host is reported before the command fails.
pub(super) fn run(names: Vec<HostName>) -> Result<(), Failure> {
    let hosts = pins()?;
    let names = if names.is_empty() { stored_names()? } else { names };
    if names.is_empty() {
        ui::note("no host is stored; name one: valetkey host verify github.com");
        return Ok(());
    }
    let mut wrong = 0;
    for name in &names {
        if !verify(&hosts, name) {
            wrong += 1;
        }
    }
    if wrong == 0 {
        return Ok(());
    }
    let failure = Failure::new(Code::Host, format!("{wrong} of {} hosts did not verify", names.len()));
    Err(failure
        .with_hint("do not build against a host whose key changed before its operator has confirmed the new one"))
}

/// The names that stand in the stored file in the clear.
fn stored_names() -> Result<Vec<HostName>, Failure> {
    let path = path()?;
    let text = store::read_stored(&path)?;
    let parsed = parse(&text, &path.display().to_string())?;
    let pinned = parsed.lines.iter().filter(|line| line.marker != Marker::Revoked);
    let names: BTreeSet<HostName> = pinned.flat_map(|line| line.names.plain()).collect();
    Ok(names.into_iter().collect())
}

/// Reports one host; true where it shows a pinned key, and nothing that is revoked.
fn verify(hosts: &Hosts, name: &HostName) -> bool {
    let probed = match probe(name) {
        Ok(probed) => probed,
        Err(error) => {
            let failure = Failure::from(error);
            ui::line(&format!("{name}: unreachable: {}", failure.message));
            return false;
        }
    };
    let (mut matched, mut good) = (false, true);
    for key in &probed.keys {
        let status = hosts.status(name, key, now());
        let word = match status {
            HostKeyStatus::Match => "match",
            HostKeyStatus::Revoked => "REVOKED",
            _ if is_changed(hosts, name, key) => "CHANGED: another key of this type is pinned",
            _ => "not pinned",
        };
        matched |= status == HostKeyStatus::Match;
        good &= matches!(word, "match" | "not pinned");
        ui::line(&format!("{name}: {} {}: {word}", key_type(key).unwrap_or("?"), Fingerprint::of(key)));
    }
    if !(good && matched) {
        let pinned: Vec<String> = hosts.listed_for(name).iter().map(described).collect();
        let pinned = if pinned.is_empty() { "nothing".into() } else { pinned.join(", ") };
        ui::line(&format!("{name}: does not verify; pinned: {pinned}"));
    }
    good && matched
}
