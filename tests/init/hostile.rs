//! Attacks by the files of a project: on time and memory, on the terminal, on the written file.
//!
//! A run that takes longer than half a minute, in a build without optimisation, fails its test.

use std::fmt::Write as _;

use valetkey::config;

use crate::keys::made;
use crate::run::place::{Place, Ran, ran};

/// Every name that a reader wants.
const FILES: [&str; 15] = [
    "poetry.lock",
    "pyproject.toml",
    "uv.lock",
    "pylock.toml",
    "requirements.txt",
    "Pipfile",
    "Pipfile.lock",
    "setup.cfg",
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    ".github/workflows/ci.yml",
    ".gitlab-ci.yml",
];

/// `valetkey init` in a project where each of these files has this text.
fn init(files: &[&str], text: impl AsRef<[u8]>) -> (Place, Ran) {
    let place = Place::new();
    std::fs::create_dir_all(place.project().join(".github/workflows")).unwrap();
    files.iter().for_each(|file| drop(place.write(file, &text)));
    let ran = ran(&mut place.valetkey(&["init", "--key", "env:KEY"]));
    (place, ran)
}

#[track_caller]
fn named(ran: &Ran, files: &[&str]) {
    assert!(ran.code == Some(0) && !ran.err.contains("panicked"), "{ran:?}");
    files.iter().for_each(|file| assert!(ran.err.contains(&format!("{file}:")), "{file} is not named in {ran:?}"));
}

#[test]
fn one_line_of_ten_megabytes_is_no_obstacle() {
    // One file for each way to read one.
    let files = ["uv.lock", "requirements.txt", "setup.cfg", "package-lock.json", "yarn.lock", ".gitlab-ci.yml"];
    for piece in ["x", "git+ssh://git@h.example/o/", "$SSH_KEY "] {
        let (_, ran) = init(&files, piece.repeat(10 * 1024 * 1024 / piece.len()));
        assert_eq!(ran.code, Some(0), "{piece:?}: {}", ran.err);
    }
}

#[test]
fn values_that_lie_very_deep_are_refused_and_named() {
    let (_, ran) = init(&["package.json", "package-lock.json", "Pipfile.lock"], "{\"dependencies\":".repeat(100_000));
    named(&ran, &["package.json", "package-lock.json", "Pipfile.lock"]);
    let yaml = ["pnpm-lock.yaml", ".gitlab-ci.yml", ".github/workflows/ci.yml"];
    named(&init(&yaml, "[".repeat(100_000)).1, &yaml);
    let toml = ["poetry.lock", "uv.lock", "pyproject.toml", "Pipfile", "pylock.toml"];
    named(&init(&toml, format!("a = {}", "[".repeat(100_000))).1, &toml);
}

#[test]
fn a_few_lines_of_yaml_that_stand_for_billions_are_refused_and_named() {
    let mut bomb = String::from("__metadata: 1\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(",")).unwrap();
    }
    let yaml = ["pnpm-lock.yaml", "yarn.lock", ".gitlab-ci.yml", ".github/workflows/ci.yml"];
    named(&init(&yaml, bomb).1, &yaml);
}

#[test]
fn what_is_not_utf_8_is_named() {
    named(&init(&FILES, b"\xff\xfe\x00git").1, &FILES);
}

#[test]
fn files_that_name_each_other_end() {
    let place = Place::new();
    place.write("requirements.txt", "-r requirements.txt\n-r other.txt\n");
    place.write(
        "other.txt",
        "-c requirements.txt\n-r ./other.txt\n-r ../project/other.txt\ngit+ssh://git@h.example/o/r.git\n",
    );
    ran(&mut place.valetkey(&["init"]))
        .is(0)
        .says(&["wrote 1 grant ", "other.txt:3: it names a file outside of the project"]);
}

#[test]
fn a_hundred_thousand_packages_are_read_in_bounded_time() {
    let count = 100_000;
    let of = |make: &dyn Fn(usize) -> String| (0..count).map(make).collect::<String>();
    let npm =
        of(&|at| format!("\"node_modules/p{at}\": {{\"resolved\": \"https://registry.example.com/p{at}.tgz\"}},\n"));
    let last = "git+ssh://git@h.example/o/last.git";
    for (file, text) in [
        (
            "poetry.lock",
            of(&|at| format!("[[package]]\nname = \"p{at}\"\n"))
                + "[[package]]\nname = \"last\"\nsource = {type = \"git\", url = \"ssh://git@h.example/o/last.git\"}\n",
        ),
        (
            "uv.lock",
            of(&|at| format!("[[package]]\nname = \"p{at}\"\n"))
                + "[[package]]\nname = \"last\"\nsource = {git = \"ssh://git@h.example/o/last.git#0\"}\n",
        ),
        ("requirements.txt", of(&|at| format!("p{at}==1.0 --hash=sha256:0\n")) + last),
        (
            "package-lock.json",
            format!("{{\"packages\": {{{npm}\"node_modules/last\": {{\"resolved\": \"{last}#0\"}}}}}}"),
        ),
        (
            "yarn.lock",
            of(&|at| format!("p{at}@^1:\n  version \"1\"\n  resolved \"https://registry.example.com/p.tgz\"\n\n"))
                + &format!("last@x:\n  resolved \"{last}#0\"\n"),
        ),
        (
            "pnpm-lock.yaml",
            String::from("packages:\n")
                + &of(&|at| format!("  p{at}@1:\n    resolution: {{integrity: x}}\n"))
                + &format!("  last@x:\n    resolution: {{type: git, repo: \"{last}\"}}\n"),
        ),
    ] {
        let (_, ran) = init(&[file], text);
        ran.is(0).says(&["wrote 1 grant "]);
    }
}

#[test]
fn a_hundred_thousand_packages_from_git_are_read_in_bounded_time_and_not_all_granted() {
    let text: String = (0..100_000).map(|at| format!("git+ssh://git@h.example/o/p{at}.git\n")).collect();
    let (place, ran) = init(&["requirements.txt"], text);
    ran.is(110).says(&["more than 20000 addresses", "no more than 500 grants are written", "repos = [\"org/*\"]"]);
    assert!(!place.project().join("valetkey.toml").exists());
}

/// Names that would do something on a terminal, or be lines or values of their own.
const NAMES: [&str; 5] =
    ["\u{1b}[2Jx", "x\u{7}\u{8}", "x\n[[grant]]\nkey = \"env:STOLEN\"", "x\"]\n", "\u{202e}gnp\u{2028}x"];

#[test]
fn names_reach_neither_the_terminal_nor_the_written_file_as_they_are() {
    for name in NAMES {
        let place = Place::new();
        let escaped = serde_json::Value::from(name).to_string();
        place.write("package.json", format!("{{\"dependencies\": {{{escaped}: \"git@h.example:o/r.git\", \"a\": {escaped}, \"b\": \"git@h.example:o/$x\"}}}}"));
        // A file's name, too.
        made::write(
            &place.project(),
            &format!("{}-requirements.txt", name.replace('/', "")),
            "git+ssh://git@h.example/o/s.git\ngit+ssh://git@$x/y\n",
        );
        let ran = ran(&mut place.valetkey(&["init", "--key", "env:KEY"]));
        ran.is(0).says(&["wrote 2 grants", "has a variable in it"]);
        let path = place.project().join("valetkey.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let raw = |c: char| (c.is_control() && c != '\n') || ['\u{202e}', '\u{2028}'].contains(&c);
        assert!(![&text, &ran.err, &ran.out].iter().any(|text| text.contains(raw)), "{text:?} {ran:?}");
        let config = config::read(&path).unwrap();
        assert_eq!((config.grants.len(), text.contains("\nkey = \"env:STOLEN")), (2, false), "{text}");
        ran_check(&place);
    }
}

fn ran_check(place: &Place) {
    ran(&mut place.valetkey(&["init", "--check"])).is(0);
}

#[test]
fn an_address_that_would_break_out_of_its_string_grants_nothing() {
    let place = Place::new();
    for (at, path) in ["o/r\"]", "o/r'", "o/../r", "o/*", "o/**", "-oX", "o/r\\\"]", "o/r%00"].iter().enumerate() {
        place.write(&format!("requirements{at}.txt"), format!("git+ssh://git@h.example/{path}\n"));
    }
    ran(&mut place.valetkey(&["init"])).is(0).says(&["not decided: a dependency: the address names no repository"]);
    assert!(!place.project().join("valetkey.toml").exists());
}

#[test]
fn nothing_outside_of_the_project_is_read() {
    let place = Place::new();
    std::fs::write(place.at("secret.txt"), "git+ssh://git@h.example/o/outside.git\n").unwrap();
    place.write("requirements.txt", "-r ../secret.txt\n-r /etc/passwd\n-r link.txt\n");
    for name in ["link.txt", "requirements-link.txt"] {
        std::os::unix::fs::symlink(place.at("secret.txt"), place.project().join(name)).unwrap();
    }
    let ran = ran(&mut place.valetkey(&["init"]));
    ran.is(0).says(&["requirements.txt:1:", "requirements.txt:2:", "requirements.txt:3:", "requirements-link.txt:1:"]);
    ran.never_says(&["outside.git"]);
    assert!(!place.project().join("valetkey.toml").exists());
}
