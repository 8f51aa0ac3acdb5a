//! The summary of a lease: for a person on stderr, for a machine as JSON.
//!
//! Sees what the decision log counted; knows no key, no argument and no environment of the
//! wrapped command (an argument can be a token).

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::decision_log::{Carried, Tally};
use crate::exit::Code;
use crate::lease::EndedBy;
use crate::policy::HostSeen;
use crate::ui::Explain;

/// Name and version of the receipt's format; a field that is added does not change it.
pub const FORMAT: &str = "valetkey-receipt/1";
/// Refusals that the summary shows; the receipt has all that were kept.
const MAX_SHOWN: usize = 10;

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

/// A command that the gateway carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repository {
    /// The ssh id.
    pub id: String,
    /// The server.
    pub host: String,
    /// The repository, as grants name it.
    pub repository: String,
    /// `fetch`, `archive`, `push`, `LFS download` or `LFS upload`.
    pub command: &'static str,
    /// `SHA256:…` of the host key that the server showed; `null` where it showed none.
    pub host_key: Option<String>,
    /// Bytes to the server.
    pub bytes_up: u64,
    /// Bytes from the server.
    pub bytes_down: u64,
    /// From the request to the end.
    pub duration_ms: u64,
    /// What the command ended with; `null` where the build step went first.
    pub exit: Option<u32>,
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
    /// How the build was lent access: `agent`, `gateway`, or `both` where its ssh ids differ.
    pub lending: &'static str,
    /// The tool that was wrapped, without its arguments.
    pub tool: String,
    /// Start of the lease, seconds since 1970.
    pub started: u64,
    /// Its length.
    pub duration_ms: u64,
    /// `command` or `time-limit`.
    pub ended_by: &'static str,
    /// What the wrapped command ended with, as valetkey passed it on.
    pub exit_code: u8,
    /// What was lent.
    pub identities: Vec<Lent>,
    /// What was signed.
    pub logins: Vec<Logins>,
    /// What the gateway carried.
    pub repositories: Vec<Repository>,
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
    /// What ended it.
    pub ended_by: EndedBy,
    /// See [`Receipt::exit_code`].
    pub exit_code: u8,
}

impl Receipt {
    /// Puts together what was lent, what happened, and what it happened in.
    #[must_use]
    pub fn new(frame: Frame, identities: Vec<Lent>, tally: Tally) -> Self {
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
            duration_ms: u64::try_from(frame.duration.as_millis()).unwrap_or(u64::MAX),
            ended_by: match frame.ended_by {
                EndedBy::Command => "command",
                EndedBy::TimeLimit => "time-limit",
            },
            exit_code: frame.exit_code,
            identities,
            logins: logins.collect(),
            repositories: tally.carried.into_iter().map(repository).collect(),
            more_repositories: tally.more_carried,
            refusals,
            more_refusals: tally.more_refusals,
        }
    }

    /// The summary, a line an entry.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.identities.iter().map(lent_line).collect();
        lines.extend(self.repository_lines());
        if self.logins.is_empty() && self.lending != "gateway" {
            lines.push("signed no login".into());
        }
        for logins in &self.logins {
            let count = plural(logins.count, "login", "logins");
            let of = match self.identities.len() {
                0 | 1 => String::new(),
                _ => format!(" with {}", logins.fingerprint),
            };
            lines.push(match &logins.host {
                Some(host) => format!("signed {count}{of}, bound to {host}"),
                None => format!("signed {count}{of}, host not visible"),
            });
        }
        lines.extend(self.refusal_lines());
        let seconds = format!("{}.{:01} s", self.duration_ms / 1000, self.duration_ms % 1000 / 100);
        lines.push(match self.ended_by {
            "time-limit" => format!("the lease ended at its time limit, before the command did ({seconds})"),
            _ => format!("the lease is over after {seconds}"),
        });
        lines
    }

    /// What the gateway carried, one line for each repository and command.
    fn repository_lines(&self) -> Vec<String> {
        if self.lending == "agent" {
            return Vec::new();
        }
        let mut sums: BTreeMap<(&str, &str, &str), (u64, u64, u64)> = BTreeMap::new();
        for one in &self.repositories {
            let sum = sums.entry((&one.host, &one.repository, one.command)).or_default();
            *sum = (sum.0 + 1, sum.1 + one.bytes_down, sum.2 + u64::from(one.exit != Some(0)));
        }
        if sums.is_empty() {
            return vec!["carried no Git command".into()];
        }
        let shown = sums.iter().take(MAX_SHOWN).map(|((host, repository, command), (count, down, failed))| {
            let times = plural(*count, "session", "sessions");
            let failed = if *failed == 0 { String::new() } else { format!(", {failed} without success") };
            format!("carried {command} of {host}/{repository}: {times}, {}{failed}", size(*down))
        });
        let mut lines: Vec<String> = shown.collect();
        let hidden = sums.len().saturating_sub(MAX_SHOWN) as u64 + self.more_repositories;
        if hidden > 0 {
            lines.push(format!("carried {hidden} more; --receipt FILE has the list"));
        }
        lines
    }

    /// The refusals alone: what is refused is said even to who wants no summary.
    #[must_use]
    pub fn refusal_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for refused in self.refusals.iter().take(MAX_SHOWN) {
            let times = if refused.count == 1 { String::new() } else { format!(" ({} times)", refused.count) };
            lines.push(format!("refused{times}: {}", refused.reason));
            lines.extend(refused.hint.iter().map(|hint| format!("  hint: {hint}")));
        }
        let hidden = self.refusals.len().saturating_sub(MAX_SHOWN) as u64 + self.more_refusals;
        if hidden > 0 {
            lines.push(format!("refused: {hidden} more; --receipt FILE has the list"));
        }
        lines
    }
}

fn repository(carried: Carried) -> Repository {
    Repository {
        id: carried.id,
        host: carried.host,
        repository: carried.repository,
        command: carried.command,
        host_key: carried.host_key,
        bytes_up: carried.bytes_up,
        bytes_down: carried.bytes_down,
        duration_ms: u64::try_from(carried.duration.as_millis()).unwrap_or(u64::MAX),
        exit: carried.exit,
    }
}

/// Bytes as a person reads them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

fn lent_line(lent: &Lent) -> String {
    let hosts = match &lent.hosts {
        None => "every pinned host".to_owned(),
        Some(hosts) => hosts.join(", "),
    };
    // `{:?}`: a comment is anybody's text, and must not end its own quotes.
    if lent.lending == "gateway" {
        let repos = lent.repos.as_ref().map_or_else(|| "every repository".to_owned(), |repos| repos.join(", "));
        let may = if lent.access == "write" { "reads and writes" } else { "reads" };
        return format!(
            "used {} {} {:?} for ssh id {}: the gateway {may} {repos} at {hosts}; the build held no key",
            lent.kind, lent.fingerprint, lent.comment, lent.id
        );
    }
    format!(
        "lent {} {} {:?} as ssh id {}, for logins as {} to {hosts}",
        lent.kind, lent.fingerprint, lent.comment, lent.id, lent.user
    )
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Why the receipt could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the receipt {path}")]
pub struct ReceiptError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for ReceiptError {
    fn code(&self) -> Code {
        Code::Lease
    }
}

/// A receipt that is still to come: its temporary file is made before the build starts, so
/// that a folder that is missing or not ours to write is known then.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl Pending {
    /// Opens the temporary file beside `path`. A symbolic link at `path` is replaced, never
    /// written through.
    ///
    /// # Errors
    /// [`ReceiptError`] of the system.
    pub fn open(path: &Path) -> Result<Self, ReceiptError> {
        let failed = |source| ReceiptError { path: path.to_owned(), source };
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        };
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        // Random: what a kill left behind must not stop a later run, whose number may be the same
        // (in a container it is always 1).
        temporary.push(format!(".{}", crate::lease::random_name().map_err(failed)?));
        let temporary = path.with_file_name(temporary);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary).map_err(failed)?;
        Ok(Self { path: path.to_owned(), temporary, file })
    }

    /// Writes the receipt and puts it in its place.
    ///
    /// # Errors
    /// [`ReceiptError`] of the system.
    pub fn write(mut self, receipt: &Receipt) -> Result<(), ReceiptError> {
        let written = serde_json::to_string_pretty(receipt).map_err(io::Error::from);
        let written = written.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()));
        let placed = written.and_then(|()| std::fs::rename(&self.temporary, &self.path));
        placed.map_err(|source| ReceiptError { path: self.path.clone(), source })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Gone already where the receipt was written.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision_log::{Login, Refusal};

    fn receipt() -> Receipt {
        let login = |host| Login { id: "default".into(), fingerprint: "SHA256:a".into(), host };
        let refusal = Refusal { kind: "refused", text: "no".into(), hint: Some("do".into()), count: 2 };
        let tally = Tally {
            logins: [(login(HostSeen::Bound("forge:2222".into())), 1), (login(HostSeen::NotVisible), 3)].into(),
            refusals: vec![refusal; MAX_SHOWN + 1],
            more_refusals: 1,
            ..Tally::default()
        };
        let frame = Frame {
            lending: "agent",
            tool: "docker build".into(),
            started: 1,
            duration: Duration::from_millis(3210),
            ended_by: EndedBy::Command,
            exit_code: 0,
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
        Receipt::new(frame, vec![lent], tally)
    }

    #[test]
    fn the_summary_names_bound_hosts_and_says_where_the_host_was_not_visible() {
        let summary = receipt().summary().join("\n");
        assert!(summary.contains("signed 1 login, bound to forge:2222"), "{summary}");
        assert!(summary.contains("signed 3 logins, host not visible"), "{summary}");
        assert!(summary.contains("refused (2 times): no\n  hint: do"), "{summary}");
        assert!(summary.contains("refused: 2 more"), "{summary}");
    }

    #[test]
    fn a_receipt_replaces_a_symbolic_link_and_does_not_write_through_it() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("receipt.json"));
        std::fs::write(&victim, "before").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        Pending::open(&path).unwrap().write(&receipt()).unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "before");
        let text = std::fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["format"], &value["logins"][1]["host_visible"]), (&FORMAT.into(), &false.into()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_receipt_that_cannot_be_written_is_known_before_the_build() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Pending::open(dir.path()).is_err());
        assert!(Pending::open(&dir.path().join("missing/receipt.json")).is_err());
    }
}
