//! `fetch-without-mount`: a private repository over SSH, and no agent.

use std::collections::BTreeSet;

use crate::check::around::Dependency;
use crate::check::copied::{Looks, copied, matches};
use crate::check::dockerfile::Instruction;
use crate::check::fetch::{self, Fetch};
use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "fetch-without-mount",
    about: "a step that fetches over SSH and has no ssh mount",
    why: "A step has an agent only where it mounts one. Without it the fetch ends in `Permission denied (publickey)`, or works because a key was put into the image.",
    remedy: "write RUN --mount=type=ssh,required=true, and build with `valetkey run`",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN git clone «git@git.example.com:org/repo.git» /src\n"),
        Example::new("Dockerfile", "FROM a\nRUN pip install -e «git+ssh://git@git.example.com/org/repo@v1#egg=x»\n"),
        Example::new("Dockerfile", "FROM a\nCOPY poetry.lock pyproject.toml ./\nRUN «poetry install --no-root»\n").needs(LOCK),
        Example::new(
            "Dockerfile",
            "FROM node\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm «npm ci» && npm run build\n",
        )
        .needs(&[("package-lock.json", "git.example.com/org/repo")]),
        Example::new("Dockerfile", "FROM a\nCOPY requirements ./requirements\nRUN «pip install -r requirements/dev.txt»\n")
            .needs(&[("requirements/dev.txt", "git.example.com/org/repo")]),
        // With a mount; without anything private; without its lock file; with another tool's.
        Example::new("Dockerfile", "FROM a\nCOPY poetry.lock .\nRUN --mount=type=ssh poetry install\n").needs(LOCK),
        Example::new("Dockerfile", "FROM a\nCOPY . .\nRUN poetry install && git clone https://git.example.com/org/repo\n"),
        Example::new("Dockerfile", "FROM a\nCOPY src src\nRUN poetry install\nCOPY --from=b /poetry.lock .\nRUN poetry install\n").needs(LOCK),
        Example::new("Dockerfile", "FROM a\nCOPY . .\nRUN npm ci && pip install poetry && poetry config x y\n").needs(LOCK),
        // What an earlier step fetched is there.
        Example::new(
            "Dockerfile",
            "FROM golang AS b\nCOPY go.mod go.sum ./\nRUN --mount=type=ssh go mod download\nCOPY . .\nRUN go build ./...\nFROM b\nRUN go test ./...\n",
        )
        .needs(&[("go.mod", "git.example.com/org/repo")]),
        // The secret may be what logs in, and Git may be told to take HTTPS.
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=secret,id=key GIT_SSH_COMMAND='ssh -i /run/secrets/key' git clone git@git.example.com:org/repo\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN git config --global url.https://git.example.com/.insteadOf ssh://git@git.example.com/\nRUN git clone ssh://git@git.example.com/org/repo\n",
        ),
        Example::new("Dockerfile", "FROM a\nRUN git remote add origin git@git.example.com:org/repo && echo git clone git@git.example.com:org/repo\n"),
    ],
};

const LOCK: &[(&str, &str)] = &[("poetry.lock", "git.example.com/org/repo")];
/// What a step is given.
const MOUNT: &str = " --mount=type=ssh,required=true";

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let mut looks = Looks::default();
    look(file, &mut looks, found);
    if looks.is_out() {
        file.cut();
    }
}

fn look(file: &File<'_>, looks: &mut Looks, found: &mut Vec<Found>) {
    for (stage, step) in file.dockerfile.instructions().filter(|(_, step)| step.keyword == "RUN" && !step.is_onbuild) {
        let Some(stage) = stage.filter(|_| !may_log_in(step)) else { continue };
        let fetches = step.commands.iter().filter_map(|command| Some((command, fetch::of(command)?)));
        let fetches: Vec<(&Command, Fetch<'_>)> = fetches.collect();
        if fetches.is_empty() {
            continue;
        }
        let Some(above) = looks.above(file, stage, step) else { return };
        let is_https = takes_https(step) || above.iter().any(|other| takes_https(other));
        // Tools that fetched above with an agent or a secret: what they need may be there.
        let fetched: BTreeSet<&str> = above
            .iter()
            .filter(|other| may_log_in(other))
            .flat_map(|other| other.commands.iter().filter_map(fetch::of).map(|fetch| fetch.tool))
            .collect();
        for (command, fetch) in fetches {
            let (at, what) = match fetch.ssh_address() {
                Some(_) if is_https => continue,
                Some(word) => (word.span.clone(), format!("{} fetches over SSH", fetch.tool)),
                None if fetched.contains(fetch.tool) => continue,
                None => match dependency(file, &above, step, &fetch, looks) {
                    Some(dependency) => (command.span.clone(), named(dependency)),
                    None => continue,
                },
            };
            let finding = Found::new(at, format!("{what}, and the step has no ssh mount"));
            let user = if step.is_by_other_user() { ",mode=0666" } else { "" };
            let mount = Edit::insert(step.keyword_span.end, format!("{MOUNT}{user}"));
            found.push(finding.offers("give the step an agent", vec![mount]));
        }
    }
}

fn named(dependency: &Dependency) -> String {
    format!("{} names {} over SSH", shown(dependency.file.as_bytes()), shown(dependency.repository.as_bytes()))
}

/// Whether the step has an agent, or a secret or file that may be what logs in.
fn may_log_in(step: &Instruction) -> bool {
    step.mounts.iter().any(|mount| {
        let target = mount.value(&["target", "dst", "destination"]).unwrap_or_default();
        matches!(mount.kind().as_str(), "ssh" | "secret") || mount.kind().contains('$') || target.contains(".ssh")
    })
}

/// Whether Git is told to take HTTPS where an address says SSH.
fn takes_https(step: &Instruction) -> bool {
    let rewrites = |command: &Command| {
        let mut words = command.all_words().map(|word| word.text.to_ascii_lowercase());
        words.any(|word| {
            memchr::memmem::find(&word, b"insteadof").is_some() && memchr::memmem::find(&word, b"url.http").is_some()
        })
    };
    step.commands.iter().any(rewrites)
}

/// The first repository over SSH that is named by a file which the command reads.
fn dependency<'a>(
    file: &'a File<'_>,
    above: &[&Instruction],
    step: &Instruction,
    fetch: &Fetch<'_>,
    looks: &mut Looks,
) -> Option<&'a Dependency> {
    let names = fetch.files();
    let reads = |path: &str| {
        let base = path.rsplit('/').next().unwrap_or(path);
        names.iter().any(|name| match name.rsplit_once('/') {
            Some(_) => path == name || path.ends_with(&format!("/{name}")),
            None => matches(name.as_bytes(), base.as_bytes()),
        })
    };
    if names.is_empty() {
        return None;
    }
    // A lock file names many, one behind the other.
    let mut before = "";
    let over_ssh = file.around.files.dependencies().iter().filter(|dependency| dependency.is_over_ssh);
    let mut read = over_ssh.filter(|dependency| {
        let is_new = dependency.file != before;
        before = &dependency.file;
        is_new && reads(&dependency.file)
    });
    read.find(|dependency| copied(file, above, step, &dependency.file, looks).is_some())
}
