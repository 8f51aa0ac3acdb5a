//! PURE: `yarn.lock`: the format of yarn 1, which is its own, and that of later ones, which is YAML. Both fetch
//! from the very address that is there.

use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use super::{Place, Reading};
use crate::document::{Node, yaml};

/// The format.
pub(super) static FORMAT: Format = Format { name: "yarn.lock", wants: |path| name(path) == "yarn.lock", read };

fn read(file: &str, text: &str, reading: &mut Reading) {
    if text.lines().any(|line| line.starts_with("__metadata:")) {
        berry(file, text, reading);
    } else {
        classic(file, text, reading);
    }
}

/// Entries of later yarns: `resolution: "name@git@host:org/repo.git#commit=…"`.
fn berry(file: &str, text: &str, reading: &mut Reading) {
    let Some(documents) = understood(file, yaml(text), reading) else { return };
    let lines = Lines::new(file, text);
    for resolution in documents.iter().flat_map(Node::entries).filter_map(|(_, package)| package.get("resolution")) {
        let Some((name, url)) = resolution.text().and_then(named) else { continue };
        // A patch is made of a package that has an entry of its own; an archive has no commit.
        if url.contains("#commit=") && !url.starts_with("patch:") {
            let url = url.split('#').next().unwrap_or(url);
            reading.git(lines.place(&resolution.span), &dependency(Some(name)), url);
        }
    }
}

/// Lines of yarn 1: a header of specifications that ends with a colon, and below it, two blanks in,
/// `resolved "git+ssh://…#commit"`.
fn classic(file: &str, text: &str, reading: &mut Reading) {
    let mut name = None;
    for (at, line) in text.lines().enumerate() {
        if !line.starts_with([' ', '#']) && line.ends_with(':') {
            let first = line.trim_start_matches('"').split(", ").next();
            name = first.and_then(named).map(|(name, _)| name);
        } else if let Some(value) = line.strip_prefix("  resolved ") {
            let url = value.trim().trim_matches('"');
            if url.starts_with("git+") || url.starts_with("git:") || url.starts_with("ssh:") || url.contains(".git#") {
                reading.git(Place::new(file, at + 1), &dependency(name), url);
            }
        }
    }
}

/// `@scope/name@what`, at the first `@` that is not its first character.
fn named(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String, String)> {
        let mut reading = Reading::default();
        read("yarn.lock", text, &mut reading);
        let needs = reading.resolved().needs;
        needs.into_iter().map(|need| (need.place.line, need.what, need.address.to_string())).collect()
    }

    #[test]
    fn archives_and_patches_of_later_yarns_are_left_alone() {
        let text = "\
__metadata:
  version: 8

\"a@npm:^1\":
  resolution: \"a@npm:1.0.0\"
\"b@https://registry.example.com/b.tgz\":
  resolution: \"b@https://registry.example.com/b.tgz\"
\"@s/c@git@h.example:o/c.git\":
  resolution: \"@s/c@git@h.example:o/c.git#commit=0123\"
\"d@patch:d@npm%3A1#x\":
  resolution: \"d@patch:d@git@h.example:o/d.git%23commit=1#commit=2\"
";
        assert_eq!(found(text), [(9, "dependency @s/c".to_owned(), "ssh://git@h.example/o/c".to_owned())]);
    }

    #[test]
    fn archives_of_yarn_1_are_left_alone() {
        let text = "\
# yarn lockfile v1

a@^1:
  version \"1.0.0\"
  resolved \"https://registry.example.com/a.tgz#0123\"

\"@s/b@git+ssh://git@h.example/o/b.git#v1\", \"@s/b@git+ssh://git@h.example/o/b.git#v2\":
  version \"1.0.0\"
  resolved \"git+ssh://git@h.example/o/b.git#0123\"
";
        assert_eq!(found(text), [(9, "dependency @s/b".to_owned(), "ssh://git@h.example/o/b".to_owned())]);
    }
}
