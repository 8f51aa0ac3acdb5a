//! `valetkey host add`: what a server shows, what of it is trusted, what is stored.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use super::{is_changed, now, path, pins};
use crate::exit::Code;
use crate::hosts::probe::{Probed, binds_as, probe};
use crate::hosts::{Binds, Fingerprint, HostKeyStatus, HostName, Hosts, store, stored};
use crate::ui::{self, Failure};
use crate::wire::key_type;

/// How often a person is asked again after an answer that is neither yes, no nor a fingerprint.
const MAX_QUESTIONS: usize = 3;
/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1024;

/// Adds the keys of `name` that a fingerprint or a person vouches for.
pub(super) fn run(name: &HostName, fingerprints: &[Fingerprint], replace: bool) -> Result<(), Failure> {
    let hosts = pins()?;
    let probed = probe(name)?;
    refuse_revoked(name, &hosts, &probed)?;
    refuse_changed(name, &hosts, &probed, replace)?;
    for key in &probed.keys {
        ui::note(&format!("{name} shows {}", described(key)));
    }
    let trusted =
        if fingerprints.is_empty() { confirmed(name, &probed)? } else { vouched(name, &probed, fingerprints)? };
    // An answer about binding is worth what the key on that connection is worth.
    let binds = match (&probed.binds_by, trusted.first()) {
        (Some(key), _) if trusted.contains(key) => probed.binds,
        (_, Some(key)) => binds_as(name, key),
        (_, None) => Binds::Unknown,
    };
    store::update(&path()?, |text| stored::with_pins(text, name, &trusted, binds, replace))?;
    for key in &trusted {
        ui::note(&format!("pinned {} for {name}", described(key)));
    }
    ui::note(match binds {
        Binds::Yes => "it binds logins to its host key",
        Binds::No => "it does not bind logins to its host key: which host a login is for cannot be seen",
        Binds::Unknown => "whether it binds logins to its host key is not known; unbound logins will be refused",
    });
    Ok(())
}

fn described(key: &[u8]) -> String {
    format!("{} {}", key_type(key).unwrap_or("a key"), Fingerprint::of(key))
}

fn listed(keys: &[Vec<u8>]) -> String {
    keys.iter().map(|key| described(key)).collect::<Vec<_>>().join("\n")
}

fn refuse_revoked(name: &HostName, hosts: &Hosts, probed: &Probed) -> Result<(), Failure> {
    let revoked = probed.keys.iter().find_map(|key| hosts.revoked(key).map(|host| (key, host)));
    let Some((key, host)) = revoked else { return Ok(()) };
    let pinned: Vec<String> = hosts.listed_for(name).iter().map(|pin| pin.fingerprint.to_string()).collect();
    let pinned = if pinned.is_empty() { "nothing".into() } else { pinned.join(", ") };
    Err(Failure::new(Code::Host, format!("{name} shows a revoked key of {host}: {}", described(key)))
        .with_hint(format!("whoever has this key can pass for {host}: do not connect. Pinned for {name}: {pinned}")))
}

/// A host that shows none of its pins, or another key than the pinned one of the same type. A
/// key of a further type beside one that matches is judged like any new key.
fn refuse_changed(name: &HostName, hosts: &Hosts, probed: &Probed, replace: bool) -> Result<(), Failure> {
    let is = |status| probed.keys.iter().any(|key| hosts.status(name, key, now()) == status);
    let none_matches = is(HostKeyStatus::Changed) && !is(HostKeyStatus::Match);
    if replace || !(none_matches || probed.keys.iter().any(|key| is_changed(hosts, name, key))) {
        return Ok(());
    }
    let old: Vec<String> = hosts.listed_for(name).iter().map(super::described).collect();
    Err(Failure::new(Code::Host, format!("the host key of {name} is not the one that is pinned")).with_hint(format!(
        "pinned:\n{}\nshown:\n{}\nsomeone may be in between. Ask the server's operator; if the key was changed on purpose:\nvaletkey host add {name} --replace --fingerprint SHA256:…",
        old.join("\n"),
        listed(&probed.keys)
    )))
}

/// The keys whose fingerprints were given.
fn vouched(name: &HostName, probed: &Probed, fingerprints: &[Fingerprint]) -> Result<Vec<Vec<u8>>, Failure> {
    let keys: Vec<_> = probed.keys.iter().filter(|key| fingerprints.contains(&Fingerprint::of(key))).cloned().collect();
    if keys.is_empty() {
        let failure = Failure::new(Code::Host, format!("{name} shows no key with a fingerprint that was given"));
        return Err(failure.with_hint(format!(
            "shown:\n{}\ncompare with what the server's operator gives; nothing was stored",
            listed(&probed.keys)
        )));
    }
    let shown: Vec<_> = keys.iter().map(|key| Fingerprint::of(key)).collect();
    for missing in fingerprints.iter().filter(|given| !shown.contains(given)) {
        ui::warning(&format!("{name} shows no key with the fingerprint {missing}"));
    }
    Ok(keys)
}

/// The keys that a person at the terminal confirms: all with `yes`, one with its fingerprint.
fn confirmed(name: &HostName, probed: &Probed) -> Result<Vec<Vec<u8>>, Failure> {
    if !io::stdin().is_terminal() {
        let failure = Failure::new(Code::Host, "nobody is here to confirm the host keys: stdin is not a terminal");
        return Err(failure.with_hint(format!(
            "shown:\n{}\ncompare with what the server's operator gives, then:\nvaletkey host add {name} --fingerprint SHA256:…",
            listed(&probed.keys)
        )));
    }
    for _ in 0..MAX_QUESTIONS {
        ui::note("do these match what the server's operator gives? (yes / no / a fingerprint)");
        let mut answer = String::new();
        // A terminal gives at most 4,096 bytes a line; what is past the limit here is read as the
        // next answer, and so costs a question.
        let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut answer);
        let read = read.map_err(|error| Failure::new(Code::Host, format!("failed to read the answer: {error}")))?;
        let answer = answer.trim();
        if read == 0 || answer.eq_ignore_ascii_case("no") {
            break;
        }
        if answer.eq_ignore_ascii_case("yes") {
            return Ok(probed.keys.clone());
        }
        if let Ok(fingerprint) = answer.parse::<Fingerprint>() {
            return vouched(name, probed, &[fingerprint]);
        }
    }
    Err(Failure::new(Code::Host, format!("the keys of {name} were not confirmed, and nothing was stored")))
}
