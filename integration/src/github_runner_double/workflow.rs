//! A workflow that users copy, run as it stands: its steps one after the other, with the expressions
//! that it has. What the runner fetches from elsewhere is there already (the checkout, valetkey), and
//! docker/build-push-action is what its inputs say as `docker buildx build`.

use super::{GithubRunnerDouble, Step, Texts};
use crate::yaml::Yaml;

impl GithubRunnerDouble {
    /// With a secret of the repository.
    #[must_use]
    pub fn having_secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs the steps of a workflow's one job; the first that fails is the last.
    pub fn workflow(&mut self, text: &str) -> Vec<Step> {
        let workflow = Yaml::parse(text);
        let jobs = workflow.get(&["jobs"]).expect("jobs").names();
        let [job] = jobs.as_slice() else { panic!("one job: {jobs:?}") };
        let mut steps: Vec<Step> = Vec::new();
        for step in workflow.list(&["jobs", job, "steps"]) {
            if steps.last().is_some_and(|last| last.code != 0) {
                break;
            }
            let Some(done) = self.step(&step) else { continue };
            if let Some(id) = step.text(&["id"]) {
                self.outputs.insert(id, done.outputs.clone());
            }
            steps.push(done);
        }
        steps
    }

    fn step(&mut self, step: &Yaml) -> Option<Step> {
        let env = self.values(step, "env");
        let with = self.values(step, "with");
        if let Some(script) = step.text(&["run"]) {
            if script.starts_with("cargo install ") {
                return None;
            }
            let running = self.begin_run(&self.filled(&script), &env);
            return Some(self.end_step(running));
        }
        let uses = step.text(&["uses"]).expect("a step that runs or uses");
        if uses.starts_with("actions/checkout@v4") {
            return None;
        }
        if uses.contains("/integration/github@") {
            let running = self.begin_main(with, &env);
            return Some(self.end_main(running));
        }
        assert!(uses.starts_with("docker/build-push-action@v6"), "no double of {uses}");
        let running = self.begin_run(&build_push(&with), &env);
        Some(self.end_step(running))
    }

    fn values(&self, step: &Yaml, key: &str) -> Texts {
        step.pairs(&[key]).into_iter().map(|(name, value)| (name, self.filled(&value))).collect()
    }

    /// A text with its expressions replaced.
    fn filled(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, behind) = after.split_once("}}").expect("an expression");
            out.push_str(before);
            out.push_str(&self.value(expression.trim()));
            rest = behind;
        }
        out + rest
    }

    fn value(&self, expression: &str) -> String {
        let parts: Vec<&str> = expression.split('.').collect();
        let found = match parts.as_slice() {
            // A secret that was not passed is an empty text.
            ["secrets", name] => Some(self.secrets.get(*name).cloned().unwrap_or_default()),
            ["steps", id, "outputs", name] => self.outputs.get(*id).and_then(|outputs| outputs.get(*name)).cloned(),
            ["github", "workspace"] => Some(self.workspace.display().to_string()),
            _ => None,
        };
        found.unwrap_or_else(|| panic!("no double of the expression {expression}"))
    }
}

/// The command that docker/build-push-action makes of its inputs.
fn build_push(with: &Texts) -> String {
    let mut words = vec!["docker buildx build".to_owned()];
    let mut add = |flag: &str, value: &str| words.push(format!("{flag} '{}'", value.replace('\'', r"'\''")));
    for (name, value) in with {
        let each = value.lines().filter(|line| !line.is_empty());
        match name.as_str() {
            "context" => {}
            "file" => add("--file", value),
            "ssh" => each.for_each(|line| add("--ssh", line)),
            "build-contexts" => each.for_each(|line| add("--build-context", line)),
            "tags" => each.for_each(|line| add("--tag", line)),
            "secret-files" => each.for_each(|line| {
                let (id, file) = line.split_once('=').expect("id=file");
                add("--secret", &format!("id={id},src={file}"));
            }),
            "load" => words_of_load(value, &mut add),
            "network" => add("--network", value),
            _ => panic!("no double of the input {name}"),
        }
    }
    let context = with.get("context").map_or(".", String::as_str);
    add("--progress", "plain");
    words.push(context.to_owned());
    words.join(" ")
}

fn words_of_load(value: &str, add: &mut impl FnMut(&str, &str)) {
    if value == "true" {
        add("--output", "type=docker");
    }
}
