//! PURE reading of Composer's files (getcomposer.org, "The composer.json schema", "Repositories"):
//! `repositories` of the kinds that are Git's, and the sources of composer.lock.

use super::Reading;
use super::format::{Format, each, name, understood};
use super::lines::Lines;
use crate::document::{self, Node};

/// composer.json.
pub(super) static MANIFEST: Format =
    Format { name: "Composer manifest", wants: |path| name(path) == "composer.json", read: read_manifest };
/// composer.lock.
pub(super) static LOCK: Format =
    Format { name: "Composer lock file", wants: |path| name(path) == "composer.lock", read: read_lock };

/// Kinds of repositories that are Git's, or may be.
const KINDS: [&str; 6] = ["vcs", "git", "github", "gitlab", "git-bitbucket", "bitbucket"];

fn read_manifest(file: &str, text: &str, reading: &mut Reading) {
    let Some(root) = understood(file, document::json(text), reading) else { return };
    let lines = Lines::new(file, text);
    let Some(repositories) = root.get("repositories") else { return };
    let named = repositories.entries().iter().map(|(_, repository)| repository);
    for repository in named.chain(repositories.items()) {
        let kind = repository.text_of("type").unwrap_or_default();
        if KINDS.contains(&kind) {
            if let Some(url) = repository.get("url") {
                git(&lines, "repository of packages", url, reading);
            }
        } else if let Some(package) = repository.get("package").filter(|_| kind == "package") {
            each(package).iter().for_each(|package| source(&lines, package, reading));
        }
    }
}

fn read_lock(file: &str, text: &str, reading: &mut Reading) {
    let Some(root) = understood(file, document::json(text), reading) else { return };
    let lines = Lines::new(file, text);
    let packages = ["packages", "packages-dev"].iter().filter_map(|name| root.get(name)).flat_map(Node::items);
    packages.for_each(|package| source(&lines, package, reading));
}

/// A package's `source`. One with an archive is taken from that unless it is asked for otherwise;
/// where the source is over SSH, the archive is as private.
fn source(lines: &Lines<'_>, package: &Node, reading: &mut Reading) {
    let Some(source) = package.get("source").filter(|source| source.text_of("type") == Some("git")) else { return };
    let Some(url) = source.get("url") else { return };
    let has_archive = package.get("dist").is_some_and(|dist| dist.text_of("url").is_some());
    if has_archive && url.text().is_some_and(|url| url.starts_with("https://")) {
        return;
    }
    git(lines, &format!("dependency {}", package.text_of("name").unwrap_or_default()), url, reading);
}

fn git(lines: &Lines<'_>, what: &str, url: &Node, reading: &mut Reading) {
    // A folder of the project is fetched from nowhere.
    if let Some(text) = url.text().filter(|text| !text.starts_with(['.', '/'])) {
        reading.git(lines.place(&url.span), what, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::reading::found;

    #[test]
    fn repositories_of_git_are_found_in_a_list_and_in_a_map() {
        let text = r#"{"repositories": [
{"type": "vcs", "url": "git@h.example:org/a.git"},
{"type": "composer", "url": "https://h.example/no"},
{"type": "path", "url": "../no"}, {"type": "vcs", "url": "./no"},
{"type": "package", "package": {"name": "org/b", "source": {"type": "git", "url": "ssh://git@h.example/org/b"}}},
{"no": false}]}"#;
        assert_eq!(
            found(read_manifest, "composer.json", text),
            ["2 repository of packages: ssh://git@h.example/org/a", "5 dependency org/b: ssh://git@h.example/org/b"]
        );
        let text = r#"{"repositories": {"x": {"type": "git", "url": "https://h.example/org/a.git"}, "no": false}}"#;
        assert_eq!(found(read_manifest, "composer.json", text), ["1 repository of packages: https://h.example/org/a"]);
    }

    #[test]
    fn a_locked_package_with_a_public_archive_is_not_fetched_by_git() {
        let package = |url: &str, dist: &str| {
            format!(
                "{{\"packages-dev\": [{{\"name\": \"org/a\", \"source\": {{\"type\": \"git\", \"url\": \"{url}\"}}{dist}}}]}}"
            )
        };
        let dist = r#", "dist": {"type": "zip", "url": "https://h.example/a.zip"}"#;
        let of = |url, dist| found(read_lock, "composer.lock", &package(url, dist)).len();
        assert_eq!(of("https://h.example/org/a.git", dist), 0);
        assert_eq!(of("https://h.example/org/a.git", ""), 1);
        assert_eq!(of("git@h.example:org/a.git", dist), 1);
        assert_eq!(of("git@h.example:org/a.git", ", \"dist\": null"), 1);
    }
}
