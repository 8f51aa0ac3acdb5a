//! The receipt for a person: the lines on stderr at the end of a run.

use std::collections::BTreeMap;

use super::{Lent, LentSecret, Receipt};
use crate::wire::text::shown;

/// Refusals that the summary shows; the receipt has all that were kept.
pub(super) const MAX_SHOWN: usize = 10;

impl Receipt {
    /// The summary, a line an entry.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.identities.iter().map(lent_line).collect();
        lines.extend(self.secrets.iter().map(secret_line));
        lines.extend(self.repository_lines());
        if self.logins.is_empty() && !matches!(self.lending, "gateway" | "none") {
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
            Some("time-limit") => format!("the lease ended at its time limit, before the command did ({seconds})"),
            Some("job") => format!("the lease ended with its job after {seconds}"),
            Some("signal") => format!("the lease was ended by a signal after {seconds}"),
            None => format!("the lease has gone on for {seconds}"),
            Some(_) => format!("the lease is over after {seconds}"),
        });
        lines
    }

    /// What the gateway carried, one line for each repository and command.
    fn repository_lines(&self) -> Vec<String> {
        if matches!(self.lending, "agent" | "none") {
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
    let source = shown(lent.source.as_bytes());
    // `{:?}`: a comment is anybody's text, and must not end its own quotes.
    if lent.lending == "gateway" {
        let repos = lent.repos.as_ref().map_or_else(|| "every repository".to_owned(), |repos| repos.join(", "));
        let may = if lent.access == "write" { "reads and writes" } else { "reads" };
        return format!(
            "used {} {} {:?} from {source} for ssh id {}: the gateway {may} {repos} at {hosts}; the build held no key",
            lent.kind, lent.fingerprint, lent.comment, lent.id
        );
    }
    format!(
        "lent {} {} {:?} from {source} as ssh id {}, for logins as {} to {hosts}",
        lent.kind, lent.fingerprint, lent.comment, lent.id, lent.user
    )
}

fn secret_line(secret: &LentSecret) -> String {
    format!("lent the secret {} ({}, {} bytes) from {}", secret.id, secret.form, secret.bytes, secret.source)
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::super::tests::receipt;

    #[test]
    fn the_summary_names_bound_hosts_and_says_where_the_host_was_not_visible() {
        let summary = receipt().summary().join("\n");
        assert!(summary.contains("signed 1 login, bound to forge:2222"), "{summary}");
        assert!(summary.contains("signed 3 logins, host not visible"), "{summary}");
        assert!(summary.contains("refused (2 times): no\n  hint: do"), "{summary}");
        assert!(summary.contains("refused: 2 more"), "{summary}");
        assert!(summary.contains("lent the secret pip (netrc, 62 bytes) from env:PIP_TOKEN"), "{summary}");
    }
}
