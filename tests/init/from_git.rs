//! Files that the real tools wrote (`tests/init/real/from-git.ORIGIN.md`), and what is read of them.

use std::fs;
use std::path::{Path, PathBuf};

use valetkey::project::{self, Address, Over};

fn real(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init/real").join(tool)
}

/// A project with the files of that tool, `from` named `to` in it, and further ones.
fn project_of(tool: &str, files: &[(&str, &str)], more: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    files.iter().for_each(|(from, to)| put(to, &fs::read(real(tool).join(from)).unwrap()));
    more.iter().for_each(|(name, text)| put(name, text.as_bytes()));
    folder
}

/// `FILE:LINE WHAT: ADDRESS`, and `FILE:LINE? WHY`.
fn found(root: &Path) -> Vec<String> {
    let reading = project::read(root).unwrap();
    let needs = reading.needs.iter().map(|need| format!("{} {}: {}", need.place, need.what, need.address));
    needs.chain(reading.undecided.iter().map(|undecided| format!("{}? {}", undecided.place, undecided.why))).collect()
}

const LEAF: &str = "dependency leaf: ssh://git@git.example.com/org/leaf";
const SHARED: &str = "dependency shared: ssh://git@git.example.com/org/shared";
const PATCHED: &str = "dependency patched: ssh://git@git.example.com/org/patched";

#[test]
fn what_cargo_locked_is_read_with_what_it_needs_in_its_turn() {
    // Nothing but the lock file names `leaf` as what `shared` needs.
    let folder =
        project_of("cargo", &[("Cargo.lock", "Cargo.lock"), (".cargo/config.toml", ".cargo/config.toml")], &[]);
    let expected =
        [format!("Cargo.lock:17 {LEAF}"), format!("Cargo.lock:29 {PATCHED}"), format!("Cargo.lock:34 {SHARED}")];
    assert_eq!(found(folder.path()), expected);
}

#[test]
fn cargos_manifests_name_what_they_patch_and_what_they_patch_it_with() {
    assert_eq!(
        found(&real("cargo")),
        [
            format!("Cargo.lock:17 {LEAF}"),
            format!("Cargo.lock:29 {PATCHED}"),
            format!("Cargo.lock:34 {SHARED}"),
            "Cargo.toml:14 dependency patched: https://git.example.com/org/upstream".to_owned(),
            format!("Cargo.toml:17 {LEAF}"),
            format!("Cargo.toml:5 {SHARED}"),
            format!("Cargo.toml:20 {PATCHED}"),
        ]
    );
}

#[test]
fn cargo_without_gits_own_client_is_told_what_to_set() {
    let folder = project_of("cargo", &[("Cargo.lock", "Cargo.lock")], &[]);
    let said = found(folder.path());
    assert!(
        said.iter().any(|line| line.starts_with("Cargo.lock:17? cargo uses an SSH client of its own")),
        "{said:#?}"
    );
    for more in [
        ("Dockerfile", "FROM a\nENV CARGO_NET_GIT_FETCH_WITH_CLI=true\n"),
        (".cargo/config.toml", "net.git-fetch-with-cli = true\n"),
    ] {
        let folder = project_of("cargo", &[("Cargo.lock", "Cargo.lock")], &[more]);
        assert!(!found(folder.path()).iter().any(|line| line.contains('?')), "{more:?}");
    }
}

const GO: [(&str, &str); 2] = [("go.mod", "go.mod"), ("go.sum", "go.sum")];
const RULES: &str = "git config --global url.ssh://git@git.example.com/.insteadOf https://git.example.com/ && \
    git config --global url.\"git@github.com:\".insteadOf https://github.com/";

#[test]
fn what_goprivate_names_is_read_over_ssh_where_a_dockerfile_says_so() {
    let dockerfile =
        format!("FROM a\nENV GOPRIVATE=git.example.com,github.com/org/*\nRUN {RULES}\nRUN go mod download\n");
    let folder = project_of("go", &GO, &[("Dockerfile", &dockerfile)]);
    assert_eq!(
        found(folder.path()),
        [
            "go.mod:5 module github.com/org/gohub/v2: ssh://git@github.com/org/gohub",
            "go.mod:7 module git.example.com/org/golib.git: ssh://git@git.example.com/org/golib",
        ]
    );
}

#[test]
fn goprivate_is_found_wherever_a_project_sets_it() {
    let needs = |file: &str, text: &str| {
        let folder = project_of("go", &GO, &[(file, text)]);
        project::read(folder.path()).unwrap().needs.len()
    };
    assert_eq!(needs("README.md", "GOPRIVATE=git.example.com\n"), 0);
    for (file, text) in [
        ("Dockerfile", "FROM a\nARG GOPRIVATE=git.example.com\n"),
        ("Dockerfile", "FROM a\nRUN GOPRIVATE=git.example.com go mod download\n"),
        ("Dockerfile", "FROM a\nRUN go env -w GOPRIVATE=git.example.com\n"),
        ("compose.yaml", "services: {a: {build: {context: ., args: {GOPRIVATE: git.example.com}}}}\n"),
        ("compose.yaml", "services:\n  a:\n    environment: [GONOPROXY=git.example.com]\n"),
        ("docker-bake.hcl", "target \"a\" {\n  args = { GOPRIVATE = \"git.example.com\" }\n}\n"),
        (".env", "GOPRIVATE=git.example.com\n"),
        ("Makefile", "export GOPRIVATE := git.example.com\n"),
        (".github/workflows/ci.yml", "jobs: {a: {env: {GOPRIVATE: git.example.com}}}\n"),
        (".gitlab-ci.yml", "variables:\n  GOINSECURE: git.example.com\n"),
    ] {
        assert_eq!(needs(file, text), 1, "{file}: {text}");
    }
}

#[test]
fn a_sum_alone_names_the_modules_too() {
    let folder = project_of("go", &[("go.sum", "go.sum")], &[(".env", "GOPRIVATE=git.example.com\n")]);
    assert_eq!(
        found(folder.path()),
        ["go.sum:1 module git.example.com/org/golib.git: https://git.example.com/org/golib"]
    );
}

#[test]
fn what_bundler_locked_is_read_and_its_gemfile_says_the_same() {
    let lock = project_of("bundler", &[("Gemfile.lock", "Gemfile.lock")], &[]);
    let gems = [
        (2, 1, "gem widget: ssh://git@git.example.com/org/widget"),
        (9, 3, "gem gizmo: https://github.com/org/gizmo"),
        (15, 2, "gem gadget: ssh://git@git.example.com/org/gadget"),
    ];
    assert_eq!(found(lock.path()), gems.map(|(line, _, gem)| format!("Gemfile.lock:{line} {gem}")));
    let gemfile = project_of("bundler", &[("Gemfile", "Gemfile")], &[]);
    let mut read = found(gemfile.path());
    read.sort();
    let mut expected = gems.map(|(_, line, gem)| format!("Gemfile:{line} {gem}"));
    expected.sort();
    assert_eq!(read, expected);
}

#[test]
fn what_composer_locked_is_read_with_what_it_needs_in_its_turn() {
    let lock = project_of("composer", &[("composer.lock", "composer.lock")], &[]);
    assert_eq!(
        found(lock.path()),
        [
            "composer.lock:14 dependency org/deep: ssh://git@git.example.com/org/phpdeep",
            "composer.lock:25 dependency org/lib: ssh://git@git.example.com/org/phplib",
        ]
    );
    let manifest = project_of("composer", &[("composer.json", "composer.json")], &[]);
    assert_eq!(
        found(manifest.path()),
        [
            "composer.json:4 repository of packages: ssh://git@git.example.com/org/phplib",
            "composer.json:5 repository of packages: ssh://git@git.example.com/org/phpdeep",
        ]
    );
}

#[test]
fn submodules_come_out_as_git_resolved_them() {
    let folder = project_of("git", &[("gitmodules", ".gitmodules"), ("config", ".git/config")], &[]);
    let reading = project::read(folder.path()).unwrap();
    // What `git submodule add` wrote into the configuration.
    let list = fs::read_to_string(real("git").join("list")).unwrap();
    let resolved: Vec<Address> = list
        .lines()
        .filter_map(|line| line.strip_prefix("submodule.")?.split_once(".url="))
        .map(|(_, url)| Address::parse(url).unwrap())
        .collect();
    assert_eq!(resolved.len(), 2);
    assert_eq!(reading.needs.iter().map(|need| need.address.clone()).collect::<Vec<_>>(), resolved);
    assert_eq!(reading.needs[1].what, "submodule the \"other\" [one]");
    assert!(reading.undecided.is_empty(), "{:?}", reading.undecided);
}

#[test]
fn the_repositorys_own_rule_makes_an_https_dependency_one_over_ssh() {
    let more = [("requirements.txt", "a @ git+https://git.example.com/org/a.git\n")];
    let folder = project_of("git", &[("config", ".git/config")], &more);
    assert_eq!(found(folder.path()), ["requirements.txt:1 dependency a: ssh://git@git.example.com/org/a"]);
}

#[test]
fn terraforms_modules_come_out_as_it_resolved_them() {
    let reading = project::read(&real("terraform")).unwrap();
    // The sources that Terraform itself fetched from.
    let modules = fs::read_to_string(real("terraform").join("modules.json")).unwrap();
    let modules: serde_json::Value = serde_json::from_str(&modules).unwrap();
    let resolved: Vec<Address> = modules["Modules"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|module| module["Source"].as_str()?.strip_prefix("git::"))
        .map(|source| Address::parse(&source.replace(".git//sub", ".git")).unwrap())
        .collect();
    assert_eq!(resolved.len(), 5);
    assert_eq!(reading.needs.iter().map(|need| need.address.clone()).collect::<Vec<_>>(), resolved);
    assert_eq!(reading.needs.iter().filter(|need| need.address.over == Over::Ssh).count(), 3);
    assert!(reading.undecided.is_empty(), "{:?}", reading.undecided);
}

#[test]
fn a_compose_project_is_read_through_its_included_and_extended_files() {
    let files = [
        ("compose.yaml", "include: [deploy/more.yaml]\nservices:\n  a:\n    extends: {file: base.yml, service: a}\n"),
        ("deploy/more.yaml", "services: {b: {build: {context: git@git.example.com:org/b.git, dockerfile: x}}}\n"),
        ("base.yml", "services: {a: {build: {context: app, dockerfile: build.txt}}}\n"),
        ("app/build.txt", "FROM a\nADD git@git.example.com:org/c.git /c\n"),
    ];
    assert_eq!(
        found(project_of("git", &[], &files).path()),
        [
            "app/build.txt:2 ADD: ssh://git@git.example.com/org/c",
            "deploy/more.yaml:1 build context of b: ssh://git@git.example.com/org/b",
        ]
    );
}
