//! PURE reading of Bundler's lock files, line by line as its own `LockfileParser` reads them.

use super::format::{Format, name};
use super::{Place, Reading};

/// Gemfile.lock, gems.locked, and those of `gemfiles/`.
pub(super) static FORMAT: Format = Format {
    name: "Bundler lock file",
    wants: |path| {
        let file = name(path);
        matches!(file, "Gemfile.lock" | "gems.locked") || file.ends_with(".gemfile.lock")
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    // The remote of the section that is open, until its first gem names it.
    let mut remote: Option<(Place, &str)> = None;
    let mut is_git = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.starts_with("<<<<<<<") {
            reading.unread(Place::new(file, number + 1), "the file holds both sides of a merge");
        }
        if !line.starts_with(' ') {
            give(&mut remote, None, reading);
            is_git = line == "GIT";
        } else if !is_git {
        } else if let Some(url) = line.strip_prefix("  remote: ") {
            give(&mut remote, None, reading);
            remote = Some((Place::new(file, number + 1), url));
        } else if let Some(gem) = line.strip_prefix("    ").filter(|gem| !gem.starts_with(' ')) {
            give(&mut remote, gem.split(' ').next(), reading);
        }
    }
    give(&mut remote, None, reading);
}

fn give(remote: &mut Option<(Place, &str)>, gem: Option<&str>, reading: &mut Reading) {
    if let Some((place, url)) = remote.take() {
        let what = gem.map_or_else(|| "a gem".to_owned(), |gem| format!("gem {gem}"));
        reading.git(place, &what, url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::reading::found;

    #[test]
    fn the_remotes_of_git_sections_are_found_and_no_others() {
        let text = "GIT\n  remote: git@h.example:org/a.git\n  revision: 1\n  specs:\n    a (1.0)\n      dep\n\n\
            GEM\n  remote: https://h.example/no\n  specs:\n    b (1)\n\nPATH\n  remote: .\n  specs:\n    c (1)\n\n\
            GIT\n  remote: ssh://git@h.example/org/d.git\n";
        assert_eq!(
            found(read, "Gemfile.lock", text),
            ["2 gem a: ssh://git@h.example/org/a", "19 a gem: ssh://git@h.example/org/d"]
        );
    }
}
