//! docs/adding-a-rule.md names paths that exist, and every rule's file is named where it says.

use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All that stands between backquotes and is a path of this repository.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| ["src/", "tests/", "docs/"].iter().any(|folder| quoted.starts_with(folder))).collect()
}

#[test]
fn every_path_that_the_checklist_names_exists() {
    let text = read("docs/adding-a-rule.md");
    let paths = paths(&text);
    assert!(paths.len() >= 20, "{paths:?}");
    for path in paths {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(place.exists(), "{path}");
        assert_eq!(place.is_dir(), path.ends_with('/'), "{path}");
    }
}

#[test]
fn every_file_of_a_rule_is_a_module_and_has_examples() {
    let shared = ["assignments", "json"];
    for folder in ["src/audit/secrets/tokens", "src/audit/secrets/files"] {
        let list = read(&format!("{folder}.rs"));
        let mut count = 0;
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let module = file.strip_suffix(".rs").unwrap();
            assert!(list.contains(&format!("mod {module};")), "{folder}/{file}");
            if shared.contains(&module) {
                continue;
            }
            assert!(list.contains(&format!("&{module}::")), "{folder}/{file} is in no list");
            let text = read(&format!("{folder}/{file}"));
            assert!(text.contains("found: vec![") && text.contains("not: vec!["), "{folder}/{file}");
            count += 1;
        }
        assert!(count > 20, "{folder}: {count}");
    }
}

#[test]
fn every_file_of_a_rule_of_the_checker_is_a_module_in_the_list_and_has_the_rules_name() {
    let list = read("src/check/rules.rs");
    let mut count = 0;
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/rules")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let module = file.strip_suffix(".rs").unwrap();
        if module == "tests" {
            continue;
        }
        assert!(list.contains(&format!("mod {module};")), "{file}");
        let text = read(&format!("src/check/rules/{file}"));
        assert!(text.contains(&format!("id: \"{}\"", module.replace('_', "-"))), "{file}: its rule has another id");
        assert!(list.contains(&format!("{module}::RULE")), "{file} is in no list");
        count += 1;
    }
    assert_eq!(count, valetkey::check::rules::RULES.len());
}

#[test]
fn what_the_checklist_says_of_a_new_rule_is_so() {
    let text = read("docs/adding-a-rule.md");
    let commands: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(|quoted| quoted.starts_with("cargo ")).collect();
    assert_eq!(
        commands,
        [
            "cargo test --lib audit::",
            "cargo test --test fast docs::",
            "cargo run -- check --rules=markdown > docs/rules.md",
            "cargo test --lib check::",
            "cargo test --test fast -- check:: docs::",
        ]
    );
    // The names that it points to are there.
    for (path, name) in [
        ("src/check/finding.rs", "pub fn fixed_by"),
        ("src/check/finding.rs", "pub fn offers"),
        ("src/check/rule.rs", "pub fixed: Option"),
        ("src/wire/text.rs", "pub fn shown"),
        ("src/check/fix.rs", "pub fn without"),
    ] {
        assert!(read(path).contains(name), "{path}: {name}");
    }
}
