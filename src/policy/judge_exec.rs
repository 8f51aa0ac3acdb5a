//! The order of decisions on one exec request, in one place: what the gateway may fetch for a
//! build, and with which grant.

use crate::gateway::exec_request::{BadExec, ExecRequest};
use crate::hosts::{HostName, HostScope};
use crate::policy::{Access, Grant, Standing};

/// The most granted repositories that a refusal lists.
const MAX_LISTED: usize = 20;

/// Where a build step wants to go.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The account.
    pub user: &'a str,
    /// The host.
    pub host: &'a HostName,
    /// What is asked there.
    pub exec: &'a ExecRequest,
}

/// Why an exec request was refused, as a person reads it inside the build and outside of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ExecReason {
    /// Not a Git command on one repository.
    #[error("{0}")]
    Exec(#[from] BadExec),
    /// The host is no host name.
    #[error("the host is not a host name")]
    HostName,
    /// A host without a grant.
    #[error("{host} is not granted to this build; granted: {granted}")]
    Host {
        /// The host that was asked for.
        host: String,
        /// What is granted.
        granted: String,
    },
    /// Another account.
    #[error("the login to {host} is as user \"{user}\"; the grant is for \"{granted}\"")]
    User {
        /// The host.
        host: String,
        /// The account that was asked for.
        user: String,
        /// The account of the grant.
        granted: String,
    },
    /// A repository without a grant.
    #[error("{host}/{repository} is not granted to this build; granted: {granted}")]
    Repository {
        /// The host.
        host: String,
        /// The repository.
        repository: String,
        /// What is granted.
        granted: String,
    },
    /// A push, or an LFS upload.
    #[error("{what} to {host}/{repository} was refused: this build may only read it")]
    Write {
        /// `a push` or `an LFS upload`.
        what: &'static str,
        /// The host.
        host: String,
        /// The repository.
        repository: String,
    },
    /// All sessions are used up.
    #[error("the budget of {0} logins is used up")]
    Budget(u32),
    /// The time limit is over.
    #[error("the time limit of {0} seconds is over")]
    Expired(u64),
}

impl ExecReason {
    /// What a person can do about it outside of the build.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host { host, .. } => Some(format!("if the build needs it, add a [[grant]] with host = \"{host}\"")),
            Self::User { user, .. } => Some(format!("if the build should log in as {user}, set user = \"{user}\"")),
            Self::Repository { repository, .. } => {
                Some(format!("if the build needs it, add \"{repository}\" to the repos of its [[grant]]"))
            }
            Self::Write { .. } => Some("only a grant with access = \"write\" can push".into()),
            Self::Budget(_) => Some("raise it with --max-signatures".into()),
            Self::Expired(_) => Some("raise it with --time-limit".into()),
            Self::Exec(_) | Self::HostName => None,
        }
    }

    /// Of several grants' refusals the one that came furthest is the one worth telling.
    fn depth(&self) -> u8 {
        match self {
            Self::Exec(_) | Self::HostName | Self::Host { .. } => 0,
            Self::User { .. } => 1,
            Self::Repository { .. } => 2,
            Self::Write { .. } => 3,
            Self::Expired(_) => 4,
            Self::Budget(_) => 5,
        }
    }
}

/// Finds the grant that allows this: the repository chooses the key.
///
/// # Errors
/// [`ExecReason`].
pub fn judge_exec<'g>(
    grants: impl Iterator<Item = (usize, &'g Grant)> + Clone,
    is_pinned: &dyn Fn(&HostName) -> bool,
    standing: &Standing,
    target: Target<'_>,
) -> Result<usize, ExecReason> {
    let host = target.host.to_string();
    let mut refusal = ExecReason::Host { host: host.clone(), granted: listed(grants.clone().map(|(_, grant)| grant)) };
    for (index, grant) in grants.clone() {
        let covered = match &grant.scope {
            HostScope::AllPinned => is_pinned(target.host),
            HostScope::Only(names) => names.contains(target.host),
        };
        if !covered {
            continue;
        }
        let reason = match judge_grant(index, grant, standing, target, &host) {
            Ok(()) => return Ok(index),
            Err(Some(reason)) => reason,
            Err(None) => ExecReason::Repository {
                host: host.clone(),
                repository: target.exec.repository.clone(),
                granted: listed(grants.clone().map(|(_, grant)| grant)),
            },
        };
        if reason.depth() >= refusal.depth() {
            refusal = reason;
        }
    }
    Err(refusal)
}

/// `Err(None)` stands for a repository that is not granted.
fn judge_grant(
    index: usize,
    grant: &Grant,
    standing: &Standing,
    target: Target<'_>,
    host: &str,
) -> Result<(), Option<ExecReason>> {
    if target.user != grant.user {
        let (user, granted) = (crate::wire::text::shown(target.user.as_bytes()), grant.user.clone());
        return Err(Some(ExecReason::User { host: host.to_owned(), user, granted }));
    }
    let repository = &target.exec.repository;
    if !grant.repos.is_empty() && !grant.repos.iter().any(|repo| repo.matches(&target.host.host, repository)) {
        return Err(None);
    }
    if target.exec.service.writes() && grant.access != Access::Write {
        let what = if target.exec.service == crate::gateway::exec_request::Service::ReceivePack {
            "a push"
        } else {
            "an LFS upload"
        };
        return Err(Some(ExecReason::Write { what, host: host.to_owned(), repository: repository.clone() }));
    }
    if standing.elapsed >= grant.limits.time_limit {
        return Err(Some(ExecReason::Expired(grant.limits.time_limit.as_secs())));
    }
    if standing.signatures(index) >= grant.limits.max_signatures {
        return Err(Some(ExecReason::Budget(grant.limits.max_signatures)));
    }
    Ok(())
}

/// The granted repositories, for a person.
fn listed<'g>(grants: impl Iterator<Item = &'g Grant>) -> String {
    let mut names: Vec<String> = Vec::new();
    for grant in grants {
        let hosts = match &grant.scope {
            HostScope::AllPinned => vec!["every pinned host".to_owned()],
            HostScope::Only(hosts) => hosts.iter().map(ToString::to_string).collect(),
        };
        for host in hosts {
            if grant.repos.is_empty() {
                names.push(format!("{host} (every repository)"));
            }
            names.extend(grant.repos.iter().map(|repo| format!("{host}/{repo}")));
        }
    }
    let more = names.len().saturating_sub(MAX_LISTED);
    names.truncate(MAX_LISTED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Limits;

    fn grant(hosts: &[&str], repos: &[&str]) -> Grant {
        Grant {
            keys: Vec::new(),
            scope: HostScope::Only(hosts.iter().map(|host| host.parse().unwrap()).collect()),
            unbound: Vec::new(),
            user: "git".into(),
            repos: repos.iter().map(|repo| repo.parse().unwrap()).collect(),
            access: Access::Read,
            limits: Limits::default(),
        }
    }

    fn judged(
        grants: &[Grant],
        standing: &Standing,
        user: &str,
        host: &str,
        command: &str,
    ) -> Result<usize, ExecReason> {
        let exec = ExecRequest::parse(command.as_bytes())?;
        let host: HostName = host.parse().unwrap();
        let target = Target { user, host: &host, exec: &exec };
        judge_exec(grants.iter().enumerate(), &|_| false, standing, target)
    }

    #[test]
    fn the_repository_chooses_the_grant() {
        let grants = [grant(&["forge"], &["org/a"]), grant(&["forge"], &["org/b"])];
        let standing = Standing::new(2);
        assert_eq!(judged(&grants, &standing, "git", "forge", "git-upload-pack 'org/b.git'"), Ok(1));
        assert_eq!(judged(&grants, &standing, "git", "forge", "git-upload-pack 'org/a'"), Ok(0));
    }

    #[test]
    fn another_repository_host_port_user_or_a_push_is_refused_by_name() {
        let grants = [grant(&["gitlab.com"], &["org/a", "org/lib-*"])];
        let standing = Standing::new(1);
        let said = |user, host, command| judged(&grants, &standing, user, host, command).unwrap_err().to_string();
        assert_eq!(
            said("git", "gitlab.com", "git-upload-pack 'org/other'"),
            "gitlab.com/org/other is not granted to this build; granted: gitlab.com/org/a, gitlab.com/org/lib-*"
        );
        let other = "is not granted to this build; granted: gitlab.com/org/a, gitlab.com/org/lib-*";
        assert_eq!(said("git", "github.com", "git-upload-pack 'org/a'"), format!("github.com {other}"));
        assert!(said("git", "[gitlab.com]:2222", "git-upload-pack 'org/a'").contains("2222 is not granted"));
        assert!(said("root", "gitlab.com", "git-upload-pack 'org/a'").contains("as user \"root\""));
        assert_eq!(
            said("git", "gitlab.com", "git-receive-pack 'org/a'"),
            "a push to gitlab.com/org/a was refused: this build may only read it"
        );
        assert!(said("git", "gitlab.com", "git-lfs-authenticate org/a upload").starts_with("an LFS upload"));
    }

    #[test]
    fn a_push_goes_to_the_grant_that_may_write() {
        let mut writer = grant(&["forge"], &["org/a"]);
        writer.access = Access::Write;
        let grants = [grant(&["forge"], &["org/**"]), writer];
        assert_eq!(judged(&grants, &Standing::new(2), "git", "forge", "git-receive-pack 'org/a'"), Ok(1));
        assert!(judged(&grants, &Standing::new(2), "git", "forge", "git-receive-pack 'org/b'").is_err());
    }

    #[test]
    fn the_last_login_of_the_budget_is_given_and_the_next_is_refused() {
        let grants = [grant(&["forge"], &[])];
        let mut standing = Standing::new(1);
        for _ in 0..63 {
            standing.take(0);
        }
        assert_eq!(judged(&grants, &standing, "git", "forge", "git-upload-pack 'a'"), Ok(0));
        standing.take(0);
        assert_eq!(judged(&grants, &standing, "git", "forge", "git-upload-pack 'a'"), Err(ExecReason::Budget(64)));
    }

    #[test]
    fn a_grant_for_every_pinned_host_covers_those_alone() {
        let every = Grant { scope: HostScope::AllPinned, ..grant(&[], &["org/a"]) };
        let exec = ExecRequest::parse(b"git-upload-pack 'org/a'").unwrap();
        let pinned = |name: &HostName| name.host == "forge";
        for (host, allowed) in [("forge", true), ("other", false)] {
            let host: HostName = host.parse().unwrap();
            let target = Target { user: "git", host: &host, exec: &exec };
            let verdict = judge_exec([(0, &every)].into_iter(), &pinned, &Standing::new(1), target);
            assert_eq!(verdict.is_ok(), allowed);
        }
    }
}
