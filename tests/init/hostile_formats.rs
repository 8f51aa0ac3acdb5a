//! Damaged and hostile files of every format: a word about it, in bounded time, and no more.

use std::time::{Duration, Instant};

use valetkey::project::{self, Files, Reading};

/// The most time that one file may take in a build without optimisation, on a busy machine.
const WITHIN: Duration = Duration::from_secs(60);

/// A file of each format, with what opens a list or table without end in it.
const NESTING: [(&str, &str, &str); 8] = [
    ("Cargo.toml", "a = ", "["),
    ("Cargo.lock", "a = ", "{a="),
    (".cargo/config.toml", "a = ", "["),
    ("composer.json", "", "["),
    ("composer.lock", "", "{\"a\":"),
    ("main.tf", "a = ", "["),
    ("docker-bake.hcl", "a = ", "(("),
    ("compose.yaml", "", "["),
];
/// A file of every format that is read here.
const NAMES: [&str; 19] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "go.mod",
    "go.work",
    "go.sum",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    ".gitmodules",
    ".git/config",
    "main.tf",
    "main.tf.json",
    "compose.yaml",
    "docker-bake.hcl",
    "Dockerfile",
    ".github/workflows/ci.yml",
    ".env",
];

struct Made(Vec<(String, Vec<u8>)>);

impl Files for Made {
    fn list(&self, folder: &str) -> std::io::Result<Vec<(String, bool)>> {
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let names = self.0.iter().filter_map(|(path, _)| path.strip_prefix(&below));
        let mut names: Vec<(String, bool)> = names
            .map(|rest| rest.split_once('/').map_or((rest.to_owned(), false), |(folder, _)| (folder.to_owned(), true)))
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn read(&self, file: &str, max: usize) -> std::io::Result<Option<Vec<u8>>> {
        let found = self.0.iter().find(|(path, _)| path == file);
        Ok(found.map(|(_, bytes)| bytes[..bytes.len().min(max + 1)].to_vec()))
    }
}

fn read(files: &[(&str, &[u8])]) -> Reading {
    let begin = Instant::now();
    let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    let reading = project::read_from(&Made(files)).unwrap();
    assert!(begin.elapsed() < WITHIN, "{:?}", begin.elapsed());
    reading
}

#[test]
fn a_file_that_is_not_utf_8_is_named_and_not_read() {
    for name in NAMES {
        let reading = read(&[(name, b"git@git.example.com:org/a.git \xff\xfe\n")]);
        assert!(reading.needs.is_empty(), "{name}");
        let whys: Vec<&str> = reading.unread.iter().map(|unread| unread.why.as_str()).collect();
        assert_eq!(whys, ["the file is not UTF-8, and was not read"], "{name}");
    }
}

#[test]
fn a_line_of_ten_megabytes_ends_in_bounded_time() {
    // To each what it has most work with.
    for (name, piece) in [
        ("Cargo.toml", "["),
        ("go.mod", "\""),
        ("go.sum", " "),
        ("Gemfile", "[a:"),
        ("Gemfile.lock", "a "),
        ("composer.lock", "["),
        (".git/config", "a"),
        (".gitmodules", "[a \"\\"),
        ("main.tf", "["),
        ("docker-bake.hcl", "a=\"$"),
        ("compose.yaml", "a "),
        ("Dockerfile", "a=\\"),
        ("Dockerfile", "RUN git clone git@git.example.com:o/r;"),
        (".gitlab-ci.yml", "a$"),
        (".env", "a="),
    ] {
        let line = piece.repeat((10 << 20) / piece.len());
        let reading = read(&[(name, line.as_bytes())]);
        assert!(reading.needs.len() <= 20_000 && reading.unread.len() <= 1_000, "{name} {piece}");
    }
}

#[test]
fn values_that_lie_too_deep_are_told_and_do_not_end_the_program() {
    for (name, begin, piece) in NESTING {
        let text = format!("{begin}{}", piece.repeat(200_000));
        let reading = read(&[(name, text.as_bytes())]);
        assert_eq!(reading.unread.len(), 1, "{name}: {:?}", reading.unread);
    }
}

#[test]
fn a_document_that_stands_for_billions_of_values_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let row = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{row}]\n"));
    }
    bomb.push_str("services: {a: {build: {context: git@git.example.com:o/r, args: *a11}}}\n");
    for name in ["compose.yaml", ".github/workflows/ci.yml", ".gitlab-ci.yml"] {
        let reading = read(&[(name, bomb.as_bytes())]);
        assert!(reading.needs.is_empty());
        assert!(!reading.unread.is_empty(), "{name}");
    }
}

#[test]
fn files_that_include_and_extend_each_other_in_a_circle_are_read_once() {
    let reading = read(&[
        ("compose.yaml", b"include: [a.yml, compose.yaml]\nservices: {s: {build: git@git.example.com:org/s}}\n"),
        ("a.yml", b"include: [b.yml]\nservices: {a: {extends: {file: b.yml}, build: git@git.example.com:org/a}}\n"),
        (
            "b.yml",
            b"include: [a.yml]\nservices: {b: {extends: {file: compose.yaml}, build: git@git.example.com:org/b}}\n",
        ),
    ]);
    let mut found: Vec<&str> = reading.needs.iter().map(|need| need.address.repository.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["org/a", "org/b", "org/s"]);
    assert!(reading.undecided.is_empty(), "{:?}", reading.undecided);
}

#[test]
fn a_chain_of_included_files_without_end_is_told() {
    let files: Vec<(String, Vec<u8>)> = (0..100)
        .map(|at| (format!("c{at}.yml"), format!("include: [c{}.yml]\n", at + 1).into_bytes()))
        .chain([("compose.yaml".to_owned(), b"include: [c0.yml]\n".to_vec())])
        .collect();
    let reading = project::read_from(&Made(files)).unwrap();
    assert_eq!(reading.files.len(), project::walk::MAX_CHAIN + 1);
    assert_eq!(reading.unread.len(), 1, "{:?}", reading.unread);
}

#[test]
fn ten_thousand_services_and_a_hundred_thousand_packages_are_read_in_bounded_time() {
    let services: String =
        (0..10_000).map(|at| format!("  s{at}: {{build: git@git.example.com:org/r{at}}}\n")).collect();
    let reading = read(&[("compose.yaml", format!("services:\n{services}").as_bytes())]);
    assert_eq!(reading.needs.len(), 10_000);
    let packages: String = (0..100_000)
        .map(|at| {
            let source =
                if at % 10 == 0 { "git+ssh://git@git.example.com/org/" } else { "registry+https://x.example/" };
            format!("[[package]]\nname = \"p{at}\"\nversion = \"1.0.0\"\nsource = \"{source}p{at}#1\"\n\n")
        })
        .collect();
    let reading = read(&[("Cargo.lock", packages.as_bytes())]);
    assert_eq!(reading.needs.len(), 10_000);
    let sums: String = (0..100_000).map(|at| format!("git.example.com/org/m{at} v1.0.0 h1:x=\n")).collect();
    let reading = read(&[("go.sum", sums.as_bytes()), (".env", b"GOPRIVATE=git.example.com")]);
    assert_eq!((reading.needs.len(), reading.unread.len()), (20_000, 1));
}

#[test]
fn no_name_out_of_a_file_writes_to_the_terminal() {
    let escape = "\u{1b}[2J\u{202e}";
    for (name, text) in [
        ("Cargo.toml", "[dependencies]\n\"a\\u001b[2J\" = { git = \"ssh://git@git.example.com/o/r\" }\n".to_owned()),
        (
            "compose.yaml",
            "services: {\"\\e[2J\": {build: {context: git@git.example.com:o/r, additional_contexts: {\"\\e\": $X}}}}\n"
                .to_owned(),
        ),
        (
            ".gitmodules",
            format!("[submodule \"{escape}\"]\nurl = git@git.example.com:o/r\n[submodule \"{escape}x\"]\nurl = ../x\n"),
        ),
        ("main.tf", format!("module \"{escape}\" {{\n  source = \"git@git.example.com:o/r\"\n}}\n")),
        ("go.mod", format!("require git.example.com/{escape}/r v1\nrequire git.example.com/o/r v1\n")),
        ("Gemfile", format!("gem \"{escape}\", git: \"git@git.example.com:o/r\"\n")),
    ] {
        let reading = read(&[(name, text.as_bytes()), (".env", b"GOPRIVATE=git.example.com")]);
        assert_eq!(reading.needs.len(), 1, "{name}");
        let said = reading.needs.iter().map(|need| format!("{} {}", need.what, need.address));
        for line in said.chain(reading.undecided.iter().chain(&reading.unread).map(|said| said.why.clone())) {
            assert!(line.chars().all(valetkey::wire::text::is_harmless), "{name}: {line:?}");
        }
    }
}

#[test]
fn a_token_in_an_address_is_told_by_its_place_and_copied_nowhere() {
    for (name, text) in [
        ("Cargo.toml", "[dependencies]\na = { git = \"https://u:hunter2@git.example.com/o/r\" }\n"),
        (
            "composer.json",
            "{\"repositories\": [\n{\"type\": \"git\", \"url\": \"https://u:hunter2@git.example.com/o/r\"}]}\n",
        ),
        (".gitmodules", "[submodule \"a\"]\nurl = https://u:hunter2@git.example.com/o/r\n"),
        ("Dockerfile", "FROM a\nRUN git clone https://u:hunter2@git.example.com/o/r\n"),
        ("compose.yaml", "services:\n  a: {build: \"https://u:hunter2@git.example.com/o/r.git\"}\n"),
        ("Gemfile", "#\ngem 'a', git: 'https://u:hunter2@git.example.com/o/r'\n"),
    ] {
        let reading = read(&[(name, text.as_bytes())]);
        assert!(!format!("{reading:?}").contains("hunter2"), "{name}");
        assert_eq!(reading.secrets.iter().map(|place| place.line).collect::<Vec<_>>(), [2], "{name}");
    }
}
