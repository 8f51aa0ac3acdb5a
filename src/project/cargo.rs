//! PURE reading of cargo's files: Cargo.toml (every table of dependencies, workspaces, `[patch]`),
//! Cargo.lock, and `.cargo/config.toml` (doc.rust-lang.org/cargo/reference).

use super::format::{Format, name, understood};
use super::lines::Lines;
use super::{Place, Reading};
use crate::document::{self, Node};

/// Cargo.toml.
pub(super) static MANIFEST: Format =
    Format { name: "Cargo manifest", wants: |path| name(path) == "Cargo.toml", read: read_manifest };
/// Cargo.lock.
pub(super) static LOCK: Format =
    Format { name: "Cargo lock file", wants: |path| name(path) == "Cargo.lock", read: read_lock };
/// `.cargo/config.toml`, or `config` as it was called once.
pub(super) static CONFIG: Format = Format {
    name: "cargo configuration",
    wants: |path| {
        let path = path.strip_suffix(".toml").unwrap_or(path);
        path == ".cargo/config" || path.ends_with("/.cargo/config")
    },
    read: read_config,
};

/// Tables of dependencies by name.
const TABLES: [&str; 6] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies", "replace"];

struct Reader<'a> {
    lines: Lines<'a>,
    reading: &'a mut Reading,
}

impl Reader<'_> {
    fn git(&mut self, what: &str, url: &Node) {
        let Some(text) = url.text() else { return };
        let place: Place = self.lines.place(&url.span);
        self.reading.across.cargo(text, &place);
        self.reading.git(place, what, text);
    }

    fn dependencies(&mut self, table: &Node) {
        for (name, dependency) in table.entries() {
            if let Some(url) = dependency.get("git") {
                self.git(&format!("dependency {}", name.text().unwrap_or_default()), url);
            }
        }
    }

    fn tables(&mut self, of: &Node) {
        TABLES.iter().flat_map(|name| of.all(name)).for_each(|table| self.dependencies(table));
    }

    fn patches(&mut self, of: &Node) {
        of.all("patch").flat_map(Node::entries).for_each(|(_, table)| self.dependencies(table));
    }
}

fn with(file: &str, text: &str, reading: &mut Reading, each: impl FnOnce(&mut Reader<'_>, &Node)) {
    let Some(root) = understood(file, document::toml(text), reading) else { return };
    each(&mut Reader { lines: Lines::new(file, text), reading }, &root);
}

fn read_manifest(file: &str, text: &str, reading: &mut Reading) {
    with(file, text, reading, |reader, root| {
        reader.tables(root);
        root.all("target").flat_map(Node::entries).for_each(|(_, target)| reader.tables(target));
        root.all("workspace").for_each(|workspace| reader.tables(workspace));
        reader.patches(root);
    });
}

fn read_lock(file: &str, text: &str, reading: &mut Reading) {
    with(file, text, reading, |reader, root| {
        let unused = root.at(&["patch", "unused"]);
        let packages = root.get("package").into_iter().chain(unused).flat_map(Node::items);
        for package in packages {
            let Some(source) = package.get("source") else { continue };
            let name = package.text_of("name").unwrap_or_default();
            let url = source.text().unwrap_or_default();
            if url.starts_with("git+") {
                reader.git(&format!("dependency {name}"), source);
            } else if let Some(index) = url.strip_prefix("registry+").filter(|index| index.starts_with("ssh://")) {
                let place = reader.lines.place(&source.span);
                reader.reading.across.cargo(index, &place);
                reader.reading.git(place, &format!("the registry of dependency {name}"), index);
            }
        }
    });
}

fn read_config(file: &str, text: &str, reading: &mut Reading) {
    with(file, text, reading, |reader, root| {
        if root.at(&["net", "git-fetch-with-cli"]).and_then(Node::text) == Some("true")
            || root.at(&["env", "CARGO_NET_GIT_FETCH_WITH_CLI"]).and_then(Node::text) == Some("true")
        {
            reader.reading.across.cargo_uses_git();
        }
        reader.patches(root);
        for (table, key) in [("registries", "index"), ("registry", "index"), ("source", "registry"), ("source", "git")]
        {
            for (name, registry) in root.all(table).flat_map(Node::entries) {
                let Some(url) = registry.get(key) else { continue };
                let is_git = key == "git" || url.text().is_some_and(|url| url.starts_with("ssh://"));
                if is_git {
                    reader.git(&format!("registry {}", name.text().unwrap_or_default()), url);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::reading::found;

    #[test]
    fn every_table_of_a_manifest_is_looked_at() {
        let text = r#"[dependencies]
a = { git = "ssh://git@h.example/org/a.git" }
b = "1"
c.git = "https://h.example/org/c"
[dependencies.d]
git = "ssh://git@h.example:2222/org/d"
rev = "1"
[target.'cfg(unix)'.build-dependencies]
e = { git = "ssh://git@h.example/org/e" }
[workspace.dependencies]
f = { git = "ssh://git@h.example/org/f" }
[patch.crates-io]
g = { git = "ssh://git@h.example/org/g" }
[package.metadata]
no = { git = "ssh://git@h.example/org/no" }
"#;
        assert_eq!(
            found(read_manifest, "Cargo.toml", text),
            [
                "2 dependency a: ssh://git@h.example/org/a",
                "4 dependency c: https://h.example/org/c",
                "6 dependency d: ssh://git@h.example:2222/org/d",
                "9 dependency e: ssh://git@h.example/org/e",
                "11 dependency f: ssh://git@h.example/org/f",
                "13 dependency g: ssh://git@h.example/org/g",
            ]
        );
    }

    #[test]
    fn a_registry_whose_index_is_a_repository_over_ssh_is_one_too() {
        let text = "[registries.ours]\nindex = \"ssh://git@h.example/org/index.git\"\n\
            [registries.other]\nindex = \"sparse+https://h.example/index/\"\n[source.mirror]\ngit = \"ssh://git@h.example/org/x\"\n";
        assert_eq!(
            found(read_config, ".cargo/config.toml", text),
            ["2 registry ours: ssh://git@h.example/org/index", "6 registry mirror: ssh://git@h.example/org/x"]
        );
        let lock = "[[package]]\nname = \"a\"\nsource = \"registry+ssh://git@h.example/org/index.git\"\n";
        assert_eq!(
            found(read_lock, "Cargo.lock", lock),
            ["3 the registry of dependency a: ssh://git@h.example/org/index"]
        );
    }

    #[test]
    fn cargo_is_asked_to_run_git_where_nothing_says_that_it_does() {
        let lock = "[[package]]\nname = \"a\"\nsource = \"git+ssh://git@h.example/org/a?rev=1#1\"\n";
        let undecided = |config: &str| {
            let mut reading = Reading::default();
            read_lock("Cargo.lock", lock, &mut reading);
            read_config(".cargo/config.toml", config, &mut reading);
            reading.resolved().undecided.len()
        };
        assert_eq!(undecided(""), 1);
        assert_eq!(undecided("[net]\ngit-fetch-with-cli = false\n"), 1);
        assert_eq!(undecided("[net]\ngit-fetch-with-cli = true\n"), 0);
    }
}
