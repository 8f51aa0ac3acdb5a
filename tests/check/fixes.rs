//! `--fix` and `--diff`: what is changed, what is not, and what is only shown.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use super::command::{check, folder, text};

/// As talks and tutorials have it.
const TALK: &str = "\
# syntax=docker/dockerfile:1
FROM python:3.9 AS builder\t
WORKDIR /app
RUN mkdir -p -m 0600 ~/.ssh && \\
    ssh-keyscan gitlab.com >> ~/.ssh/known_hosts
COPY pyproject.toml poetry.lock ./
RUN --mount=type=ssh   poetry install --no-dev  # no dev

FROM python:3.9-slim
COPY --from=builder /app /app";

#[test]
fn a_fixed_file_has_nothing_left_to_find_and_is_not_changed_again() {
    let dir = folder(&[("Dockerfile", TALK)]);
    let path = dir.path().join("Dockerfile");
    let done = check(dir.path(), &["--fix"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let fixed = std::fs::read_to_string(&path).unwrap();
    assert!(!fixed.contains("keyscan") && !fixed.contains("mkdir"), "{fixed}");
    // What has nothing to do with it is there byte for byte.
    for line in [
        "FROM python:3.9 AS builder\t\n",
        "   poetry install --no-dev  # no dev\n\nFROM python:3.9-slim\n",
        "/app /app",
    ] {
        assert!(fixed.contains(line), "{fixed}");
    }
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(check(dir.path(), &["--fix"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), fixed);
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before, "a file without a fix is not written");
}

#[test]
fn a_diff_is_what_patch_makes_the_fix_of_and_writes_nothing() {
    let dir = folder(&[("Dockerfile", TALK)]);
    let done = check(dir.path(), &["--fix", "--diff"]);
    assert_eq!(done.status.code(), Some(116), "{done:?}");
    assert_eq!(std::fs::read_to_string(dir.path().join("Dockerfile")).unwrap(), TALK);
    assert_eq!(check(dir.path(), &["--diff"]).stdout, done.stdout);
    let mut patch = Command::new("patch")
        .arg("-p0")
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut patch.stdin.take().unwrap(), &done.stdout).unwrap();
    assert!(patch.wait().unwrap().success());
    let patched = std::fs::read_to_string(dir.path().join("Dockerfile")).unwrap();
    std::fs::write(dir.path().join("Dockerfile"), TALK).unwrap();
    check(dir.path(), &["--fix"]);
    assert_eq!(std::fs::read_to_string(dir.path().join("Dockerfile")).unwrap(), patched);
}

#[test]
fn bytes_that_are_no_utf_8_carriage_returns_and_the_mode_stay() {
    let dir = folder(&[]);
    let path = dir.path().join("Dockerfile");
    std::fs::write(&path, b"\xef\xbb\xbfFROM a\r\nRUN mkdir -m 600 ~/.ssh \xff\r\n# \xfe\r\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(check(dir.path(), &["--fix"]).status.code(), Some(0));
    assert_eq!(std::fs::read(&path).unwrap(), b"\xef\xbb\xbfFROM a\r\nRUN mkdir -m 0700 ~/.ssh \xff\r\n# \xfe\r\n");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn an_ignored_finding_is_not_fixed() {
    let text = "FROM a\n# valetkey: ignore ssh-folder-mode root alone uses it\nRUN mkdir -m 600 ~/.ssh\n";
    let dir = folder(&[("Dockerfile", text)]);
    assert_eq!(check(dir.path(), &["--fix"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(dir.path().join("Dockerfile")).unwrap(), text);
}

#[test]
fn a_link_is_neither_replaced_nor_written_through() {
    let dir = folder(&[("elsewhere", "FROM a\nRUN mkdir -m 600 ~/.ssh\n"), ("p/x", "")]);
    symlink("../elsewhere", dir.path().join("p/Dockerfile")).unwrap();
    let done = check(dir.path(), &["--fix", "p"]);
    assert_eq!(done.status.code(), Some(110), "{done:?}");
    assert!(dir.path().join("p/Dockerfile").is_symlink());
    assert!(std::fs::read_to_string(dir.path().join("elsewhere")).unwrap().contains("600"));
    assert!(String::from_utf8_lossy(&done.stderr).contains("it is a link"), "{}", text(&done));
}
