//! PURE: `package-lock.json` and `npm-shrinkwrap.json`: `packages` (versions 2 and 3), or the
//! `dependencies` in each other of version 1.

use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use super::{Reading, npm_spec};
use crate::document::{Node, json};

/// The format.
pub(super) static FORMAT: Format = Format { name: "package-lock.json", wants, read };

fn wants(path: &str) -> bool {
    ["package-lock.json", "npm-shrinkwrap.json"].contains(&name(path))
}

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(lock) = understood(file, json(text), reading) else { return };
    let lines = Lines::new(file, text);
    match lock.get("packages") {
        // Version 2 says everything twice.
        Some(packages) => {
            for (path, package) in packages.entries() {
                let name = path.text().and_then(|path| path.rsplit("node_modules/").next());
                one(package.get("resolved"), name, &lines, reading);
            }
        }
        None => version_1(&lock, &lines, reading),
    }
}

/// The document's own depth bounds how deep these lie.
fn version_1(node: &Node, lines: &Lines<'_>, reading: &mut Reading) {
    for (name, package) in node.get("dependencies").map(Node::entries).unwrap_or_default() {
        one(package.get("version"), name.text(), lines, reading);
        version_1(package, lines, reading);
    }
}

fn one(resolved: Option<&Node>, name: Option<&str>, lines: &Lines<'_>, reading: &mut Reading) {
    let Some((node, text)) = resolved.and_then(|node| Some((node, node.text()?))) else { return };
    if text.starts_with("git+") || text.starts_with("git:") || text.starts_with("github:") {
        npm_spec::read(lines.place(&node.span), &dependency(name), text, reading);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String, String)> {
        let mut reading = Reading::default();
        read("package-lock.json", text, &mut reading);
        let needs = reading.resolved().needs;
        needs.into_iter().map(|need| (need.place.line, need.what, need.address.repository)).collect()
    }

    #[test]
    fn dependencies_of_dependencies_are_found_in_version_1() {
        let text = r#"{"lockfileVersion": 1, "dependencies": {
"a": {"version": "1.0.0", "resolved": "https://registry.example.com/a.tgz", "dependencies": {
"b": {"version": "git+ssh://git@h.example/o/b.git#0123", "from": "b@git+ssh://git@h.example/o/b.git"}}},
"c": {"version": "github:o/c#0123"}}}"#;
        let one = |line, name: &str| (line, format!("dependency {name}"), format!("o/{name}"));
        assert_eq!(found(text), [one(3, "b"), one(4, "c")]);
    }

    #[test]
    fn the_name_in_later_versions_is_the_last_of_its_path() {
        let text = r#"{"lockfileVersion": 3, "packages": {
"": {"dependencies": {"a": "git@h.example:o/no.git"}},
"node_modules/x/node_modules/@s/a": {"resolved": "git+ssh://git@h.example/o/a.git#0123"},
"node_modules/y": {"resolved": "https://registry.example.com/y.tgz"}},
"dependencies": {"a": {"version": "git+ssh://git@h.example/o/no.git#0123"}}}"#;
        assert_eq!(found(text), [(3, "dependency @s/a".to_owned(), "o/a".to_owned())]);
    }
}
