//! PURE: `package.json`: its tables of dependencies, `overrides` (npm, pnpm) and `resolutions` (yarn).

use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use super::{Reading, npm_spec};
use crate::document::{Node, json};

/// The format.
pub(super) static FORMAT: Format = Format { name: "package.json", wants: |path| name(path) == "package.json", read };

const TABLES: &[&[&str]] = &[
    &["dependencies"],
    &["devDependencies"],
    &["optionalDependencies"],
    &["peerDependencies"],
    &["overrides"],
    &["resolutions"],
    &["pnpm", "overrides"],
];

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(package) = understood(file, json(text), reading) else { return };
    let lines = Lines::new(file, text);
    TABLES.iter().filter_map(|path| package.at(path)).for_each(|table| entries(table, &lines, reading));
}

/// `overrides` lie in each other; the document's own depth bounds how deep.
fn entries(table: &Node, lines: &Lines<'_>, reading: &mut Reading) {
    for (name, value) in table.entries() {
        match value.text() {
            Some(spec) => npm_spec::read(lines.place(&value.span), &dependency(name.text()), spec, reading),
            None => entries(value, lines, reading),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_looked_through() {
        let text = r#"{
  "name": "org/no",
  "dependencies": { "a": "git+ssh://git@h.example/o/a.git", "z": "^1" },
  "devDependencies": { "b": "github:o/b" },
  "peerDependencies": { "c": "git@h.example:o/c.git" },
  "optionalDependencies": { "d": "git@h.example:o/d.git" },
  "overrides": { "x": { "e": "git@h.example:o/e.git" } },
  "resolutions": { "**/f": "git@h.example:o/f.git" },
  "pnpm": { "overrides": { "g": "git@h.example:o/g.git" } },
  "scripts": { "x": "git@h.example:o/no.git" }
}"#;
        let mut reading = Reading::default();
        read("package.json", text, &mut reading);
        let needs = reading.resolved().needs;
        let mut found: Vec<_> = needs.iter().map(|need| (need.place.line, need.address.repository.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, [(3, "o/a"), (4, "o/b"), (5, "o/c"), (6, "o/d"), (7, "o/e"), (8, "o/f"), (9, "o/g")]);
    }
}
