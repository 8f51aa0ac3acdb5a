//! PURE reading of CI systems' files, for what their environment tells Go, Git and cargo. What a
//! job fetches itself is not the build's.

use super::format::{Format, name, understood};
use super::lines::Lines;
use super::script::{Counts, Script, Variables};
use super::{Place, Reading};
use crate::document::{self, Node, Value};

/// Names of files, wherever they lie.
const NAMES: [&str; 9] = [
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    ".travis.yml",
    ".drone.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "cloudbuild.yaml",
    "action.yml",
    "action.yaml",
];
/// Folders of which every YAML file is one.
const FOLDERS: [&str; 5] = [".github/workflows/", ".circleci/", ".buildkite/", ".gitlab/", ".woodpecker/"];
/// Names of values that are scripts.
const SCRIPTS: [&str; 7] = ["run", "script", "before_script", "after_script", "command", "commands", "bash"];

/// GitHub's workflows and actions, GitLab's, CircleCI's and others' files.
pub(super) static FORMAT: Format = Format {
    name: "CI file",
    wants: |path| {
        let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
        NAMES.contains(&name(path)) || (is_yaml && FOLDERS.iter().any(|folder| path.starts_with(folder)))
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(documents) = understood(file, document::yaml(text), reading) else { return };
    let lines = Lines::new(file, text);
    documents.iter().for_each(|root| walk(root, &lines, reading));
}

/// The depth is bounded by the document's own limit.
fn walk(node: &Node, lines: &Lines<'_>, reading: &mut Reading) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                let name = key.text().unwrap_or_default();
                if SCRIPTS.contains(&name) {
                    script(value, lines, reading);
                }
                // GitLab's variables may have a description beside their value.
                let text = value.text().or_else(|| value.text_of("value"));
                if let Some(text) = text {
                    reading.across.variable(&lines.place(&key.span), name, text);
                }
                walk(value, lines, reading);
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, lines, reading)),
        Value::Scalar(..) => {}
    }
}

fn script(node: &Node, lines: &Lines<'_>, reading: &mut Reading) {
    let one = std::slice::from_ref(node);
    for line in if node.items().is_empty() { one } else { node.items() } {
        let Some(text) = line.text() else { continue };
        let at: Place = lines.place(&line.span);
        let mut place = |_: &str| at.clone();
        let mut variables = Variables::default();
        Script { counts: Counts::Variables, variables: &mut variables, place: &mut place, reading }
            .read(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_private_modules_are_found_in_the_environment_and_in_scripts() {
        let workflow = "env:\n  GOPRIVATE: h.example/a\njobs:\n  x:\n    env: {GONOPROXY: h.example/b}\n    steps:\n\
            \x20     - run: |\n          go env -w GOPRIVATE=h.example/c\n          git clone git@h.example:no/no.git\n";
        let gitlab = "variables:\n  GOPRIVATE:\n    value: h.example/d\n    description: x\njob:\n  script:\n    - export GOINSECURE=h.example/e\n";
        let mut reading = Reading::default();
        read(".github/workflows/ci.yml", workflow, &mut reading);
        read(".gitlab-ci.yml", gitlab, &mut reading);
        let modules = "module x\nrequire (\nh.example/a/r v1\nh.example/b/r v1\nh.example/c/r v1\nh.example/d/r v1\nh.example/e/r v1\nh.example/f/r v1\n)";
        (crate::project::go_mod::MODULES.read)("go.mod", modules, &mut reading);
        let needs = reading.resolved().needs;
        let found: Vec<&str> = needs.iter().map(|need| need.address.repository.as_str()).collect();
        assert_eq!(found, ["a/r", "b/r", "c/r", "d/r", "e/r"]);
    }
}
