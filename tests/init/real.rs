//! Files that the real tools wrote: `real/ORIGIN.md` says which, and how.

use std::path::{Path, PathBuf};

/// A dependency that the manifest names.
const OMNIBUS: &str = "dependency omnibus ssh://git@git.example.com/org/omnibus";
/// A dependency of that one, which only a lock file names.
const PRICING: &str = "dependency pricing ssh://git@git.example.com:2222/org/pricing";
const LIB: &str = "dependency lib ssh://git@git.example.com/org/lib";
const BASE: &str = "dependency base ssh://git@git.example.com:2222/org/base";
const TOOL: &str = "dependency @org/tool ssh://git@github.com/org/tool";

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init/real").join(name)
}

/// The needs of a folder's files, by their places.
#[track_caller]
fn needs(name: &str, expected: &[(&str, &str)]) {
    let reading = valetkey::project::read(&folder(name)).unwrap();
    assert!(reading.unread.is_empty() && reading.undecided.is_empty(), "{reading:?}");
    let found: Vec<(String, String)> =
        reading.needs.iter().map(|need| (need.place.to_string(), format!("{} {}", need.what, need.address))).collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(place, what)| (place.as_str(), what.as_str())).collect();
    assert_eq!(found, expected, "{name}");
    for need in &reading.needs {
        let text = std::fs::read_to_string(folder(name).join(&need.place.file)).unwrap();
        let line = text.lines().nth(need.place.line - 1).unwrap();
        assert!(line.contains(&need.address.repository), "{} is {line:?}", need.place);
    }
}

#[test]
fn poetry_locks_are_read_with_the_dependencies_of_dependencies() {
    needs("poetry-1", &[("poetry.lock:17", OMNIBUS), ("poetry.lock:32", PRICING), ("pyproject.toml:10", OMNIBUS)]);
    needs("poetry-2", &[("poetry.lock:35", OMNIBUS), ("poetry.lock:51", PRICING), ("pyproject.toml:5", OMNIBUS)]);
}

#[test]
fn a_uv_lock_and_a_pylock_are_read_with_the_dependencies_of_dependencies() {
    needs(
        "uv",
        &[
            ("pylock.toml:17", OMNIBUS),
            ("pylock.toml:22", PRICING),
            ("pyproject.toml:8", OMNIBUS),
            ("uv.lock:32", OMNIBUS),
            ("uv.lock:40", PRICING),
        ],
    );
}

#[test]
fn a_pipfile_and_its_lock_are_read_with_the_dependencies_of_dependencies() {
    needs("pipenv", &[("Pipfile:2", OMNIBUS), ("Pipfile.lock:18", OMNIBUS), ("Pipfile.lock:22", PRICING)]);
}

#[test]
fn compiled_requirements_are_read_with_the_dependencies_of_dependencies() {
    needs(
        "pip-compile",
        &[("requirements.in:1", OMNIBUS), ("requirements.txt:9", OMNIBUS), ("requirements.txt:11", PRICING)],
    );
}

#[test]
fn every_version_of_npms_lock_is_read_with_the_dependencies_of_dependencies() {
    for (name, [tool, base, lib]) in [("npm-6", [8, 12, 29]), ("npm-8", [18, 22, 47]), ("npm-11", [18, 22, 47])] {
        needs(
            name,
            &[
                (&format!("package-lock.json:{tool}"), TOOL),
                (&format!("package-lock.json:{base}"), BASE),
                (&format!("package-lock.json:{lib}"), LIB),
                ("package.json:6", TOOL),
                ("package.json:8", LIB),
            ],
        );
    }
}

#[test]
fn locks_of_yarn_1_and_of_later_ones_are_read_with_the_dependencies_of_dependencies() {
    needs("yarn-1", &[("package.json:7", LIB), ("yarn.lock:7", BASE), ("yarn.lock:23", LIB)]);
    // Later yarns read what a short name stands for over HTTPS, and nothing else.
    let tool = "dependency @org/tool https://github.com/org/tool";
    needs(
        "yarn-4",
        &[
            ("package.json:6", TOOL),
            ("package.json:8", LIB),
            ("yarn.lock:10", tool),
            ("yarn.lock:27", BASE),
            ("yarn.lock:50", LIB),
        ],
    );
}

#[test]
fn every_version_of_pnpms_lock_is_read_with_the_dependencies_of_dependencies() {
    needs("pnpm-6", &[("package.json:6", LIB), ("pnpm-lock.yaml:12", BASE), ("pnpm-lock.yaml:18", LIB)]);
    needs(
        "pnpm-8",
        &[
            ("package.json:6", TOOL),
            ("package.json:8", LIB),
            ("pnpm-lock.yaml:33", BASE),
            ("pnpm-lock.yaml:39", LIB),
            ("pnpm-lock.yaml:47", TOOL),
        ],
    );
    needs(
        "pnpm-9",
        &[
            ("package.json:6", TOOL),
            ("package.json:8", LIB),
            ("pnpm-lock.yaml:24", TOOL),
            ("pnpm-lock.yaml:28", BASE),
            ("pnpm-lock.yaml:40", LIB),
        ],
    );
}

#[test]
fn what_a_tool_reads_over_https_first_is_told_from_what_needs_a_key() {
    let reading = valetkey::project::read(&folder("npm-11")).unwrap();
    let first: Vec<&str> =
        reading.needs.iter().filter(|need| need.tries_https).map(|need| need.what.as_str()).collect();
    assert_eq!(first, ["dependency @org/tool"; 2]);
}
