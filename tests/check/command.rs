//! `valetkey check` as it is typed: what it looks at, what it exits with, what it says of itself.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// `valetkey check` in that folder, with a home without anything.
pub(super) fn check(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valetkey"));
    command.env("HOME", dir).env_remove("XDG_CONFIG_HOME");
    command.arg("check").args(arguments).current_dir(dir).output().unwrap()
}

pub(super) fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const SCAN: &str = "FROM a\nRUN ssh-keyscan h > k\n";

#[test]
fn nothing_found_is_0_findings_are_116_and_what_was_not_read_is_117() {
    let dir = folder(&[
        ("clean/Dockerfile", "FROM a\n"),
        ("bad/Dockerfile", SCAN),
        ("broken/compose.yaml", "services: ["),
        ("both/Dockerfile", SCAN),
        ("both/compose.yaml", "services: ["),
        ("none/readme", ""),
    ]);
    for (path, code, says) in [
        ("clean", 0, "nothing found in 1 file"),
        ("bad", 116, "bad/Dockerfile:2:5: error: host keys are asked of whoever answers, and trusted [ssh-keyscan]"),
        ("broken", 117, "broken/compose.yaml: not read: line 2: "),
        ("both", 116, "1 error in 1 file; 1 file not read"),
        ("none", 117, "no Dockerfile, Compose file, bake file, GitHub workflow or GitLab CI file was found"),
        ("not-there", 117, "not-there: not read: "),
    ] {
        let done = check(dir.path(), &[path]);
        assert!(text(&done).contains(says), "{path}: {}", text(&done));
        assert_eq!(done.status.code(), Some(code), "{path}");
    }
}

#[test]
fn without_a_path_the_working_folder_is_looked_through() {
    let dir =
        folder(&[("a/Dockerfile", SCAN), (".github/workflows/ci.yml", "jobs: {a: {steps: [{run: ssh-keyscan h}]}}\n")]);
    let done = check(dir.path(), &[]);
    assert!(text(&done).contains("a/Dockerfile:2:5:"), "{}", text(&done));
    assert!(text(&done).contains(".github/workflows/ci.yml:1:26:"), "{}", text(&done));
    assert!(text(&done).ends_with("\n2 errors in 2 files\n"), "{}", text(&done));
}

#[test]
fn an_ignored_finding_is_named_with_its_reason_and_fails_nothing() {
    let dir = folder(&[(
        "Dockerfile",
        "FROM a\n# valetkey: ignore ssh-keyscan the lab has no other way\nRUN ssh-keyscan h > k\n",
    )]);
    let done = check(dir.path(), &[]);
    assert_eq!(done.status.code(), Some(0));
    assert!(
        text(&done).contains("Dockerfile:3:5: ignored: ssh-keyscan\n    reason  the lab has no other way\n"),
        "{}",
        text(&done)
    );
}

#[test]
fn a_host_key_is_held_against_the_pins_of_the_projects_config() {
    let key = |c: char| format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", c.to_string().repeat(43));
    let config = format!("[[host]]\nname = \"git.example.com\"\nkeys = [\"{}\"]\n", key('A'));
    let file = |c| format!("FROM a\nRUN echo 'git.example.com {}' > /etc/ssh/ssh_known_hosts\n", key(c));
    let dir = folder(&[("valetkey.toml", &config), ("same/Dockerfile", &file('A')), ("other/Dockerfile", &file('B'))]);
    let other = check(dir.path(), &["other"]);
    assert!(text(&other).contains("this is none of the keys that are pinned for git.example.com"), "{other:?}");
    assert_eq!(check(dir.path(), &["same"]).status.code(), Some(0));
    assert_eq!(check(dir.path(), &["--no-config", "other"]).status.code(), Some(0));
}

#[test]
fn rules_are_listed_and_explained_and_one_that_does_not_exist_is_refused_with_the_nearest() {
    let dir = folder(&[]);
    let list = text(&check(dir.path(), &["--rules"]));
    assert!(
        list.lines()
            .any(|line| line.starts_with("ssh-keyscan ") && line.ends_with("host keys that come from ssh-keyscan"))
    );
    let explained = text(&check(dir.path(), &["--explain", "ssh-keyscan"]));
    assert!(
        explained.starts_with("ssh-keyscan (error)\n\nFinds ") && explained.contains("\nAfter --fix:\n    FROM a\n"),
        "{explained}"
    );
    let wrong = check(dir.path(), &["--explain", "ssh-keyscam"]);
    assert_eq!(wrong.status.code(), Some(110));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean ssh-keyscan?"), "{wrong:?}");
}
