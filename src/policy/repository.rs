//! Names of repositories in a grant: plain, or with `*`.

use std::str::FromStr;

/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 1024;

/// Hosts on which `Org/Repo` and `org/repo` are one repository.
const CASE_BLIND: [&str; 7] = [
    "github.com",
    "ssh.github.com",
    "gitlab.com",
    "altssh.gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "ssh.dev.azure.com",
];

/// Whether `Org/Repo` and `org/repo` are one repository on this host.
pub(crate) fn ignores_case(host: &str) -> bool {
    CASE_BLIND.contains(&host)
}

/// A repository, or several: `org/repo`, `org/shared-*` (`*` does not cross a `/`), `org/**`
/// (everything below).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoPattern(String);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text, without its stars, names no repository.
    #[error("it is not a repository's path such as \"org/repo\" or \"org/shared-*\"")]
    NoRepository,
    /// `**` not as a whole part, or something else than the last.
    #[error("`**` stands for all that is below a folder and comes last, as in \"org/**\"")]
    Stars,
}

impl FromStr for RepoPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        // A star stands for what a name has, so the text must be a name with some letter for it.
        let plain = text.replace('*', "x");
        let name =
            crate::gateway::exec_request::normalised(plain.as_bytes()).map_err(|_| PatternError::NoRepository)?;
        if text.len() > MAX_PATTERN {
            return Err(PatternError::NoRepository);
        }
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_prefix("~/").unwrap_or(text);
        let text = text.get(..name.len()).unwrap_or(text);
        if text.matches("**").count() > usize::from(text.ends_with("/**")) || text.contains("***") {
            return Err(PatternError::Stars);
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for RepoPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl RepoPattern {
    /// Whether the repository (normalised) on this host is one of these.
    #[must_use]
    pub fn matches(&self, host: &str, repository: &str) -> bool {
        if ignores_case(host) {
            return Self::fits(&self.0.to_ascii_lowercase(), &repository.to_ascii_lowercase());
        }
        Self::fits(&self.0, repository)
    }

    fn fits(pattern: &str, repository: &str) -> bool {
        let mut parts = repository.split('/');
        for pattern in pattern.split('/') {
            if pattern == "**" {
                return parts.next().is_some();
            }
            if !parts.next().is_some_and(|part| part_fits(pattern.as_bytes(), part.as_bytes(), None)) {
                return false;
            }
        }
        parts.next().is_none()
    }
}

/// One part with `*` for any bytes: greedy, with one place to come back to, so that no pattern
/// takes longer than pattern times text. `one` stands for any one byte, where there is such a sign.
pub(crate) fn part_fits(pattern: &[u8], text: &[u8], one: Option<u8>) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(byte) if Some(byte) == text.get(t) || Some(*byte) == one => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((behind, from)) => {
                    *from += 1;
                    p = *behind;
                    t = *from;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|&b| b == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str, repository: &str) -> bool {
        pattern.parse::<RepoPattern>().unwrap().matches(host, repository)
    }

    #[test]
    fn a_name_is_itself_and_nothing_longer_or_shorter() {
        assert!(matches("org/repo", "forge", "org/repo"));
        assert!(matches("/org/repo.git", "forge", "org/repo"));
        for other in ["org/repo2", "org/rep", "org", "org/repo/sub", "xorg/repo", "Org/repo"] {
            assert!(!matches("org/repo", "forge", other), "{other}");
        }
    }

    #[test]
    fn a_star_does_not_cross_a_slash_and_two_go_all_the_way_down() {
        assert!(matches("org/shared-*", "forge", "org/shared-a"));
        assert!(matches("org/*-lib-*", "forge", "org/a-lib-b-lib-c"));
        assert!(!matches("org/shared-*", "forge", "org/shared-a/b"));
        assert!(!matches("org/*", "forge", "org/a/b"));
        assert!(matches("org/**", "forge", "org/a/b"));
        assert!(!matches("org/**", "forge", "org"));
        assert!(!matches("org/**", "forge", "organ/a"));
    }

    #[test]
    fn case_counts_except_where_the_forge_ignores_it() {
        assert!(matches("Org/Repo", "github.com", "org/repo"));
        assert!(!matches("Org/Repo", "git.example.com", "org/repo"));
    }

    #[test]
    fn a_pattern_that_names_no_repository_is_refused() {
        for text in ["", "/", "org/../x", "a b", "org/repo;x", "https://github.com/org/repo", "git@h:org/repo"] {
            assert_eq!(text.parse::<RepoPattern>(), Err(PatternError::NoRepository), "{text}");
        }
        for text in ["**/x", "org/a**", "org/***", "a/**/b"] {
            assert_eq!(text.parse::<RepoPattern>(), Err(PatternError::Stars), "{text}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_pattern_times_text() {
        let pattern = "*a".repeat(500);
        assert!(!matches(&pattern, "forge", &"a".repeat(499).replace('a', "b")));
    }
}
