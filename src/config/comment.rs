//! PURE: the repository that a key's comment names, as deploy keys for webfactory/ssh-agent have
//! it: `git@github.com:owner/repo.git`, `https://github.com/owner/repo`, `ssh://git@host:22/o/r`.
//!
//! A comment is text like any other: it names one repository, never a pattern, and where it could
//! mean something else it names none.

use crate::hosts::HostName;
use crate::policy::RepoPattern;
use crate::policy::grant::DEFAULT_USER;

/// What a comment grants its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The host.
    pub host: HostName,
    /// The account there.
    pub user: String,
    /// The repository.
    pub repository: RepoPattern,
}

/// The repository that a comment names with one of its words; none where no word does, or two do.
#[must_use]
pub fn named(comment: &str) -> Option<Named> {
    let mut named = comment.split_whitespace().filter_map(word);
    named.next().filter(|_| named.next().is_none())
}

fn word(word: &str) -> Option<Named> {
    if word.contains('*') {
        return None;
    }
    let (authority, path, is_url) = match word.split_once("://") {
        Some(("ssh" | "git+ssh" | "https", rest)) => {
            let (authority, path) = rest.split_once('/')?;
            (authority, path, true)
        }
        Some(_) => return None,
        None => {
            let (authority, path) = word.split_once(':')?;
            (authority, path, false)
        }
    };
    let (user, host) = match authority.split_once('@') {
        Some((user, host)) => (user, host),
        // Without a user only a name that has a domain is one for sure: `me:org/repo` is not.
        None if authority.contains('.') => (DEFAULT_USER, authority),
        None => return None,
    };
    let of_account = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if user.is_empty() || !user.chars().all(of_account) {
        return None;
    }
    // The port of HTTPS is not that of SSH.
    let host = if word.starts_with("https:") { host.split(':').next()? } else { host };
    let host: HostName = host.parse().ok()?;
    let path = path.strip_prefix('/').filter(|_| !is_url).unwrap_or(path);
    // One part alone may be anything: `host:22`, `me@host:backup`.
    let two_parts = path.split('/').filter(|part| !part.is_empty()).count() >= 2;
    let repository = path.parse().ok().filter(|_| two_parts)?;
    Some(Named { host, user: user.to_owned(), repository })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_an_address_name_a_repository() {
        for (comment, host, repository) in [
            ("git@github.com:owner/repo.git", "github.com", "owner/repo"),
            ("git@github.com:owner/repo", "github.com", "owner/repo"),
            ("https://github.com/owner/repo.git", "github.com", "owner/repo"),
            ("https://git.example.com:8443/owner/repo", "git.example.com", "owner/repo"),
            ("ssh://git@git.example.com:2222/group/sub/repo.git", "[git.example.com]:2222", "group/sub/repo"),
            ("github.com:owner/repo", "github.com", "owner/repo"),
            ("deploy key of git@github.com:owner/repo.git 2026", "github.com", "owner/repo"),
        ] {
            let named = named(comment).unwrap_or_else(|| panic!("{comment}"));
            assert_eq!(
                (named.host.to_string(), named.repository.to_string(), named.user.as_str()),
                (host.into(), repository.into(), "git")
            );
        }
        assert_eq!(named("org-42@github.com:owner/repo").unwrap().user, "org-42");
    }

    #[test]
    fn what_could_mean_something_else_names_none() {
        for comment in [
            "",
            "me@laptop",
            "me@laptop:backup",
            "me:org/repo",
            "git@github.com:owner/*",
            "git@github.com:**",
            "https://github.com/owner",
            "http://github.com/owner/repo",
            "git@github.com:owner/../../etc",
            "-oProxyCommand=x@github.com:owner/repo",
            "git@-oProxyCommand=x:owner/repo",
            "git@github.com:owner/repo git@github.com:owner/other",
            "git@github.com:owner/repo\0x",
            "git@github.com:ow\x1b[31mner/repo",
        ] {
            assert_eq!(named(comment), None, "{comment:?}");
        }
    }
}
