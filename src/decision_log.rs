//! One line per verdict: counted in memory for the summary and the receipt, and written as
//! JSON lines where `--decision-log` names a file.
//!
//! Bounded: a hostile step can cause any number of refusals, but not any amount of memory or
//! disk. What is past a limit is counted.

mod cause;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use crate::agent::peer::Stranger;
use crate::gateway::upstream::UpstreamError;
use crate::policy::judge_exec::ExecReason;
use crate::policy::{HostSeen, Reason};
use crate::signer::SignError;
use crate::wire::{Malformed, frame::BadLength};

pub use cause::Cause;

/// Different refusals that are kept with their text.
pub const MAX_REFUSALS: usize = 100;
/// Carried commands that are kept; a build with more has a budget of more.
pub const MAX_CARRIED: usize = 1000;
/// Lines that the log's file gets at most.
pub const MAX_LINES: usize = 10_000;

/// What happened on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// A login was signed.
    Signed {
        /// The ssh id of the socket.
        id: &'a str,
        /// The identity's blob.
        key: &'a [u8],
        /// Index of the grant.
        grant: usize,
        /// Where it goes.
        host: &'a HostSeen,
    },
    /// A sign request was refused by policy.
    Refused {
        /// The ssh id of the socket.
        id: &'a str,
        /// The blob that was asked for.
        key: &'a [u8],
        /// Why.
        reason: Reason,
    },
    /// A sign request was allowed, and the signer failed.
    SigningFailed {
        /// The identity's blob.
        key: &'a [u8],
        /// Why.
        error: SignError,
    },
    /// Another message than list and sign.
    MessageRefused(u8),
    /// An extension, by name.
    ExtensionRefused(String),
    /// A message that is not what the protocol says.
    Malformed(Malformed),
    /// A frame with an impossible length.
    BadLength(BadLength),
    /// A request that was not complete in time.
    Stalled,
    /// A peer that gets no answer.
    Stranger(Stranger),
    /// The gateway carried a command to its end.
    Carried(Carried),
    /// The gateway refused a command by policy.
    ExecRefused {
        /// The ssh id of the socket.
        id: &'a str,
        /// Why.
        reason: ExecReason,
    },
    /// The session at the server failed.
    UpstreamFailed {
        /// The ssh id of the socket.
        id: &'a str,
        /// Why.
        error: UpstreamError,
    },
    /// A tunnel frame that is damaged or out of order.
    BadFrame,
    /// More commands at once than a socket carries.
    TooManyChannels,
    /// A program asked a gateway's socket for identities and used none.
    NoIdentity,
    /// The most silent connection was closed for a new one.
    Evicted,
    /// The system could not give a connection.
    AcceptFailed,
}

/// A command that the gateway carried, as it stands in the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// The ssh id of the socket.
    pub id: String,
    /// The server.
    pub host: String,
    /// The repository, as grants name it.
    pub repository: String,
    /// `fetch`, `archive`, `push`, `LFS download` or `LFS upload`.
    pub command: &'static str,
    /// `SHA256:…` of the host key that the server showed; `None` where it showed none.
    pub host_key: Option<String>,
    /// Bytes to the server.
    pub bytes_up: u64,
    /// Bytes from the server.
    pub bytes_down: u64,
    /// From the request to the end.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// What the command ended with; `None` where the build step went first.
    pub exit: Option<u32>,
}

/// A time as logs and receipts have it.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(millis(*duration))
}

/// Logins that were signed with one identity to one host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// The ssh id.
    pub id: String,
    /// `SHA256:…` of the identity.
    pub fingerprint: String,
    /// Where they went.
    pub host: HostSeen,
}

/// One kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A word for machines: `refused`, `stranger`, `protocol`, `signer`.
    pub kind: &'static str,
    /// What was refused and why, for a person.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What it comes down to.
    pub cause: Cause,
    /// How often.
    pub count: u64,
}

/// Everything that happened, summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Signed logins and how many of each.
    pub logins: BTreeMap<Login, u64>,
    /// Refusals, in the order of their first time.
    pub refusals: Vec<Refusal>,
    /// Refusals of kinds past [`MAX_REFUSALS`].
    pub more_refusals: u64,
    /// Commands that the gateway carried, in the order of their ends.
    pub carried: Vec<Carried>,
    /// Those past [`MAX_CARRIED`].
    pub more_carried: u64,
    /// How often a client asked a socket what it has: nobody who did not could be lent anything.
    pub asked: u64,
}

#[derive(Default)]
struct State {
    /// By index of the known key, then id and host: no fingerprint is computed per login.
    signed: BTreeMap<(usize, HostSeen), u64>,
    refusals: Vec<Refusal>,
    more_refusals: u64,
    carried: Vec<Carried>,
    more_carried: u64,
    asked: u64,
    file: Option<File>,
    lines: usize,
}

/// The log of a lease.
pub struct DecisionLog {
    /// The ssh id, blob and fingerprint of every listed identity.
    known: Vec<(String, Vec<u8>, String)>,
    state: Mutex<State>,
}

impl DecisionLog {
    /// A log for identities given as ssh id, blob and fingerprint, that also writes to `file`.
    #[must_use]
    pub fn new(known: Vec<(String, Vec<u8>, String)>, file: Option<File>) -> Self {
        Self { known, state: Mutex::new(State { file, ..State::default() }) }
    }

    fn fingerprint(&self, key: &[u8]) -> String {
        let known = self.known.iter().find(|(_, blob, _)| blob == key);
        known.map_or_else(|| crate::signer::fingerprint(key), |(_, _, fingerprint)| fingerprint.clone())
    }

    /// Takes one decision in.
    pub fn record(&self, decision: Decision<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.file.is_some() {
            let line = self.line(&decision);
            state.write(&line);
        }
        if let Decision::Signed { id, key, host, .. } = decision {
            if let Some(index) = self.known.iter().position(|(of, blob, _)| of == id && blob == key) {
                *state.signed.entry((index, host.clone())).or_default() += 1;
            }
            return;
        }
        if let Decision::Carried(carried) = decision {
            if state.carried.len() < MAX_CARRIED {
                state.carried.push(carried);
            } else {
                state.more_carried += 1;
            }
            return;
        }
        if let Some((kind, text, hint)) = self.refusal(&decision) {
            state.refuse(Refusal { kind, text, hint, cause: Cause::of(&decision), count: 1 });
        }
    }

    /// Counts a client that asks a socket what it has.
    pub fn asked(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked += 1;
    }

    /// What a person is told of it; nothing of what plain OpenSSH clients always ask.
    fn refusal(&self, decision: &Decision<'_>) -> Option<(&'static str, String, Option<String>)> {
        let told = match decision {
            Decision::Signed { .. } | Decision::Evicted | Decision::Carried(_) => return None,
            Decision::ExecRefused { reason, .. } => ("refused", reason.to_string(), reason.hint()),
            Decision::UpstreamFailed { error, .. } => ("upstream", error.to_string(), error.hint()),
            Decision::BadFrame => ("protocol", "a tunnel frame that is damaged or out of order".into(), None),
            Decision::TooManyChannels => ("protocol", "a command, because too many run at once".into(), None),
            Decision::NoIdentity => (
                "refused",
                "a program asked the agent for keys and got none: this build reads repositories through the gateway"
                    .into(),
                Some("the step's ssh has to be valetkey's guest; --lend agent lends the keys themselves".into()),
            ),
            Decision::ExtensionRefused(name) if name.ends_with("@openssh.com") || name == "query" => return None,
            Decision::Refused { id, key, reason } => {
                ("refused", format!("{reason} (ssh id {id}, key {})", self.fingerprint(key)), reason.hint())
            }
            Decision::SigningFailed { key, error } => {
                ("signer", format!("{error} (key {})", self.fingerprint(key)), None)
            }
            Decision::MessageRefused(number) => {
                ("protocol", format!("an agent message of type {number}; only list and sign are answered"), None)
            }
            Decision::ExtensionRefused(name) => ("protocol", format!("the agent extension {name:?}"), None),
            Decision::Malformed(error) => ("protocol", error.to_string(), None),
            Decision::BadLength(error) => ("protocol", error.to_string(), None),
            Decision::Stalled => ("protocol", "a request that was not completed in time".into(), None),
            Decision::Stranger(stranger) => ("stranger", stranger.to_string(), stranger.hint().map(str::to_owned)),
            Decision::AcceptFailed => {
                ("system", "a connection, because the system had no descriptor, memory or thread for it".into(), None)
            }
        };
        Some(told)
    }

    fn line(&self, decision: &Decision<'_>) -> String {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let value = match decision {
            Decision::Signed { id, key, grant, host } => serde_json::json!({
                "time": time, "verdict": "allow", "id": id, "key": self.fingerprint(key), "grant": grant,
                "host": match host { HostSeen::Bound(name) => Some(name), HostSeen::NotVisible => None },
            }),
            Decision::Evicted => serde_json::json!({ "time": time, "verdict": "evict" }),
            Decision::Carried(carried) => serde_json::json!({
                "time": time, "verdict": "carried", "id": carried.id, "host": carried.host,
                "repository": carried.repository, "command": carried.command, "host_key": carried.host_key,
                "bytes_up": carried.bytes_up, "bytes_down": carried.bytes_down,
                "duration_ms": millis(carried.duration), "exit": carried.exit,
            }),
            Decision::ExtensionRefused(name) => {
                serde_json::json!({ "time": time, "verdict": "refuse", "kind": "protocol", "reason": format!("extension {name}") })
            }
            other => {
                let (kind, text, _) = self.refusal(other).unwrap_or_default();
                serde_json::json!({ "time": time, "verdict": "refuse", "kind": kind, "reason": text })
            }
        };
        value.to_string()
    }

    /// Everything so far, summed up.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let logins = state.signed.iter().filter_map(|((index, host), count)| {
            let (id, _, fingerprint) = self.known.get(*index)?;
            Some((Login { id: id.clone(), fingerprint: fingerprint.clone(), host: host.clone() }, *count))
        });
        Tally {
            logins: logins.collect(),
            refusals: state.refusals.clone(),
            more_refusals: state.more_refusals,
            carried: state.carried.clone(),
            more_carried: state.more_carried,
            asked: state.asked,
        }
    }
}

impl State {
    fn refuse(&mut self, refusal: Refusal) {
        if let Some(known) = self.refusals.iter_mut().find(|known| known.text == refusal.text) {
            known.count += 1;
        } else if self.refusals.len() < MAX_REFUSALS {
            self.refusals.push(refusal);
        } else {
            self.more_refusals += 1;
        }
    }

    fn write(&mut self, line: &str) {
        let Some(file) = &mut self.file else { return };
        if self.lines > MAX_LINES {
            return;
        }
        self.lines += 1;
        let line = if self.lines > MAX_LINES { r#"{"verdict":"more","reason":"the log is full"}"# } else { line };
        // A full disk must not stop the build that is being protected; the tally goes on.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(number: usize) -> Decision<'static> {
        Decision::ExtensionRefused(format!("e{number}"))
    }

    #[test]
    fn refusals_at_the_limit_are_kept_and_one_more_is_counted() {
        let log = DecisionLog::new(Vec::new(), None);
        for number in 0..=MAX_REFUSALS {
            log.record(refused(number));
        }
        log.record(refused(0));
        let tally = log.tally();
        assert_eq!((tally.refusals.len(), tally.more_refusals), (MAX_REFUSALS, 1));
        assert_eq!(tally.refusals[0].count, 2);
    }

    #[test]
    fn the_file_stops_growing_at_its_limit_and_says_so() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let log = DecisionLog::new(Vec::new(), Some(path.reopen().unwrap()));
        for _ in 0..MAX_LINES + 5 {
            log.record(Decision::Stalled);
        }
        let text = std::fs::read_to_string(path.path()).unwrap();
        assert_eq!(text.lines().count(), MAX_LINES + 1);
        assert!(text.lines().last().unwrap().contains("the log is full"));
    }

    #[test]
    fn a_line_is_json_whatever_a_client_put_into_it() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let log = DecisionLog::new(Vec::new(), Some(path.reopen().unwrap()));
        log.record(Decision::ExtensionRefused("\"},{\n\u{fffd}".into()));
        let text = std::fs::read_to_string(path.path()).unwrap();
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["verdict"], "refuse");
    }
}
