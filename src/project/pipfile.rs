//! PURE: `Pipfile` (TOML) and `Pipfile.lock` (JSON): tables of dependencies with `git`.

use super::Reading;
use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use crate::document::{Node, json, toml};

/// The format of a Pipfile.
pub(super) static FORMAT: Format = Format { name: "Pipfile", wants: |path| name(path) == "Pipfile", read };
/// The format of its lock.
pub(super) static LOCK: Format =
    Format { name: "Pipfile.lock", wants: |path| name(path) == "Pipfile.lock", read: read_lock };

fn read(file: &str, text: &str, reading: &mut Reading) {
    if let Some(pipfile) = understood(file, toml(text), reading) {
        categories(&pipfile, &Lines::new(file, text), reading);
    }
}

fn read_lock(file: &str, text: &str, reading: &mut Reading) {
    if let Some(lock) = understood(file, json(text), reading) {
        categories(&lock, &Lines::new(file, text), reading);
    }
}

/// `packages`, `dev-packages`, `default`, `develop`, and those that a person added.
fn categories(root: &Node, lines: &Lines<'_>, reading: &mut Reading) {
    for (name, value) in root.entries().iter().flat_map(|(_, category)| category.entries()) {
        if let Some(git) = value.get("git")
            && let Some(address) = git.text()
        {
            reading.git(lines.place(&git.span), &dependency(name.text()), address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_is_looked_through() {
        let mut reading = Reading::default();
        let text = "[packages]\na = {git = \"ssh://git@h.example/o/a.git\", ref = \"x\"}\nb = \"*\"\n[docs]\n\
                    c = {git = \"git+ssh://git@h.example/o/c.git\", editable = true}\n";
        read("Pipfile", text, &mut reading);
        let needs = reading.resolved().needs;
        let found: Vec<_> = needs.iter().map(|need| (need.place.line, need.address.repository.as_str())).collect();
        assert_eq!(found, [(2, "o/a"), (5, "o/c")]);
    }
}
