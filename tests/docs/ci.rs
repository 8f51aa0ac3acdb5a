//! What README.md says to paste for each CI system is what its file has, which end-to-end tests run.

use std::path::Path;

/// The link of each block of the section, and the block's lines.
fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let section = text.split("\n## CI\n").nth(1).expect("the section").split("\n## ").next().unwrap_or_default();
    let systems = section.split("\n**").skip(1).filter(|system| system.contains("```"));
    systems
        .filter_map(|system| {
            let link = system.lines().next()?.split("](").nth(1)?.split(')').next()?;
            let fenced = system.split("```").nth(1)?;
            Some((link, fenced.lines().skip(1).map(str::trim).collect()))
        })
        .collect()
}

#[test]
fn every_block_to_paste_stands_in_the_file_that_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks = blocks(&text);
    assert_eq!(blocks.len(), 5, "{blocks:?}");
    for (link, lines) in blocks {
        let mut path = root.join(link);
        if path.is_dir() {
            path = path.parent().unwrap().join("pipeline.yml");
        }
        let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{link}: {error}"));
        let in_file: Vec<&str> = file.lines().map(|line| line.trim().trim_start_matches("- ")).collect();
        assert!(lines.iter().any(|line| line.contains("valetkey")), "{link}: {lines:?}");
        for line in lines.iter().map(|line| line.trim_start_matches("- ")).filter(|line| !line.is_empty()) {
            assert!(in_file.contains(&line), "{link} has no line {line:?}");
        }
    }
}
