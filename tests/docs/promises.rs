//! docs/promises.md names tests that exist.

use std::path::Path;

/// All that stands between backquotes and names a function of a file.
fn references(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|quoted| quoted.split_once("::")).filter(|(path, _)| path.ends_with(".rs")).collect()
}

#[test]
fn every_test_that_a_promise_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/promises.md")).unwrap();
    let references = references(&text);
    assert!(references.len() > 50, "{references:?}");
    for (path, function) in references {
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(
            source.contains(&format!("#[test]\nfn {function}()"))
                || source.contains(&format!("    #[test]\n    fn {function}()")),
            "{path}::{function}"
        );
        // A file of tests that no `mod` names is never run.
        let folder = Path::new(path).parent().unwrap();
        let list = match folder.to_str().unwrap() {
            "integration/e2e" => "integration/e2e/main.rs",
            folder if folder.starts_with("tests/") => "tests/fast.rs",
            _ => continue,
        };
        let module = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let list = std::fs::read_to_string(root.join(list)).unwrap();
        assert!(list.contains(&format!("mod {module};")), "{path} is not run");
    }
}

#[test]
fn every_promise_is_there_and_says_what_is_not_protected_or_that_it_is_not_kept_yet() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/promises.md")).unwrap();
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), 9);
    for (number, section) in (1..).zip(sections) {
        assert!(section.starts_with(&format!("{number}. ")), "{section}");
        assert!(section.contains("**Not protected.**") || section.contains("\nNot yet:"), "{section}");
    }
}
