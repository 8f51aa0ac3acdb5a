//! PURE: the steps of a GitHub workflow or action, and of a GitLab CI file.

use std::ops::Range;
use std::rc::Rc;

use super::compose::settings;
use super::file::Parts;
use super::mapped::Mapped;
use super::scalar::mapped;
use super::script::{self, Command};
use super::setting::{Kind, Setting};
use crate::document::Node;

/// Variables of a step that are looked at: each of its words may ask for one.
pub const MAX_VARIABLES: usize = 1_000;

/// A step of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The job's name.
    pub job: String,
    /// Its bytes.
    pub span: Range<usize>,
    /// The action that it uses, without its version: `docker/build-push-action`.
    pub uses: Option<String>,
    /// The inputs of the action: names, and what they say.
    pub with: Vec<(String, Mapped)>,
    /// The commands of its script.
    pub commands: Vec<Command>,
    /// The shell that runs them, where one is named: its own, its job's, the file's.
    pub shell: Option<Mapped>,
    /// Whether its script runs in the shell of the step before: GitLab's `script` behind
    /// `before_script`.
    pub goes_on: bool,
    /// Variables of its own.
    pub own: Vec<Setting>,
    /// Those of its job and of the file. A file can have many steps and many variables, so these are not
    /// copied.
    pub outer: [Rc<Vec<Setting>>; 2],
}

impl Step {
    /// The variables that hold in it, the nearest first; up to [`MAX_VARIABLES`].
    pub fn variables(&self) -> impl Iterator<Item = &Setting> {
        self.own.iter().chain(self.outer.iter().flat_map(|outer| outer.iter())).take(MAX_VARIABLES)
    }

    /// Whether more hold in it than are looked at.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.own.len() + self.outer.iter().map(|outer| outer.len()).sum::<usize>() > MAX_VARIABLES
    }

    /// What an input says.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Mapped> {
        self.with.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Lists of scripts in a GitLab job.
const SCRIPTS: [&str; 3] = ["before_script", "script", "after_script"];
/// Keys of a GitLab CI file that are no jobs.
const NO_JOBS: [&str; 8] = ["variables", "include", "stages", "workflow", "image", "services", "cache", "spec"];

/// `jobs.*.steps` of a workflow, `runs.steps` of an action.
pub(super) fn github(root: &Node, text: &str, parts: &mut Parts) {
    let mut outer = Vec::new();
    settings(root.get("env"), Kind::Variable, &mut outer);
    parts.settings.extend(outer.iter().cloned());
    let outer = Rc::new(outer);
    let shell_of = |node: &Node| node.at(&["defaults", "run", "shell"]).and_then(|shell| mapped(shell, text));
    let whole = shell_of(root);
    for (name, job) in root.get("jobs").map(Node::entries).unwrap_or_default() {
        let mut variables = Vec::new();
        settings(job.get("env"), Kind::Variable, &mut variables);
        parts.settings.extend(variables.iter().cloned());
        let outer = [Rc::new(variables), Rc::clone(&outer)];
        let name = name.text().unwrap_or_default();
        let shell = shell_of(job).or_else(|| whole.clone());
        for step in job.get("steps").map(Node::items).unwrap_or_default() {
            github_step(name, step, &outer, shell.as_ref(), text, parts);
        }
    }
    let outer = [Rc::default(), outer];
    for step in root.at(&["runs", "steps"]).map(Node::items).unwrap_or_default() {
        github_step("runs", step, &outer, None, text, parts);
    }
}

fn github_step(
    job: &str,
    step: &Node,
    outer: &[Rc<Vec<Setting>>; 2],
    shell: Option<&Mapped>,
    text: &str,
    parts: &mut Parts,
) {
    let mut own = Vec::new();
    settings(step.get("env"), Kind::Variable, &mut own);
    parts.settings.extend(own.iter().cloned());
    let uses = step.text_of("uses").map(|uses| uses.split('@').next().unwrap_or(uses).to_owned());
    let with = step.get("with").map(Node::entries).unwrap_or_default().iter();
    let with = with.filter_map(|(name, value)| Some((name.text()?.to_owned(), mapped(value, text)?)));
    let script = step.get("run").and_then(|run| mapped(run, text));
    parts.steps.push(Step {
        job: job.to_owned(),
        span: step.span.clone(),
        uses,
        with: with.collect(),
        commands: script.map(|script| script::read(&script, &[])).unwrap_or_default(),
        shell: step.get("shell").and_then(|shell| mapped(shell, text)).or_else(|| shell.cloned()),
        goes_on: false,
        own,
        outer: outer.clone(),
    });
}

/// Every job's scripts, and those of `default` and the top level.
pub(super) fn gitlab(root: &Node, text: &str, parts: &mut Parts) {
    let mut outer = Vec::new();
    settings(root.get("variables"), Kind::Variable, &mut outer);
    parts.settings.extend(outer.iter().cloned());
    let outer = Rc::new(outer);
    let top = std::iter::once(("", root));
    let jobs = root.entries().iter().filter_map(|(name, job)| Some((name.text()?, job)));
    for (name, job) in top.chain(jobs.filter(|(name, _)| !NO_JOBS.contains(name))) {
        let mut variables = Vec::new();
        if !name.is_empty() {
            settings(job.get("variables"), Kind::Variable, &mut variables);
            parts.settings.extend(variables.iter().cloned());
        }
        let outer = [Rc::new(variables), Rc::clone(&outer)];
        for (key, script) in SCRIPTS.iter().filter_map(|key| Some((*key, job.get(key)?))) {
            let mut lines = Vec::new();
            gather(script, &mut lines);
            // The lines of one script run in one shell.
            let commands = lines.iter().filter_map(|line| mapped(line, text)).flat_map(|line| script::read(&line, &[]));
            parts.steps.push(Step {
                job: name.to_owned(),
                span: script.span.clone(),
                commands: commands.collect(),
                goes_on: key == "script" && job.get("before_script").is_some(),
                outer: outer.clone(),
                ..Step::default()
            });
        }
    }
}

/// The lines of a script: GitLab flattens lists in lists. A `!reference` names other keys, not lines.
fn gather<'a>(node: &'a Node, lines: &mut Vec<&'a Node>) {
    if node.tag.as_deref() == Some("reference") {
        return;
    }
    if node.text().is_some() {
        lines.push(node);
    }
    node.items().iter().for_each(|item| gather(item, lines));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::yaml;

    #[test]
    fn as_many_variables_as_the_limit_hold_in_a_step_and_one_more_is_said() {
        let of = |count: usize| {
            let variables: String = (0..count - 1).map(|n| format!("  V{n}: x\n")).collect();
            let text = format!("env:\n{variables}jobs:\n  a:\n    steps:\n      - env: {{OWN: x}}\n        run: y\n");
            let mut parts = Parts::default();
            github(&yaml(&text).unwrap().swap_remove(0), &text, &mut parts);
            let step = parts.steps.swap_remove(0);
            assert_eq!(step.variables().next().unwrap().name, b"OWN");
            (step.variables().count(), step.is_cut())
        };
        assert_eq!((of(MAX_VARIABLES), of(MAX_VARIABLES + 1)), ((MAX_VARIABLES, false), (MAX_VARIABLES, true)));
    }
}
