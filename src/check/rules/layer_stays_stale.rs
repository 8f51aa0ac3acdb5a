//! `layer-stays-stale`: what was fetched once, and stays in the layer.

use crate::check::copied::Looks;
use crate::check::dockerfile::Instruction;
use crate::check::fetch::{self, Fetch};
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::{Command, Word};

pub(super) const RULE: Rule = Rule {
    id: "layer-stays-stale",
    about: "a fetch of no fixed version, which the build's cache repeats",
    why: "The builder runs a step again when its text or the files that it was given change. A push to the branch, another key or one that was withdrawn changes neither, so the layer keeps what was fetched on the first day.",
    remedy: "fetch a tag or commit, or say it as an ARG that the command uses; with a lock file, copy that before the step",
    severity: Severity::Note,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh «git clone git@git.example.com:org/repo.git» && make\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh «git clone --depth 1 -b main ssh://git.example.com/org/repo»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh «pip install git+ssh://git@git.example.com/org/repo@main#egg=x»\n",
        ),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh «npm i git+ssh://git@git.example.com/org/repo.git»\n"),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh «go get git.example.com/org/repo@latest»\n"),
        Example::new("Dockerfile", "FROM a\nCOPY package.json ./\nRUN --mount=type=ssh «npm install»\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh git clone git@git.example.com:org/repo && cd repo && git checkout 0123456789abcdef\nRUN --mount=type=ssh git clone -b v1.2.3 git@git.example.com:org/repo\nRUN --mount=type=ssh git clone --branch=$REF git@git.example.com:org/repo\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh pip install git+ssh://git@git.example.com/org/repo@1.4.0 x@git+ssh://git.example.com/o/r@0a1b2c3\nRUN --mount=type=ssh npm i git@git.example.com:org/repo#semver:^1\nRUN --mount=type=ssh go install git.example.com/org/repo@v1.2.3\nRUN --mount=type=ssh cargo install --git ssh://git.example.com/org/repo --tag v1\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nCOPY package*.json ./\nRUN --mount=type=ssh npm install\nFROM a\nCOPY . .\nRUN --mount=type=ssh npm install\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nARG CACHEBUST=1\nRUN --mount=type=ssh git clone git@git.example.com:org/repo\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nADD https://git.example.com/org/repo/commits/main.json /ref\nRUN --mount=type=ssh git clone git@git.example.com:org/repo\n",
        ),
        // What is public needs no key.
        Example::new("Dockerfile", "FROM a\nRUN git clone https://git.example.com/org/repo && pip install x\n"),
        // Nothing of it stays in a layer but what the step makes of it, and it is fetched again.
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh git fetch && git pull && git ls-remote git@git.example.com:org/repo\n",
        ),
    ],
};

/// Branches that move.
const BRANCHES: [&[u8]; 8] = [b"main", b"master", b"develop", b"dev", b"trunk", b"HEAD", b"latest", b"stable"];

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let mut looks = Looks::default();
    look(file, &mut looks, found);
    if looks.is_out() {
        file.cut();
    }
}

fn look(file: &File<'_>, looks: &mut Looks, found: &mut Vec<Found>) {
    for (stage, step) in file.dockerfile.instructions().filter(|(_, step)| step.mounts_of("ssh").next().is_some()) {
        let Some(stage) = stage else { continue };
        let Some(above) = looks.above(file, stage, step) else { return };
        if above.iter().any(|other| changes(other)) {
            continue;
        }
        let is_checked_out = step.commands.iter().any(checks_out);
        for command in &step.commands {
            let Some(fetch) = fetch::of(command) else { continue };
            let message = match fetch.ssh_address() {
                Some(word) if !(is_fixed(&fetch, word) || is_checked_out && fetch.tool == "git") => {
                    "whatever the branch is on the first day stays in the layer"
                }
                None if goes_for_latest(&fetch) => "whatever is the latest on the first day stays in the layer",
                None if lacks_its_lock(&above, step, &fetch, looks) => {
                    "no lock file is copied before this: what it finds on the first day stays in the layer"
                }
                _ => continue,
            };
            found.push(Found::new(command.span.clone(), message));
        }
    }
}

/// Whether an instruction above is there to make the step run again: an ARG that says so, or the
/// branch's own state.
fn changes(instruction: &Instruction) -> bool {
    let marks = ["BUST", "CACHE", "COMMIT", "SHA", "REV", "REF", "DATE", "TAG", "VERSION", "BRANCH"];
    let says = |name: &[u8]| {
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        marks.iter().any(|mark| name.contains(mark))
    };
    match instruction.keyword.as_str() {
        "ARG" => instruction.settings.iter().any(|setting| says(&setting.name)),
        "ADD" => instruction.words.first().is_some_and(|word| word.text.starts_with(b"http")),
        _ => false,
    }
}

/// Whether the address or an option says which commit.
fn is_fixed(fetch: &Fetch<'_>, address: &Word) -> bool {
    let value = |names: &[&str]| {
        fetch.args.iter().enumerate().find_map(|(at, word)| {
            let text = String::from_utf8_lossy(&word.text);
            let (name, joined) = text.split_once('=').map_or((&*text, None), |(name, value)| (name, Some(value)));
            let next = || fetch.args.get(at + 1).map(|next| String::from_utf8_lossy(&next.text).into_owned());
            names.contains(&name).then(|| joined.map(ToOwned::to_owned).or_else(next)).flatten()
        })
    };
    match fetch.tool {
        "git" if fetch.action == b"clone" => {
            value(&["-b", "--branch", "--revision"]).is_some_and(|branch| is_version(branch.as_bytes()))
        }
        "git" => true,
        "cargo" => value(&["--tag", "--rev"]).is_some(),
        _ => {
            let text = fetch::address(&address.text).unwrap_or_default();
            let text = text.split(|byte| *byte == b'#').collect::<Vec<_>>();
            let behind = text.get(1).copied().filter(|fragment| !fragment.contains(&b'=')).unwrap_or_default();
            let path = text.first().and_then(|text| text.rsplit(|byte| *byte == b'/').next()).unwrap_or_default();
            let at = path.split(|byte| *byte == b'@').nth(1).unwrap_or_default();
            [behind, at].into_iter().any(is_version)
        }
    }
}

/// Whether a name is that of no branch that everybody knows. A variable's value is part of the step, or
/// of the ARG that changes it.
fn is_version(name: &[u8]) -> bool {
    !name.is_empty() && !BRANCHES.contains(&name)
}

fn checks_out(command: &Command) -> bool {
    let Some(fetch) = fetch::of(command).filter(|fetch| fetch.tool == "git") else { return false };
    let names = || fetch.args.iter().filter(|word| !word.text.starts_with(b"-"));
    match fetch.action {
        b"checkout" | b"switch" | b"reset" => names().next().is_some_and(|word| is_version(&word.text)),
        b"fetch" => names().count() > 1,
        _ => false,
    }
}

/// `go get x@latest`.
fn goes_for_latest(fetch: &Fetch<'_>) -> bool {
    let moves = |word: &Word| {
        let version = word.text.iter().rposition(|byte| *byte == b'@').and_then(|at| word.text.get(at + 1..));
        version.is_some_and(|version| BRANCHES.contains(&version))
    };
    fetch.tool == "go" && matches!(fetch.action, b"get" | b"install") && fetch.args.iter().any(moves)
}

/// Whether a manifest was copied by its own name, and no lock file with it.
fn lacks_its_lock(above: &[&Instruction], step: &Instruction, fetch: &Fetch<'_>, looks: &mut Looks) -> bool {
    let files = fetch.files();
    let (locks, manifests): (Vec<_>, Vec<_>) = files.iter().partition(|name| fetch::is_lock(name));
    if locks.is_empty()
        || fetch.action == b"lock"
        || step.mounts_of("bind").next().is_some()
        || looks.again(above).is_none()
    {
        return false;
    }
    let copies = above.iter().filter(|instruction| matches!(&*instruction.keyword, "COPY" | "ADD"));
    let mut named = false;
    for instruction in copies {
        for word in instruction.words.iter().take(instruction.words.len().saturating_sub(1)) {
            let text = String::from_utf8_lossy(&word.text);
            let base = text.rsplit('/').next().unwrap_or(&text);
            if manifests.iter().any(|manifest| manifest.as_str() == base) {
                named = true;
            } else if !base.contains('.') || base.contains('*') || base == "." || fetch::is_lock(base) {
                // A folder or a pattern may hold it.
                return false;
            }
        }
    }
    named
}
