//! The summary of a lease: for a person on stderr, for a machine as JSON.
//!
//! Sees what the decision log counted; knows no key, no argument and no environment of the
//! wrapped command (an argument can be a token).

mod pending;
mod replacing;
mod summary;

use std::time::Duration;

use serde::Serialize;

use crate::decision_log::{Carried, Tally, millis};
use crate::lease::EndedBy;
use crate::policy::HostSeen;

pub use pending::{Pending, ReceiptError};
pub(crate) use replacing::Replacing;

/// Name and version of the receipt's format; a field that is added does not change it.
pub const FORMAT: &str = "valetkey-receipt/1";

/// An identity that was lent, with what its grant allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lent {
    /// The ssh id.
    pub id: String,
    /// `SHA256:…` of the key or certificate.
    pub fingerprint: String,
    /// Key type, as SSH names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Comment as it was listed.
    pub comment: String,
    /// The key source, as it was named.
    pub source: String,
    /// The hosts of the grant; `null` for every pinned host.
    pub hosts: Option<Vec<String>>,
    /// Hosts of the grant at which logins do not show their host.
    pub unbound_hosts: Vec<String>,
    /// The account on the server.
    pub user: String,
    /// Cap on signatures.
    pub max_signatures: u32,
    /// Cap on time.
    pub time_limit_seconds: u64,
    /// How: `agent` or `gateway`.
    pub lending: &'static str,
    /// The repositories of the grant that the gateway reads; `null` for every one.
    pub repos: Option<Vec<String>>,
    /// `read` or `write`; what the gateway does. An agent cannot tell them apart.
    pub access: &'static str,
}

/// A build secret that was lent. Says nothing of what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LentSecret {
    /// The id that a step names.
    pub id: String,
    /// The source, as it was named.
    pub source: String,
    /// How it was written: `raw`, `netrc`, …
    pub form: &'static str,
    /// How long the file is.
    pub bytes: usize,
}

/// Logins of one identity to one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logins {
    /// The ssh id.
    pub id: String,
    /// `SHA256:…` of the identity.
    pub fingerprint: String,
    /// The host that they were bound to; `null` where it was not visible.
    pub host: Option<String>,
    /// Whether the host could be seen.
    pub host_visible: bool,
    /// How many.
    pub count: u64,
}

/// One kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// `refused`, `stranger`, `protocol`, `signer` or `system`.
    pub kind: &'static str,
    /// What and why.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How often.
    pub count: u64,
}

/// Everything that one lease did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The version that wrote it.
    pub valetkey: &'static str,
    /// How the build was lent access: `agent`, `gateway`, or `both` where its ssh ids differ;
    /// `none` where it was lent secrets alone.
    pub lending: &'static str,
    /// The tool that was wrapped, without its arguments.
    pub tool: String,
    /// Start of the lease, seconds since 1970.
    pub started: u64,
    /// Its length.
    pub duration_ms: u64,
    /// `command`, `time-limit`, `job`, `stop` or `signal`; `null` while the lease goes on.
    pub ended_by: Option<&'static str>,
    /// What the wrapped command ended with, as valetkey passed it on; `null` where `start` made the
    /// lease, which wraps none.
    pub exit_code: Option<u8>,
    /// What was lent.
    pub identities: Vec<Lent>,
    /// What was lent as build secrets.
    pub secrets: Vec<LentSecret>,
    /// What was signed.
    pub logins: Vec<Logins>,
    /// What the gateway carried.
    pub repositories: Vec<Carried>,
    /// Commands past those that were kept, by number only.
    pub more_repositories: u64,
    /// What was refused.
    pub refusals: Vec<Refused>,
    /// Refusals of further kinds, by number only.
    pub more_refusals: u64,
}

/// What the lease was, apart from what happened in it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// See [`Receipt::lending`].
    pub lending: &'static str,
    /// See [`Receipt::tool`].
    pub tool: String,
    /// See [`Receipt::started`].
    pub started: u64,
    /// Its length.
    pub duration: Duration,
    /// What ended it; none while it goes on.
    pub ended_by: Option<EndedBy>,
    /// See [`Receipt::exit_code`].
    pub exit_code: Option<u8>,
}

impl Receipt {
    /// Puts together what was lent, what happened, and what it happened in.
    #[must_use]
    pub fn new(frame: Frame, identities: Vec<Lent>, secrets: Vec<LentSecret>, tally: Tally) -> Self {
        let logins = tally.logins.into_iter().map(|(login, count)| {
            let host = match login.host {
                HostSeen::Bound(name) => Some(name),
                HostSeen::NotVisible => None,
            };
            Logins { id: login.id, fingerprint: login.fingerprint, host_visible: host.is_some(), host, count }
        });
        let refusals = tally.refusals.into_iter();
        let refusals = refusals
            .map(|refusal| Refused {
                kind: refusal.kind,
                reason: refusal.text,
                hint: refusal.hint,
                count: refusal.count,
            })
            .collect();
        Self {
            format: FORMAT,
            valetkey: env!("CARGO_PKG_VERSION"),
            lending: frame.lending,
            tool: frame.tool,
            started: frame.started,
            duration_ms: millis(frame.duration),
            ended_by: frame.ended_by.map(|ended_by| match ended_by {
                EndedBy::Command => "command",
                EndedBy::TimeLimit => "time-limit",
                EndedBy::Job => "job",
                EndedBy::Stop => "stop",
                EndedBy::Signal => "signal",
            }),
            exit_code: frame.exit_code,
            identities,
            secrets,
            logins: logins.collect(),
            repositories: tally.carried,
            more_repositories: tally.more_carried,
            refusals,
            more_refusals: tally.more_refusals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision_log::{Cause, Login, Refusal};

    /// One with more refusals than the summary shows.
    pub(super) fn receipt() -> Receipt {
        let login = |host| Login { id: "default".into(), fingerprint: "SHA256:a".into(), host };
        let refusal =
            Refusal { kind: "refused", text: "no".into(), hint: Some("do".into()), cause: Cause::Other, count: 2 };
        let tally = Tally {
            logins: [(login(HostSeen::Bound("forge:2222".into())), 1), (login(HostSeen::NotVisible), 3)].into(),
            refusals: vec![refusal; summary::MAX_SHOWN + 1],
            more_refusals: 1,
            ..Tally::default()
        };
        let frame = Frame {
            lending: "agent",
            tool: "docker build".into(),
            started: 1,
            duration: Duration::from_millis(3210),
            ended_by: Some(EndedBy::Command),
            exit_code: Some(0),
        };
        let lent = Lent {
            id: "default".into(),
            fingerprint: "SHA256:a".into(),
            kind: "ssh-ed25519".into(),
            comment: "c".into(),
            source: "env:K".into(),
            hosts: None,
            unbound_hosts: vec![],
            user: "git".into(),
            max_signatures: 64,
            time_limit_seconds: 3600,
            lending: "agent",
            repos: None,
            access: "write",
        };
        let secret = LentSecret { id: "pip".into(), source: "env:PIP_TOKEN".into(), form: "netrc", bytes: 62 };
        Receipt::new(frame, vec![lent], vec![secret], tally)
    }
}
