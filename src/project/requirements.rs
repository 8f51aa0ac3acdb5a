//! PURE: requirements files of pip (pip's manual, "Requirements File Format"): `requirements*.txt`,
//! `constraints*.txt`, and every file that `-r` or `-c` names.

use super::format::{Format, beside, dependency, name};
use super::pep508;
use super::{Place, Reading};

/// The format.
pub(super) static FORMAT: Format = Format { name: "requirements", wants, read };

fn wants(path: &str) -> bool {
    let file = name(path);
    let kind = file.strip_suffix(".txt").or_else(|| file.strip_suffix(".in"));
    kind.is_some_and(|kind| kind.contains("requirements") || kind.contains("constraints"))
        || (path.starts_with("requirements/") || path.contains("/requirements/")) && kind.is_some()
}

fn read(file: &str, text: &str, reading: &mut Reading) {
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if !line.ends_with('\\') {
            requirement(file, at + 1, line, reading);
            continue;
        }
        // A backslash at its end joins the next line.
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            let Some((_, next)) = lines.next() else { break };
            whole.push_str(next);
        }
        requirement(file, at + 1, &whole, reading);
    }
}

/// One requirement or option on this line, counted from 1.
pub(super) fn requirement(file: &str, at: usize, line: &str, reading: &mut Reading) {
    let line = uncommented(line).trim();
    let named = ["-r", "--requirement", "-c", "--constraint"].iter().find_map(|flag| option(line, flag));
    if let Some(named) = named {
        let place = Place::new(file, at);
        return match beside(file, named) {
            Some(path) => reading.follow(place, path, &FORMAT),
            None => reading.unread(place, "it names a file outside of the project, which was not read"),
        };
    }
    let text = ["-e", "--editable"].iter().find_map(|flag| option(line, flag)).unwrap_or(line);
    if let Some(found) = pep508::git(text) {
        reading.git(Place::new(file, at), &dependency(found.name), found.url);
    }
}

/// A `#` begins a comment at the line's begin and behind a blank.
fn uncommented(line: &str) -> &str {
    let begins = line.match_indices('#').find(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with([' ', '\t'])
    });
    begins.map_or(line, |(at, _)| line.get(..at).unwrap_or(line))
}

/// What stands behind an option: `-r x`, `-rx`, `--requirement x`, `--requirement=x`.
fn option<'a>(line: &'a str, flag: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(flag)?;
    let value = match rest.strip_prefix('=') {
        Some(value) if flag.starts_with("--") => value,
        _ if rest.starts_with([' ', '\t']) => rest,
        // `-rfile`; but `-requirement` is none of pip's.
        _ if !flag.starts_with("--") && !rest.is_empty() => rest,
        _ => return None,
    };
    Some(value.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String, String)> {
        let mut reading = Reading::default();
        read("requirements.txt", text, &mut reading);
        let needs = reading.resolved().needs;
        needs.into_iter().map(|need| (need.place.line, need.what, need.address.to_string())).collect()
    }

    #[test]
    fn git_addresses_are_found_in_all_their_forms() {
        let text = "\
# git+ssh://git@h.example/no/no.git
requests==2.0  # git+ssh://git@h.example/no/no.git
git+ssh://git@h.example/org/a.git@v1#egg=a&subdirectory=x
-e git+ssh://git@h.example/org/b.git#egg=b
--editable=git+https://h.example/org/c.git
d[x, y] @ git+ssh://git@h.example/org/d.git@main ; python_version > '3'
e @ git+ssh://git@h.example:2222/org/e ; extra == 'x'
f @ \\
  git+ssh://git@h.example/org/f.git
g @ https://h.example/g.whl
";
        let one = |line, what: &str, url: &str| (line, what.to_owned(), url.to_owned());
        assert_eq!(
            found(text),
            [
                one(3, "dependency a", "ssh://git@h.example/org/a"),
                one(4, "dependency b", "ssh://git@h.example/org/b"),
                one(5, "a dependency", "https://h.example/org/c"),
                one(6, "dependency d", "ssh://git@h.example/org/d"),
                one(7, "dependency e", "ssh://git@h.example:2222/org/e"),
                one(8, "dependency f", "ssh://git@h.example/org/f"),
            ]
        );
    }

    #[test]
    fn other_files_are_followed_inside_the_project_and_named_outside() {
        let mut reading = Reading::default();
        let text =
            "-r base.txt\n-cc.txt\n--requirement=../req/x.txt\n--constraint y.txt\n-r ../../out.txt\n-r /etc/x\n";
        read("deps/dev-requirements.txt", text, &mut reading);
        let followed: Vec<&str> = reading.follow.iter().map(|followed| followed.file.as_str()).collect();
        assert_eq!(followed, ["deps/base.txt", "deps/c.txt", "req/x.txt", "deps/y.txt"]);
        assert_eq!(reading.unread.iter().map(|unread| unread.place.line).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn the_usual_names_are_wanted_and_no_others() {
        for path in [
            "requirements.txt",
            "a/requirements-dev.txt",
            "dev-requirements.in",
            "requirements/base.txt",
            "constraints.txt",
        ] {
            assert!(wants(path), "{path}");
        }
        for path in ["readme.txt", "requirements.py", "requirements/base.md"] {
            assert!(!wants(path), "{path}");
        }
    }
}
