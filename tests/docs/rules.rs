//! docs/rules.md is what the rules themselves say, and this repository's own recipes follow them.

use std::path::Path;
use std::process::Command;

use valetkey::check::page::markdown;
use valetkey::check::rules::RULES;

#[test]
fn the_page_of_rules_is_made_of_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page == markdown(RULES), "write it anew: cargo run -- check --rules=markdown > docs/rules.md");
    for rule in RULES {
        assert!(page.contains(&format!("\n## {}\n", rule.id)), "{}", rule.id);
    }
}

#[test]
fn nothing_is_found_in_this_repository() {
    let checked = Command::new(env!("CARGO_BIN_EXE_valetkey"))
        .args(["check", "--no-config"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
    assert!(checked.stdout.starts_with(b"nothing found in "), "{}", String::from_utf8_lossy(&checked.stdout));
}
