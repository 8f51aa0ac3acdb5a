//! The files that a step writes for the runner.

use super::Texts;

/// The variables that name them, and the files.
pub(super) const FILES: [(&str, &str); 5] = [
    ("GITHUB_ENV", "set_env"),
    ("GITHUB_OUTPUT", "set_output"),
    ("GITHUB_STATE", "save_state"),
    ("GITHUB_STEP_SUMMARY", "step_summary"),
    ("GITHUB_PATH", "add_path"),
];

/// The file of a variable.
pub(super) fn file(name: &str) -> &'static str {
    FILES.iter().find(|(of, _)| *of == name).expect("a file of the runner").1
}

/// `NAME=value`, or `NAME<<DELIMITER`, lines, and `DELIMITER`; anything else is an error of the step.
pub(super) fn parse(text: &str) -> Texts {
    let mut entries = Texts::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let heredoc = line.find("<<").filter(|at| line.find('=').is_none_or(|equals| *at < equals));
        let (name, value) = match heredoc {
            Some(at) => {
                let (name, delimiter) = (&line[..at], &line[at + 2..]);
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
                (name, value.join("\n"))
            }
            None => line.split_once('=').map(|(name, value)| (name, value.to_owned())).expect("an entry"),
        };
        assert!(!name.is_empty(), "an entry without a name: {text}");
        entries.insert(name.to_owned(), value);
    }
    entries
}
