//! PURE: the names of CI secrets that hold an SSH key, in workflows of GitHub and in GitLab's CI file.
//!
//! Owns only names: what a secret holds is never in a file. A name counts where a step takes it as
//! an SSH key, and where it is called one.

use super::Reading;
use super::format::{Format, name, understood};
use super::lines::Lines;
use crate::document::{Node, Value, yaml};

/// The format.
pub(super) static FORMAT: Format = Format { name: "CI secrets", wants, read };

/// The longest name that is looked at, in bytes.
const MAX_NAME: usize = 100;
/// Inputs of actions that take an SSH key.
const INPUTS: [&str; 4] = ["ssh-private-key", "ssh-key", "key", "private-key"];

fn wants(path: &str) -> bool {
    let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
    (path.starts_with(".github/") && is_yaml) || [".gitlab-ci.yml", ".gitlab-ci.yaml"].contains(&name(path))
}

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(documents) = understood(file, yaml(text), reading) else { return };
    let lines = Lines::new(file, text);
    documents.iter().for_each(|document| look(document, false, &lines, reading));
}

/// The document's own depth bounds how deep this goes.
fn look(node: &Node, is_key: bool, lines: &Lines<'_>, reading: &mut Reading) {
    match &node.value {
        Value::Map(entries) => {
            for (name, value) in entries {
                let is_key = name.text().is_some_and(|name| INPUTS.contains(&name));
                look(value, is_key, lines, reading);
            }
        }
        Value::List(items) => items.iter().for_each(|item| look(item, is_key, lines, reading)),
        Value::Scalar(text, _) => {
            // GitHub's own expressions name no variables of a shell.
            let shell = if text.contains("${{") { "" } else { text.as_str() };
            let names = text.split("secrets.").skip(1).chain(shell.split('$').skip(1));
            for name in names.map(leading_name) {
                if !name.is_empty() && name.len() <= MAX_NAME && (is_key || is_called_key(name)) {
                    reading.ci_secret(lines.place(&node.span), name);
                }
            }
        }
    }
}

/// The name at the begin of a text: `NAME }}`, `{NAME}`.
fn leading_name(text: &str) -> &str {
    let text = text.strip_prefix('{').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

/// `SSH_PRIVATE_KEY`, `DEPLOY_KEY`, `OMNIBUS_SSH_KEY`; not `API_KEY`, and no public or host key.
fn is_called_key(name: &str) -> bool {
    let words: Vec<String> = name.split('_').map(str::to_ascii_uppercase).collect();
    let has = |word: &str| words.iter().any(|one| one == word);
    has("KEY") && (has("SSH") || has("DEPLOY")) && !has("HOST") && !has("PUBLIC") && !has("KNOWN")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<(usize, String)> {
        let mut reading = Reading::default();
        read(file, text, &mut reading);
        reading.ci_secrets.into_iter().map(|(place, name)| (place.line, name)).collect()
    }

    #[test]
    fn a_secret_is_found_by_how_it_is_used_and_by_how_it_is_called() {
        let text = "\
jobs:
  build:
    env:
      TOKEN: ${{ secrets.API_KEY }}
      OTHER: ${{ secrets.SSH_KNOWN_HOST_KEY }}
    steps:
      - uses: webfactory/ssh-agent@v0.9.0
        with:
          ssh-private-key: |
            ${{ secrets.OMNIBUS }}
            ${{ secrets.PRICING }}
      - run: ssh-add - <<< \"$K\"
        env: { K: \"${{ secrets.LIB_DEPLOY_KEY }}\", K2: \"${{secrets.lib_deploy_key_2}}\" }
";
        let names = [(10, "OMNIBUS"), (10, "PRICING"), (13, "LIB_DEPLOY_KEY"), (13, "lib_deploy_key_2")];
        assert_eq!(found(".github/workflows/a.yml", text), names.map(|(line, name)| (line, name.to_owned())));
        let text = "build:\n  script:\n    - echo \"$SSH_PRIVATE_KEY\" | tr -d '\\r' | ssh-add -\n    - echo ${DEPLOY_KEY} $CI_API_KEY $1_SSH_KEY\n";
        let names = [(3, "SSH_PRIVATE_KEY"), (4, "DEPLOY_KEY")];
        assert_eq!(found(".gitlab-ci.yml", text), names.map(|(line, name)| (line, name.to_owned())));
    }

    #[test]
    fn a_name_at_the_limit_is_taken_and_a_longer_one_is_not() {
        let of = |length: usize| format!("a: $SSH_KEY_{}\n", "X".repeat(length - 8));
        assert_eq!((found("x", &of(MAX_NAME)).len(), found("x", &of(MAX_NAME + 1)).len()), (1, 0));
    }
}
