//! `ci-provenance-args`: attestations that publish the arguments of a build.

use crate::check::ci::Step;
use crate::check::ci_secret::{BuildArg, build_args, of_command, takes_secret};
use crate::check::file::{File, Kind as Form};
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;
use crate::check::secret_text::is_secret_name as is_secret;
use crate::check::setting::Kind;
use crate::document::Node;

pub(super) const RULE: Rule = Rule {
    id: "ci-provenance-args",
    about: "a full provenance of a build with secret arguments",
    why: "With mode=max the attestation holds every build argument with its value, beside the whole Dockerfile, and a registry gives it to whoever may pull.",
    remedy: "give secrets by --mount=type=secret, of which the provenance holds the id alone; until then say mode=min",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          provenance: «mode=max»\n          build-args: TOKEN=${{ secrets.T }}\n      - uses: docker/build-push-action@v6\n        with:\n          attests: «type=provenance,mode=max»\n          build-args: TOKEN=${{ secrets.T }}\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - docker buildx build «--provenance=mode=max» --build-arg NPM_TOKEN .\n    - docker buildx build --attest «type=provenance,mode=max» --build-arg T=$NPM_TOKEN .\n",
        ),
        Example::new(
            "docker-bake.hcl",
            "target \"a\" {\n  args = {\n    NPM_TOKEN = \"${NPM_TOKEN}\"\n  }\n  attest = [«\"type=provenance,mode=max\"», \"type=sbom\"]\n}\n",
        ),
        Example::new(
            "compose.yaml",
            "services:\n  a:\n    build:\n      context: .\n      args:\n        - NPM_TOKEN\n      provenance: «mode=max»\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          provenance: mode=max\n          build-args: VERSION=1\n          secrets: token=${{ secrets.T }}\n      - uses: docker/build-push-action@v6\n        with:\n          provenance: mode=min\n          build-args: TOKEN=${{ secrets.T }}\n      - run: docker buildx build --provenance=mode=max . && docker build --build-arg TOKEN=$TOKEN .\n",
        ),
        Example::new(
            "docker-bake.hcl",
            "target \"a\" {\n  args = {\n    GO_VERSION = \"1.24\"\n  }\n  attest = [\"type=provenance,mode=max\"]\n}\n",
        ),
    ],
};

const MESSAGE: &str = "the provenance holds the build arguments, and one of them is a secret";

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for step in &file.steps {
        let is_secret = |args: &[BuildArg]| args.iter().any(|arg| takes_secret(arg, step));
        for (name, input) in &step.with {
            let asks = match name.to_ascii_lowercase().as_str() {
                "provenance" => is_max(&input.text),
                "attests" => is_provenance(&input.text) && is_max(&input.text),
                _ => false,
            };
            if asks && is_secret(&build_args(&of_inputs(step))) {
                found.push(Found::new(input.span(0..input.text.trim_ascii_end().len()), MESSAGE));
            }
        }
        for command in step.commands.iter().filter(|command| is_secret(&of_command(command))) {
            found.extend(asked(command).map(|at| Found::new(at, MESSAGE)));
        }
    }
    let gives = |name: &[u8], value: Option<&[u8]>| {
        // Compose takes what has no value from the environment.
        is_secret(name) && value.map_or(file.kind == Form::Compose, |value| !value.is_empty())
    };
    let mut args = file.settings.iter().filter(|setting| setting.kind == Kind::BuildArg);
    if args.any(|arg| gives(&arg.name, arg.value.as_deref())) {
        let nodes = file.provenance.iter().filter(|node| is_full(node, file.kind));
        found.extend(nodes.map(|node| Found::new(node.span.clone(), MESSAGE)));
    }
}

/// The step without its script.
fn of_inputs(step: &Step) -> Step {
    Step { with: step.with.clone(), ..Step::default() }
}

/// Where a command asks for all of it.
fn asked(command: &Command) -> Option<std::ops::Range<usize>> {
    let mut before: &[u8] = b"";
    command.args().iter().find_map(|word| {
        let own = |name: &[u8]| word.text.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"="));
        let value = |name: &[u8]| own(name).or_else(|| (before == name).then_some(word.text.as_slice()));
        let is_asked = value(b"--provenance").is_some_and(is_max)
            || value(b"--attest").is_some_and(|value| is_provenance(value) && is_max(value));
        before = &word.text;
        is_asked.then(|| word.span.clone())
    })
}

fn is_full(node: &Node, kind: Form) -> bool {
    let says = |name: &str, value: &str| node.text_of(name) == Some(value);
    let text = node.text().unwrap_or_default().as_bytes();
    is_max(text) && (kind == Form::Compose || is_provenance(text)) || says("type", "provenance") && says("mode", "max")
}

fn is_max(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"mode=max").is_some()
}

fn is_provenance(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"type=provenance").is_some()
}
