//! PURE: what npm, yarn and pnpm take for a package from Git (npm's `package.json` manual, "Git URLs as
//! dependencies" and "GitHub URLs"; npm-package-arg and hosted-git-info).

use super::{Place, Reading};

/// Hosts whose packages npm and its like fetch over HTTPS first, and over SSH where that fails.
const HOSTED: [(&str, &str); 3] = [("github", "github.com"), ("gitlab", "gitlab.com"), ("bitbucket", "bitbucket.org")];

/// A specification: what stands behind a dependency's name in `package.json`.
pub(super) fn read(place: Place, what: &str, spec: &str, reading: &mut Reading) {
    let spec = spec.trim();
    if let Some((host, path)) = short(spec) {
        return reading.git_or_https(place, what, &format!("ssh://git@{host}/{path}"));
    }
    let is_git = spec.starts_with("git+") || spec.starts_with("git://") || spec.starts_with("ssh://");
    // `https://host/x` is an archive, except where it is a repository of a known host.
    if is_git || is_scp(spec) || spec.split(['#', '?']).next().is_some_and(is_hosted_page) {
        resolved(place, what, spec, reading);
    }
}

fn resolved(place: Place, what: &str, url: &str, reading: &mut Reading) {
    if hosted(url) {
        reading.git_or_https(place, what, url);
    } else {
        reading.git(place, what, url);
    }
}

/// `github:org/repo#v1` and `org/repo`: host and path.
fn short(spec: &str) -> Option<(&'static str, &str)> {
    let end = spec.find('#').unwrap_or(spec.len());
    let text = spec.get(..end)?;
    if let Some((name, path)) = text.split_once(':') {
        let host = HOSTED.iter().find(|(short, _)| *short == name)?.1;
        // `github:user:token@org/repo` is one too; what holds a token is read as an address.
        return (!path.starts_with("//") && !path.contains(['@', ':'])).then_some((host, path));
    }
    let (org, repo) = text.split_once('/')?;
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            && !part.starts_with('.')
    };
    (plain(org) && plain(repo)).then_some(("github.com", text))
}

/// `user@host:path`.
fn is_scp(spec: &str) -> bool {
    let text = spec.split('#').next().unwrap_or(spec);
    let host = text.split_once('@').and_then(|(user, rest)| Some((user, rest.split_once(':')?.0)));
    host.is_some_and(|(user, host)| {
        !user.is_empty() && !user.contains(['/', ':']) && !host.is_empty() && !host.contains('/')
    })
}

/// A repository's own page: `https://github.com/org/repo`.
fn is_hosted_page(spec: &str) -> bool {
    let rest = spec.strip_prefix("https://").or_else(|| spec.strip_prefix("http://"));
    let path = rest.and_then(|rest| {
        HOSTED.iter().find_map(|(_, host)| {
            let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
            rest.strip_prefix("www.").unwrap_or(rest).strip_prefix(host)?.strip_prefix('/')
        })
    });
    path.is_some_and(|path| path.trim_end_matches('/').split('/').count() == 2)
}

/// Whether the address is of a host that is tried over HTTPS first.
fn hosted(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    HOSTED.iter().any(|(_, name)| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(spec: &str) -> Option<(String, bool)> {
        let mut reading = Reading::default();
        read(Place::new("package.json", 1), "x", spec, &mut reading);
        reading.resolved().needs.pop().map(|need| (need.address.to_string(), need.tries_https))
    }

    #[test]
    fn every_form_of_a_package_from_git_is_read() {
        for (spec, url, tries_https) in [
            ("org/repo", "ssh://git@github.com/org/repo", true),
            ("org/repo#semver:^1.0", "ssh://git@github.com/org/repo", true),
            ("github:org/repo", "ssh://git@github.com/org/repo", true),
            ("gitlab:org/repo#v1", "ssh://git@gitlab.com/org/repo", true),
            ("gitlab:group/sub/repo", "ssh://git@gitlab.com/group/sub/repo", true),
            ("bitbucket:org/repo", "ssh://git@bitbucket.org/org/repo", true),
            ("git+ssh://git@github.com/org/repo.git#v1", "ssh://git@github.com/org/repo", true),
            ("git@github.com:org/repo.git", "ssh://git@github.com/org/repo", true),
            ("https://github.com/org/repo.git", "https://github.com/org/repo", true),
            ("git+ssh://git@h.example:2222/org/repo.git", "ssh://git@h.example:2222/org/repo", false),
            ("git+ssh://git@h.example:org/repo.git#semver:1.x", "ssh://git@h.example/org/repo", false),
            ("ssh://git@h.example/org/repo", "ssh://git@h.example/org/repo", false),
            ("git@h.example:org/repo", "ssh://git@h.example/org/repo", false),
            ("git+https://h.example/org/repo.git", "https://h.example/org/repo", false),
            ("git://h.example/org/repo.git", "git://h.example/org/repo", false),
        ] {
            assert_eq!(found(spec), Some((url.to_owned(), tries_https)), "{spec}");
        }
    }

    #[test]
    fn what_does_not_come_from_git_is_left_alone() {
        for spec in [
            "",
            "*",
            "^1.0",
            "latest",
            "1.x || >=2.5.0",
            "npm:@scope/name@1",
            "npm:name@^1",
            "workspace:*",
            "file:../lib",
            "link:../lib",
            "../lib",
            "./lib",
            "~/lib",
            "@scope/name",
            "/lib",
            "https://h.example/x.tgz",
            "https://github.com/org/repo/archive/v1.tar.gz",
            "catalog:",
            "$name",
        ] {
            assert_eq!(found(spec), None, "{spec}");
        }
    }
}
