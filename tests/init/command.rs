//! `valetkey init` as a person runs it: what it writes, what it leaves alone, what it asks.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::real;
use crate::keys::made::{self, Kind};
use crate::run::place::{Place, Ran, ran};
use crate::run::terminal::{self, Terminal};

const NOT_COVERED: i32 = 116;
const NOT_ALL_READ: i32 = 117;
const NOT_CHANGED: i32 = 110;

fn init(place: &Place, args: &[&str]) -> Ran {
    ran(&mut place.valetkey(&[&["init"], args].concat()))
}

/// A place whose project has the files of one of the real tools.
fn with_files_of(name: &str) -> Place {
    let place = Place::new();
    for entry in std::fs::read_dir(real::folder(name)).unwrap() {
        let path = entry.unwrap().path();
        place.write(path.file_name().unwrap().to_str().unwrap(), std::fs::read(&path).unwrap());
    }
    place
}

fn config(place: &Place) -> String {
    std::fs::read_to_string(place.project().join("valetkey.toml")).unwrap()
}

#[test]
fn the_written_file_has_a_grant_a_repository_and_says_where_each_was_found() {
    let place = with_files_of("poetry-2");
    init(&place, &[]).is(0).says(&[
        "wrote 2 grants",
        "git.example.com has no pinned host key yet: valetkey host add git.example.com",
        "no key was found for omnibus, pricing: valetkey key add NAME --from FILE",
    ]);
    let expected = r#"# What this project's build reads over SSH, written by `valetkey init`. It holds no secret.
# `valetkey init --check` tells when it no longer covers what the lock files need.

# poetry.lock:35, dependency omnibus
# pyproject.toml:5, dependency omnibus
# its host key is not built in: valetkey host add git.example.com
[[grant]]
# valetkey key add omnibus --from FILE puts the key there
key = "keychain:omnibus"
host = "git.example.com"
repos = ["org/omnibus"]

# poetry.lock:51, dependency pricing
# its host key is not built in: valetkey host add [git.example.com]:2222
[[grant]]
# valetkey key add pricing --from FILE puts the key there
key = "keychain:pricing"
host = "[git.example.com]:2222"
repos = ["org/pricing"]
"#;
    assert_eq!(config(&place), expected);
}

#[test]
fn a_run_takes_the_written_file_as_it_is() {
    let place = with_files_of("poetry-2");
    init(&place, &["--key", "env:KEY"]).is(0);
    // The hosts' keys, as `valetkey host add` would have stored them.
    let public = made::key(Kind::Ed25519).line.trim().to_owned();
    std::fs::create_dir_all(place.at("config/valetkey")).unwrap();
    let lines = format!("git.example.com {public}\n[git.example.com]:2222 {public}\n");
    made::write(&place.at("config/valetkey"), "known_hosts", lines);
    ran(&mut place.valetkey(&["run", "--dry-run", "--", "true"]))
        .is(0)
        .shows(&["# lend env:KEY as ssh id default by gateway"]);
    ran(&mut place.valetkey(&["run", "--receipt", "r.json", "--", "true"])).is(0);
    let receipt = std::fs::read_to_string(place.project().join("r.json")).unwrap();
    assert!(receipt.contains("org/omnibus") && receipt.contains("org/pricing"), "{receipt}");
}

#[test]
fn the_written_file_covers_what_is_needed_and_a_second_time_changes_nothing() {
    for name in ["poetry-1", "uv", "pipenv", "pip-compile", "npm-6", "npm-11", "yarn-1", "yarn-4", "pnpm-6", "pnpm-9"] {
        let place = with_files_of(name);
        init(&place, &[]).is(0);
        let (path, before) = (place.project().join("valetkey.toml"), config(&place));
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        init(&place, &[]).is(0).says(&["covers all that is named in"]);
        init(&place, &["--check"]).is(0).says(&["covers all that is named in"]);
        assert_eq!(
            (config(&place), std::fs::metadata(&path).unwrap().modified().unwrap()),
            (before, modified),
            "{name}"
        );
    }
}

#[test]
fn a_project_that_reads_nothing_over_ssh_gets_no_file() {
    let place = Place::new();
    place.write("requirements.txt", "requests==2.0\n");
    init(&place, &[]).is(0).says(&["no repository that is read over SSH is named in 1 file"]);
    init(&place, &["--check"]).is(0);
    assert!(!place.project().join("valetkey.toml").exists());
}

#[test]
fn check_names_each_repository_that_is_not_covered_with_its_places() {
    let place = with_files_of("poetry-2");
    let missing = [
        "poetry.lock:35: dependency omnibus needs ssh://git@git.example.com/org/omnibus, which no grant covers",
        "pyproject.toml:5: dependency omnibus",
        "poetry.lock:51: dependency pricing needs ssh://git@git.example.com:2222/org/pricing",
    ];
    init(&place, &["--check"]).is(NOT_COVERED).shows(&missing).says(&["does not cover 2 repositories"]);
    assert!(!place.project().join("valetkey.toml").exists());
    // One of them, by a pattern; and a grant that nothing needs.
    let one = "[[grant]]\nkey = \"env:KEY\"\nhost = \"git.example.com\"\nrepos = [\"org/*\"]\n";
    let other = "[[grant]]\nkey = \"env:KEY\"\nhost = \"github.com\"\nrepos = [\"org/old\"]\n";
    place.write("valetkey.toml", format!("{one}{other}"));
    init(&place, &["--check"])
        .is(NOT_COVERED)
        .shows(&missing[2..])
        .says(&["does not cover 1 repository", "no file names org/old (github.com), which is granted"])
        .never_says(&["omnibus"]);
}

#[test]
fn a_dependency_that_is_added_later_fails_the_check_and_is_added_behind_what_is_there() {
    let place = with_files_of("pip-compile");
    init(&place, &["--key", "env:KEY"]).is(0);
    // A person's own words and order, and a last line without its end.
    let before = config(&place).replace("env:KEY", "env:OTHER") + "# mine, with ü and \"quotes\"";
    let path = place.write("valetkey.toml", &before);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    place.write("requirements-dev.txt", "new @ git+ssh://deploy@github.com/org/new.git\n");
    init(&place, &["--check"]).is(NOT_COVERED).shows(&["requirements-dev.txt:1: dependency new"]);

    let added = "\n# requirements-dev.txt:1, dependency new\n[[grant]]\nkey = \"env:KEY\"\nhost = \"github.com\"\nuser = \"deploy\"\nrepos = [\"org/new\"]\n";
    let diff = "-# mine, with ü and \"quotes\"\n\\ No newline at end of file\n+# mine, with ü and \"quotes\"\n+\n\
                +# requirements-dev.txt:1, dependency new\n+[[grant]]\n";
    // Nobody is here to say yes.
    init(&place, &["--key", "env:KEY"]).is(NOT_CHANGED).shows(&[diff]).says(&["nobody is here to agree", "--yes"]);
    assert_eq!(config(&place), before);
    init(&place, &["--key", "env:KEY", "--yes"]).is(0).shows(&[diff]);
    assert_eq!(config(&place), format!("{before}\n{added}"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    init(&place, &["--check"]).is(0);
}

#[test]
fn the_shown_diff_is_one_that_patch_applies() {
    let place = with_files_of("uv");
    for before in ["", "\n", "# a\n", "# a\n# b\n# c\n# d\n# e\n", "lend = \"gateway\""] {
        let path = place.write("valetkey.toml", before);
        let shown = init(&place, &["--key", "env:KEY"]);
        assert_eq!(shown.code, Some(NOT_CHANGED));
        let patch = place.write("shown.diff", &shown.out);
        let patched = place.project().join("patched.toml");
        made::run("patch", &["-s", "-o", made::path_str(&patched), made::path_str(&path), made::path_str(&patch)]);
        init(&place, &["--key", "env:KEY", "--yes"]).is(0);
        assert_eq!(std::fs::read_to_string(patched).unwrap(), config(&place), "{before:?}");
    }
}

#[test]
fn a_person_at_the_terminal_is_shown_the_change_and_asked() {
    let place = with_files_of("uv");
    place.write("valetkey.toml", "# mine\n");
    for (typed, code, changed) in [("no\n", NOT_CHANGED, false), ("\n", NOT_CHANGED, false), ("yes\n", 0, true)] {
        let terminal = Terminal::new();
        let child = terminal.start(&place, &[crate::run::place::VALETKEY, "init", "--key", "env:KEY"]);
        terminal.until_shown("(yes / no)");
        assert!(terminal.shown().contains("+[[grant]]"), "{}", terminal.shown());
        terminal.types(typed);
        assert_eq!((terminal::code(child), config(&place) != "# mine\n"), (Some(code), changed), "{typed:?}");
    }
}

#[test]
fn a_file_that_says_no_grant_for_a_repository_is_believed() {
    let place = with_files_of("npm-11");
    init(&place, &[]).is(0);
    let text = config(&place);
    let line = "# no grant for ssh://git@github.com/org/tool\n";
    assert!(text.contains(&format!("#   {line}")), "{text}");
    // As it says: the line in the place of the grant.
    let (before, rest) = text.split_once("[[grant]]\n").unwrap();
    let (_, behind) = rest.split_once("\n\n").unwrap();
    place.write("valetkey.toml", format!("{before}\n{behind}"));
    init(&place, &["--check"]).is(NOT_COVERED).shows(&["org/tool", "where it is public, write: # no grant for"]);
    place.write("valetkey.toml", format!("{line}{behind}"));
    init(&place, &["--check"]).is(0);
    init(&place, &[]).is(0);
}

#[test]
fn a_token_in_an_address_is_told_and_never_copied() {
    let place = Place::new();
    place.write("requirements.txt", "git+https://ci:hunter2secret@git.example.com/org/a.git\ngit+ssh://git:hunter2secret@git.example.com/org/b.git\n");
    let ran = init(&place, &["--key", "env:KEY"]);
    ran.is(0).says(&["requirements.txt:1: the address holds a password or a token", "requirements.txt:2: the address"]);
    ran.never_says(&["hunter2"]);
    assert!(!config(&place).contains("hunter2") && config(&place).contains("org/b"));
    // HTTPS is no need that a key can be lent for.
    ran.says(&[
        "requirements.txt:1: a dependency is read from https://git.example.com/org/a, which no SSH key opens",
        "insteadOf",
        "[[secret]]",
    ]);
    assert!(!config(&place).contains("org/a"));
}

#[test]
fn a_file_that_cannot_be_understood_is_told_and_fails_the_check() {
    let place = Place::new();
    place.write("poetry.lock", "[[package]\n");
    init(&place, &[]).is(0).says(&["poetry.lock:1: the file cannot be understood: line 1"]);
    init(&place, &["--check"]).is(NOT_ALL_READ).says(&["poetry.lock:1", "not everything could be"]);
}

#[test]
fn an_existing_file_that_cannot_be_followed_is_left_as_it_is() {
    let place = with_files_of("uv");
    for (text, said) in [
        ("grant = [{ key = \"env:KEY\", host = \"github.com\" }]\n", "failed to add grants behind what is there"),
        ("[[grant]\n", "failed to parse"),
        ("key = 1\n", "unknown field"),
    ] {
        place.write("valetkey.toml", text);
        init(&place, &["--yes", "--key", "env:KEY"]).is(110).says(&[said]);
        assert_eq!(config(&place), text);
    }
}

#[test]
fn the_nearest_config_above_is_the_one_that_counts() {
    let place = Place::new();
    std::fs::create_dir(place.project().join("service")).unwrap();
    made::write(&place.project().join("service"), "requirements.txt", "git+ssh://git@github.com/org/a.git\n");
    place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\nhost = \"github.com\"\nrepos = [\"org/a\"]\n");
    init(&place, &["service", "--check"]).is(0);
    init(&place, &["service"]).is(0);
    assert!(!place.project().join("service/valetkey.toml").exists());
}

#[test]
fn a_link_to_the_config_stays_a_link() {
    let place = with_files_of("uv");
    place.write("real.toml", "# mine\n");
    std::os::unix::fs::symlink("real.toml", place.project().join("valetkey.toml")).unwrap();
    init(&place, &["--yes", "--key", "env:KEY"]).is(0);
    assert!(place.project().join("valetkey.toml").is_symlink());
    assert!(std::fs::read_to_string(place.project().join("real.toml")).unwrap().contains("org/omnibus"));
}

#[test]
fn a_source_that_cannot_be_asked_twice_or_is_the_key_itself_is_refused() {
    let place = with_files_of("uv");
    init(&place, &["--key", "stdin"]).is(110).says(&["standard input is read once"]);
    let key = made::key(Kind::Ed25519).text.clone();
    init(&place, &["--key", &key]).is(110).says(&["the key itself was typed"]).never_says(&["BEGIN"]);
    assert!(!place.project().join("valetkey.toml").exists());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    init(&place, &["nowhere"]).is(110).says(&["failed to read the folder nowhere"]);
    assert!(!Path::new("nowhere").exists());
}

#[test]
fn as_many_grants_as_the_limit_are_written_and_of_one_more_none() {
    let place = Place::new();
    let needs =
        |count: usize| -> String { (0..count).map(|at| format!("git+ssh://git@github.com/org/p{at}.git\n")).collect() };
    place.write("requirements.txt", needs(501));
    init(&place, &["--key", "env:KEY"]).is(110).says(&["reads 501 repositories", "no more than 500 grants"]);
    assert!(!place.project().join("valetkey.toml").exists());
    place.write("requirements.txt", needs(500));
    init(&place, &["--key", "env:KEY"]).is(0).says(&["wrote 500 grants"]);
    init(&place, &["--check"]).is(0);
}

#[test]
fn as_many_lines_of_a_kind_as_the_limit_are_shown_and_the_others_are_counted() {
    let place = Place::new();
    for (count, last) in [(50, "p49"), (52, "and 2 more")] {
        let lines = (0..count).map(|at| format!("git+https://git.example.com/org/p{at}\n"));
        place.write("requirements.txt", lines.collect::<String>());
        let ran = init(&place, &[]);
        ran.is(0).says(&[last]).never_says(&["p50"]);
        let lines = (0..count).map(|at| format!("git+ssh://git@git.example.com/org/p{at}\n"));
        place.write("requirements.txt", lines.collect::<String>());
        init(&place, &["--check"]).is(NOT_COVERED).shows(&[last]).never_says(&["p50"]);
    }
}

#[test]
fn insteadof_of_the_repositorys_own_configuration_makes_an_https_need_one_over_ssh() {
    let place = Place::new();
    place.write("requirements.txt", "git+https://git.example.com/org/a.git@v1#egg=a\n");
    init(&place, &["--key", "env:KEY"]).is(0).says(&["which no SSH key opens"]);
    assert!(!place.project().join("valetkey.toml").exists(), "the control: nothing makes it one over SSH");
    let git = |args: &[&str]| ran(place.command("git").args(args)).code;
    assert_eq!(git(&["init", "-q"]), Some(0));
    let rule = ["config", "url.ssh://git@git.example.com:2222/.insteadOf", "https://git.example.com/"];
    assert_eq!(git(&rule), Some(0));
    // From a folder inside the repository, too.
    std::fs::create_dir(place.project().join("service")).unwrap();
    std::fs::copy(place.project().join("requirements.txt"), place.project().join("service/requirements.txt")).unwrap();
    for folder in ["service", "."] {
        init(&place, &["--key", "env:KEY", folder]).is(0).says(&["wrote 1 grant "]);
        let path = place.project().join(folder).join("valetkey.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(text.contains("host = \"[git.example.com]:2222\"\nrepos = [\"org/a\"]"), "{text}");
    }
}
