//! `ci-trace-secrets`: a shell that prints its commands, secrets put in.

use std::ops::Range;

use crate::check::ci::Step;
use crate::check::ci_secret::is_secret_variable;
use crate::check::file::{File, Kind as Form};
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::{Command, Word};
use crate::check::secret_text::is_secret_name as is_secret;
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "ci-trace-secrets",
    about: "a shell that prints its commands around secrets",
    why: "With -x a shell prints each command with the values of its variables into the job's log. A CI system masks the secret as it knows it, and nothing that was cut out of it, encoded or put together.",
    remedy: "take -x out, or say `set +x` before the command that takes the secret",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          «set -euxo pipefail»\n          make\n          echo \"$NPM_TOKEN\" | base64\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - env:\n          KEY: ${{ secrets.DEPLOY }}\n        shell: «bash -x {0}»\n        run: echo \"${KEY%%x}\"\n      - run: |\n          «bash -xec» 'curl -u a:${{ secrets.T }} h'\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  before_script:\n    - «set -o xtrace»\n  script:\n    - docker login -p $CI_REGISTRY_PASSWORD\nb:\n  variables:\n    «CI_DEBUG_TRACE: \"true\"»\n  script:\n    - make\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - «set -x»\n    - export API_TOKEN=\"$(vault read token)\"\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          set -e\n          curl -u a:$TOKEN h\n      - run: |\n          set -x\n          make VERSION=$VERSION\n          set +x\n          curl -u a:$TOKEN h\n      - env:\n          TOKEN: ${{ secrets.T }}\n        shell: bash\n        run: npm publish && test -x $TOKEN_FILE\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - set -x\n    - make\n  after_script:\n    - curl -u a:$TOKEN h\nb:\n  variables:\n    CI_DEBUG_TRACE: \"false\"\n  script:\n    - curl -u a:$TOKEN h\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    // Where printing was switched on, while it is on.
    let mut on: Option<Range<usize>> = None;
    for step in &file.steps {
        if !step.goes_on {
            on = step
                .shell
                .as_ref()
                .filter(|shell| traces_as_shell(&shell.text))
                .map(|shell| shell.span(0..shell.text.len()));
        }
        for (index, command) in step.commands.iter().enumerate() {
            if command.program() == b"set" {
                on = match switched(command) {
                    Some(true) => Some(command.span.clone()),
                    Some(false) => None,
                    None => on,
                };
                continue;
            }
            if let Some(at) = shell_that_traces(command) {
                let inner = step.commands.iter().skip(index + 1).take_while(|inner| inner.depth > command.depth);
                let mut all = std::iter::once(command).chain(inner);
                found.extend(all.find_map(|inner| secret(inner, step)).map(|name| finding(at, &name)));
            }
            if let (Some(at), Some(name)) = (&on, secret(command, step)) {
                found.push(finding(at.clone(), &name));
                on = None;
            }
        }
    }
    let is_on = |value: Option<&[u8]>| matches!(value, Some(b"true" | b"1"));
    for variable in file.settings.iter().filter(|_| file.kind == Form::Gitlab) {
        if variable.name == b"CI_DEBUG_TRACE" && is_on(variable.value.as_deref()) {
            found.push(Found::new(variable.span.clone(), "the job's log shows every variable, secrets included"));
        }
    }
}

fn finding(at: Range<usize>, name: &str) -> Found {
    Found::new(at, format!("the shell prints a command with the value of {name}"))
}

/// What `set` says about printing; `None` where it says nothing.
fn switched(command: &Command) -> Option<bool> {
    let mut before: &[u8] = b"";
    command.args().iter().find_map(|word| {
        let sign = word.text.first().copied();
        let is_cluster =
            matches!(sign, Some(b'-' | b'+')) && word.text.contains(&b'x') && !word.text.starts_with(b"--");
        let is_long = word.text == b"xtrace" && before.ends_with(b"o");
        let says = is_cluster || is_long;
        let sign = if is_long { before.first().copied() } else { sign };
        before = &word.text;
        says.then_some(sign == Some(b'-'))
    })
}

/// `bash -x {0}`.
fn traces_as_shell(shell: &[u8]) -> bool {
    let mut words = shell.split(u8::is_ascii_whitespace);
    let is_shell = words.next().is_some_and(|program| program.ends_with(b"sh"));
    is_shell && words.any(is_traced)
}

fn is_traced(word: &[u8]) -> bool {
    word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'x')
}

/// Where a shell is started that prints.
fn shell_that_traces(command: &Command) -> Option<Range<usize>> {
    let program = command.own().first().filter(|_| matches!(command.program(), b"bash" | b"sh" | b"zsh" | b"dash"))?;
    let options = command.args().iter().take_while(|word| word.text.starts_with(b"-"));
    let option = options.into_iter().find(|word| is_traced(&word.text))?;
    Some(program.span.start..option.span.end)
}

/// The secret that a command is printed with.
fn secret(command: &Command, step: &Step) -> Option<String> {
    let is_open = |index: usize| index.checked_sub(1).and_then(|before| command.words.get(before));
    let of_word = |(index, word): (usize, &Word)| {
        let variable = word.variables.iter().find(|name| is_secret_variable(name, step));
        let given = word.assignment().filter(|(name, value)| is_secret(name) && value.contains(&b'$'));
        let expression = crate::check::ci_secret::has_secret(&word.text)
            || word.text.starts_with(b"secrets.") && is_open(index).is_some_and(|word| word.text.ends_with(b"${{"));
        let name = variable.map(Vec::as_slice).or(given.map(|(name, _)| name));
        name.map(shown).or_else(|| expression.then(|| "a secret".to_owned()))
    };
    command
        .assignments
        .iter()
        .chain(&command.words)
        .enumerate()
        .map(|(index, word)| (index.saturating_sub(command.assignments.len()), word))
        .find_map(of_word)
}
