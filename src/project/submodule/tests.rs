use super::*;
use crate::project::reading::found;
use std::path::Path;
use std::process::Command;

const ORIGIN: &str = "[remote \"origin\"]\n\turl = git@h.example:org/group/app.git\n";

fn all(files: &[(&str, &str)]) -> Vec<String> {
    let mut reading = Reading::default();
    for (file, text) in files {
        let format = if *file == ".git/config" { &CONFIG } else { &MODULES };
        (format.read)(file, text, &mut reading);
    }
    let reading = reading.resolved();
    let needs = reading.needs.iter().map(|need| format!("{} {}: {}", need.place, need.what, need.address));
    needs.chain(reading.undecided.iter().map(|undecided| format!("{}? {}", undecided.place, undecided.why))).collect()
}

#[test]
fn submodules_are_found_and_a_relative_one_is_relative_to_the_remote() {
    let text = "[submodule \"a\"]\n\tpath = lib/a\n\turl = ssh://git@h.example:2222/org/a.git\n\
        [submodule \"b\"]\n\turl = ../../other/b.git\n[submodule \"c\"]\n\turl = ./c\n\
        [submodule \"d\"]\n\tupdate = none\n\turl = git@h.example:org/d.git\n";
    assert_eq!(
        all(&[(".git/config", ORIGIN), (".gitmodules", text)]),
        [
            ".gitmodules:3 submodule a: ssh://git@h.example:2222/org/a",
            ".gitmodules:5 submodule b: ssh://git@h.example/org/other/b",
            ".gitmodules:7 submodule c: ssh://git@h.example/org/group/app.git/c",
        ]
    );
}

#[test]
fn a_submodule_of_a_submodule_is_relative_to_that_one() {
    let top = "[submodule \"a\"]\n\tpath = lib/a\n\turl = ssh://git@other.example/x/a.git\n";
    let inner = "[submodule \"b\"]\n\tpath = b\n\turl = ../b.git\n";
    let deep = "[submodule \"c\"]\n\tpath = c\n\turl = ../c.git\n";
    assert_eq!(
        all(&[
            ("lib/a/b/.gitmodules", deep),
            ("lib/a/.gitmodules", inner),
            (".gitmodules", top),
            (".git/config", ORIGIN)
        ]),
        [
            ".gitmodules:3 submodule a: ssh://git@other.example/x/a",
            "lib/a/.gitmodules:3 submodule b: ssh://git@other.example/x/b",
            "lib/a/b/.gitmodules:3 submodule c: ssh://git@other.example/x/c",
        ]
    );
}

#[test]
fn a_relative_submodule_without_a_remote_is_asked_about() {
    let text = "[submodule \"a\"]\n\turl = ../a.git\n";
    let said = ".gitmodules:2? submodule a: its address is relative to its repository's remote, and there is none";
    assert_eq!(all(&[(".gitmodules", text)]), [said]);
    let two = "[remote \"x\"]\nurl = git@h.example:o/a\n[remote \"y\"]\nurl = git@h.example:o/b\n";
    assert_eq!(all(&[(".gitmodules", text), (".git/config", two)]), [said]);
    let one = "[remote \"upstream\"]\nurl = git@h.example:o/b.git\n";
    assert_eq!(
        all(&[(".gitmodules", text), (".git/config", one)]),
        [".gitmodules:2 submodule a: ssh://git@h.example/o/a"]
    );
}

#[test]
fn rules_of_the_repositorys_own_configuration_apply_and_includes_are_asked_about() {
    let text = "[submodule \"a\"]\n\turl = https://h.example/org/a.git\n";
    let config = "[url \"ssh://git@h.example/\"]\n\tinsteadOf = https://h.example/\n[include]\n\tpath = ~/x\n";
    assert_eq!(
        all(&[(".gitmodules", text), (".git/config", config)]),
        [
            ".gitmodules:2 submodule a: ssh://git@h.example/org/a",
            ".git/config:4? it includes another file, which is not read",
        ]
    );
}

#[test]
fn a_push_rule_changes_nothing_that_is_read() {
    let text = "[submodule \"a\"]\n\turl = https://h.example/org/a.git\n";
    let config = "[url \"ssh://git@h.example/\"]\n\tpushInsteadOf = https://h.example/\n";
    assert_eq!(
        all(&[(".gitmodules", text), (".git/config", config)]),
        [".gitmodules:2 submodule a: https://h.example/org/a"]
    );
}

#[test]
fn a_file_that_git_would_refuse_gives_nothing_but_its_line() {
    assert_eq!(
        found(read_modules, ".gitmodules", "[submodule \"a\"]\n\turl = git@h.example:o/a\n[submodule\n"),
        ["3? Git itself would not read this file from here on"]
    );
}

#[test]
fn an_address_that_leads_above_its_host_is_none() {
    for (remote, url) in [("https://h.example/app", "../../x"), ("git@h.example:app", "../../x"), ("app", "../x")] {
        assert_eq!(relative(remote, url), None, "{remote} {url}");
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "init.defaultBranch=main", "-C"]).arg(folder).args(arguments);
    git.env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CEILING_DIRECTORIES", folder);
    let out = git.output().expect("git cannot be run: install the package git");
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[test]
fn relative_addresses_come_out_as_git_itself_resolves_them() {
    for (remote, url) in [
        ("git@h.example:org/group/app.git", "../lib.git"),
        ("git@h.example:org/group/app.git/", "../../lib.git"),
        ("git@h.example:app.git", "../lib.git"),
        ("git@h.example:org/app", "./lib/"),
        ("ssh://git@h.example:2222/org/app.git", "../../other/lib.git"),
        ("https://h.example/org/app.git", ".././../lib.git"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["remote", "add", "origin", remote]);
        git(folder.path(), &["config", "-f", ".gitmodules", "submodule.a.path", "a"]);
        git(folder.path(), &["config", "-f", ".gitmodules", "submodule.a.url", url]);
        // A commit that is not there: only the address is of interest.
        let commit = "160000,0123456789012345678901234567890123456789,a";
        git(folder.path(), &["update-index", "--add", "--cacheinfo", commit]);
        git(folder.path(), &["submodule", "--quiet", "init"]);
        let expected = git(folder.path(), &["config", "submodule.a.url"]);
        assert_eq!(relative(remote, url), Some(expected), "{remote} {url}");
    }
}
