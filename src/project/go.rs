//! PURE: which modules Go fetches from Git itself, and from which repository (go.dev/ref/mod,
//! "Private modules", "Finding a repository for a module path").
//!
//! A module's path names a repository only on hosts that Go knows, or with `.git` in it; any other
//! host is asked by Go where the module lies, and nothing is asked here.

use super::Place;

/// Variables whose patterns say which modules no proxy serves.
pub(super) const VARIABLES: [&str; 3] = ["GOPRIVATE", "GONOPROXY", "GOINSECURE"];
/// Hosts whose repositories are the two parts behind the host.
const TWO_PARTS: [&str; 3] = ["github.com", "bitbucket.org", "gitea.com"];

/// A module that a project needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its path, without a version.
    pub(super) path: String,
    /// Where it is named.
    pub(super) place: Place,
}

/// One pattern of GOPRIVATE and its like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Where a module lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    /// In this repository: the address that Go asks first.
    In(String),
    /// Only its host knows.
    Unknown,
    /// The path has no host.
    Nowhere,
}

/// Where the module of this path lies.
pub(super) fn repository(path: &str) -> Lies {
    let parts: Vec<&str> = path.split('/').collect();
    let Some((host, rest)) = parts.split_first().filter(|(host, _)| host.contains('.')) else { return Lies::Nowhere };
    let https = |parts: &[&str]| Lies::In(format!("https://{host}/{}", parts.join("/")));
    if let Some(end) = rest.iter().position(|part| part.len() > 4 && part.ends_with(".git")) {
        return https(rest.get(..=end).unwrap_or_default());
    }
    // `/v2` and higher is the version's, and no folder has to be of that name.
    let named = match rest.split_last() {
        Some((last, before)) if is_major(last) => before,
        _ => rest,
    };
    match named {
        [owner, name, ..] if TWO_PARTS.contains(host) => https(&[owner, name]),
        // What lies deeper may be a folder of the repository, or a group of groups.
        [owner, name] => https(&[owner, name]),
        _ => Lies::Unknown,
    }
}

/// The host and whose it is there: `git.example.com/org`.
pub(super) fn owner(path: &str) -> Option<&str> {
    let (first, _) = path.match_indices('/').nth(1)?;
    path.get(..first).filter(|owner| owner.split('/').next().is_some_and(|host| host.contains('.')))
}

fn is_major(part: &str) -> bool {
    let digits = part.strip_prefix('v').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The patterns of a variable's value.
pub(super) fn patterns(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(|pattern| pattern.trim().trim_end_matches('/')).filter(|pattern| !pattern.is_empty())
}

/// Whether a pattern names the module or what it lies in (`module.MatchPrefixPatterns`).
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    pattern.split('/').all(|pattern| {
        parts
            .next()
            .is_some_and(|part| crate::policy::repository::part_fits(pattern.as_bytes(), part.as_bytes(), Some(b'?')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_repository_where_go_itself_knows() {
        for (path, lies) in [
            ("github.com/org/repo", "https://github.com/org/repo"),
            ("github.com/org/repo/v2", "https://github.com/org/repo"),
            ("github.com/org/repo/sub/deep/v3", "https://github.com/org/repo"),
            ("git.example.com/org/repo.git", "https://git.example.com/org/repo.git"),
            ("git.example.com/a/b/repo.git/sub", "https://git.example.com/a/b/repo.git"),
            ("git.example.com/org/repo", "https://git.example.com/org/repo"),
            ("git.example.com/org/repo/v2", "https://git.example.com/org/repo"),
        ] {
            assert_eq!(repository(path), Lies::In(lies.into()), "{path}");
        }
        for path in ["git.example.com/group/sub/repo", "go.example.com/yaml.v3", "github.com/org", "git.example.com"] {
            assert_eq!(repository(path), Lies::Unknown, "{path}");
        }
        for path in ["", "fmt", "internal/x", "/org/repo", "..", "v2"] {
            assert!(!matches!(repository(path), Lies::In(_)), "{path}");
        }
    }

    #[test]
    fn a_pattern_is_of_whole_parts_and_of_all_below_it() {
        for (pattern, path, fits) in [
            ("git.example.com", "git.example.com/org/repo", true),
            ("*.example.com", "git.example.com/org/repo", true),
            ("github.com/org/*", "github.com/org/repo/v2", true),
            ("github.com/org", "github.com/org/repo", true),
            ("github.com/o?g", "github.com/org/repo", true),
            ("github.com/org", "github.com/organ/repo", false),
            ("github.com/org/*", "github.com/org", false),
            ("example.com", "git.example.com/org", false),
            ("*", "github.com/org/repo", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
        assert_eq!(patterns(" a.example, b.example/x/ ,,").collect::<Vec<_>>(), ["a.example", "b.example/x"]);
    }
}
