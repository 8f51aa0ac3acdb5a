//! PURE: `setup.cfg` of setuptools: the requirements in `[options]` and `[options.extras_require]`.
//!
//! The format is that of Python's `configparser`. Only its lines are looked at: a section, a name
//! with what stands behind `=` or `:`, and the lines below it that are further in.

use super::Reading;
use super::format::{Format, name};
use super::requirements::requirement;

/// The format.
pub(super) static FORMAT: Format = Format { name: "setup.cfg", wants: |path| name(path) == "setup.cfg", read };

const LISTS: [&str; 4] = ["dependency_links", "install_requires", "setup_requires", "tests_require"];

fn read(file: &str, text: &str, reading: &mut Reading) {
    let (mut section, mut is_list) = (String::new(), false);
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if is_list {
                dependency(file, at + 1, trimmed, reading);
            }
        } else if let Some(inside) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            (section, is_list) = (inside.0.trim().to_owned(), false);
        } else if let Some(end) = trimmed.find(['=', ':']) {
            let key = trimmed.get(..end).unwrap_or_default().trim().to_ascii_lowercase();
            is_list = section == "options.extras_require" || (section == "options" && LISTS.contains(&key.as_str()));
            if is_list {
                dependency(file, at + 1, trimmed.get(end + 1..).unwrap_or_default(), reading);
            }
        }
    }
}

/// One line; several dependencies on it stand behind `;` only in lists of one line, which
/// setuptools splits there, and so does nobody who writes markers.
fn dependency(file: &str, at: usize, text: &str, reading: &mut Reading) {
    let text = text.trim();
    match text.strip_prefix("file:") {
        Some(named) => requirement(file, at, &format!("-r {}", named.trim()), reading),
        // No option of pip's is one here.
        None if text.starts_with('-') => {}
        None => requirement(file, at, text, reading),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_found_in_their_lists_and_nowhere_else() {
        let text = "\
[metadata]
url = git+ssh://git@h.example/no/no.git
[options]
install_requires =
    x >= 1
    # a @ git+ssh://git@h.example/no/no.git
    a @ git+ssh://git@h.example/o/a.git@v1
setup_requires = b @ git+ssh://git@h.example/o/b.git
package_dir =
    c @ git+ssh://git@h.example/no/c.git
[options.extras_require]
dev = file: requirements-dev.txt
test =
  d @ git+ssh://git@h.example/o/d.git ; python_version > '3'
";
        let mut reading = Reading::default();
        read("setup.cfg", text, &mut reading);
        assert_eq!(reading.follow.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(), ["requirements-dev.txt"]);
        let needs = reading.resolved().needs;
        let found: Vec<_> = needs.iter().map(|need| (need.place.line, need.address.repository.as_str())).collect();
        assert_eq!(found, [(7, "o/a"), (8, "o/b"), (14, "o/d")]);
    }
}
