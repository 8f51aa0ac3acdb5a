//! PURE: `pyproject.toml`: the lists of PEP 508 (PEP 621, PEP 735, `build-system`, uv, pdm, hatch) and
//! the tables of Poetry and uv.

use super::Reading;
use super::format::{Format, dependency, each, name, understood};
use super::lines::Lines;
use super::pep508;
use crate::document::{Node, toml};

/// The format.
pub(super) static FORMAT: Format =
    Format { name: "pyproject.toml", wants: |path| name(path) == "pyproject.toml", read };

/// Lists of dependencies.
const LISTS: &[&[&str]] = &[
    &["build-system", "requires"],
    &["project", "dependencies"],
    &["tool", "uv", "dev-dependencies"],
    &["tool", "uv", "constraint-dependencies"],
    &["tool", "uv", "override-dependencies"],
    &["tool", "uv", "build-constraint-dependencies"],
];
/// Tables of such lists by the name of a group.
const GROUPS: &[&[&str]] =
    &[&["project", "optional-dependencies"], &["dependency-groups"], &["tool", "pdm", "dev-dependencies"]];
/// Tables of dependencies by their names.
const TABLES: &[&[&str]] =
    &[&["tool", "poetry", "dependencies"], &["tool", "poetry", "dev-dependencies"], &["tool", "uv", "sources"]];

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(project) = understood(file, toml(text), reading) else { return };
    let lines = Lines::new(file, text);
    let mut found = Found { lines, reading };
    LISTS.iter().filter_map(|path| project.at(path)).for_each(|list| found.list(list));
    for groups in GROUPS.iter().filter_map(|path| project.at(path)) {
        groups.entries().iter().for_each(|(_, list)| found.list(list));
    }
    TABLES.iter().filter_map(|path| project.at(path)).for_each(|table| found.table(table));
    for (_, group) in project.at(&["tool", "poetry", "group"]).map(Node::entries).unwrap_or_default() {
        group.get("dependencies").into_iter().for_each(|table| found.table(table));
    }
    for (_, environment) in project.at(&["tool", "hatch", "envs"]).map(Node::entries).unwrap_or_default() {
        for list in ["dependencies", "extra-dependencies"] {
            environment.get(list).into_iter().for_each(|list| found.list(list));
        }
    }
}

struct Found<'a> {
    lines: Lines<'a>,
    reading: &'a mut Reading,
}

impl Found<'_> {
    fn list(&mut self, list: &Node) {
        for item in list.items() {
            // pdm has `-e name @ git+…`.
            let text = item.text().map(|text| text.trim_start().trim_start_matches("-e "));
            if let Some(found) = text.and_then(pep508::git) {
                self.reading.git(self.lines.place(&item.span), &dependency(found.name), found.url);
            }
        }
    }

    /// `name = { git = "…" }`, or a list of those with markers.
    fn table(&mut self, table: &Node) {
        for (name, value) in table.entries() {
            for git in each(value).iter().filter_map(|one| one.get("git")) {
                if let Some(address) = git.text() {
                    self.reading.git(self.lines.place(&git.span), &dependency(name.text()), address);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_and_table_is_looked_through() {
        let text = r#"
build-system.requires = ["b1 @ git+ssh://git@h.example/o/b1"]
[project]
dependencies = [
    "x>=1",
    "p1[e] @ git+ssh://git@h.example/o/p1@v1 ; python_version > '3'",
]
[project.optional-dependencies]
extra = ["p2 @ git+ssh://git@h.example/o/p2"]
[dependency-groups]
dev = [{ include-group = "x" }, "g1 @ git+ssh://git@h.example/o/g1"]
[tool.poetry.dependencies]
q1 = { git = "ssh://git@h.example/o/q1.git", branch = "main" }
q2 = [{ git = "git@h.example:o/q2.git", python = "<3" }, { version = "1" }]
q3 = "^1"
[tool.poetry.dev-dependencies]
q4 = { git = "ssh://git@h.example/o/q4.git" }
[tool.poetry.group.test.dependencies]
q5 = { git = "https://h.example/o/q5.git" }
[tool.uv]
dev-dependencies = ["u1 @ git+ssh://git@h.example/o/u1"]
[tool.uv.sources]
u2 = { git = "ssh://git@h.example/o/u2", rev = "x" }
u3 = [{ git = "ssh://git@h.example/o/u3", marker = "x" }]
u4 = { path = "../u4" }
[tool.pdm.dev-dependencies]
d = ["-e d1 @ git+ssh://git@h.example/o/d1"]
[tool.hatch.envs.e]
dependencies = ["h1 @ git+ssh://git@h.example/o/h1"]
"#;
        let mut reading = Reading::default();
        read("pyproject.toml", text, &mut reading);
        let needs = reading.resolved().needs;
        let mut found: Vec<(usize, &str)> = needs.iter().map(|need| (need.place.line, need.what.as_str())).collect();
        found.sort_unstable();
        let names = [
            (2, "b1"),
            (6, "p1"),
            (9, "p2"),
            (11, "g1"),
            (13, "q1"),
            (14, "q2"),
            (17, "q4"),
            (19, "q5"),
            (21, "u1"),
            (23, "u2"),
            (24, "u3"),
            (27, "d1"),
            (29, "h1"),
        ];
        let names = names.map(|(line, name)| (line, format!("dependency {name}")));
        assert_eq!(found, names.each_ref().map(|(line, name)| (*line, name.as_str())));
        assert!(needs.iter().all(|need| need.what.ends_with(&need.address.repository[2..])), "{needs:?}");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let mut reading = Reading::default();
        read("pyproject.toml", "[project]\ndependencies = [\n", &mut reading);
        assert_eq!(reading.unread.len(), 1);
        assert!(reading.unread[0].why.starts_with("the file cannot be understood: line "), "{reading:?}");
    }
}
