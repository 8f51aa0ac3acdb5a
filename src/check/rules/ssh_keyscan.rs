//! `ssh-keyscan`: host keys from whoever answers.

use crate::check::dockerfile::{Dockerfile, Instruction, Stage};
use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::fix::without;
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;

/// What gives a step the host keys that are lent, for builds that are lent the keys themselves.
const KNOWN_HOSTS: &str = " --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444";

pub(super) const RULE: Rule = Rule {
    id: "ssh-keyscan",
    about: "host keys that come from ssh-keyscan",
    why: "ssh-keyscan asks the network who the server is, and believes whoever answers: exactly what host keys are there against.",
    remedy: "leave it out: valetkey gives the build pinned host keys; pin others with `valetkey host add`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nRUN mkdir -p ~/.ssh && «ssh-keyscan github.com >> ~/.ssh/known_hosts»\nRUN --mount=type=ssh make\n",
        )
        .fixed("FROM a\nRUN --mount=type=ssh --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444 make\n"),
        Example::new("Dockerfile", "FROM a\nRUN «ssh-keyscan h» | tee -a /etc/ssh/ssh_known_hosts && make\n")
            .fixed("FROM a\nRUN make\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh make && «ssh-keyscan h >>/root/.ssh/known_hosts» && git clone x\n",
        )
        .fixed("FROM a\nRUN --mount=type=ssh --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444 make && git clone x\n"),
        // The folder is used elsewhere, so it stays.
        Example::new(
            "Dockerfile",
            "FROM a\nRUN mkdir /root/.ssh && «ssh-keyscan h > /root/.ssh/known_hosts»\nRUN cp x /root/.ssh/config\n",
        )
        .fixed("FROM a\nRUN mkdir /root/.ssh\nRUN cp x /root/.ssh/config\n"),
        // What else is done with the keys is not known.
        Example::new("Dockerfile", "FROM a\nRUN «ssh-keyscan h > keys» && ./verify keys\n"),
        Example::new("Dockerfile", "FROM a\nRUN <<EOF\nset -e\n«ssh-keyscan h >> ~/.ssh/known_hosts»\nEOF\n"),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          «ssh-keyscan github.com >> ~/.ssh/known_hosts»\n          make\n",
        ),
        Example::new(".gitlab-ci.yml", "a:\n  script:\n    - «ssh-keyscan \"$HOST\" > k»\n"),
        Example::new("Dockerfile", "FROM a\nRUN echo ssh-keyscan # ssh-keyscan github.com\n"),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let is_scan = |command: &Command| command.program() == b"ssh-keyscan";
    for step in file.steps.iter().flat_map(|step| &step.commands).filter(|command| is_scan(command)) {
        found.push(named(step));
    }
    for (stage, instruction) in file.dockerfile.instructions() {
        for command in instruction.commands.iter().filter(|command| is_scan(command)) {
            let edits = stage.and_then(|stage| edits(file, stage, instruction));
            found.push(match edits {
                Some(edits) => {
                    named(command).fixed_by("take it out, and give the steps the host keys that are lent", edits)
                }
                None => named(command),
            });
        }
    }
}

fn named(command: &Command) -> Found {
    Found::new(command.span.clone(), "host keys are asked of whoever answers, and trusted")
}

/// What takes every ssh-keyscan out of a step, and gives the known hosts to the steps that have an ssh
/// mount from there on.
fn edits(file: &File<'_>, stage: usize, instruction: &Instruction) -> Option<Vec<Edit>> {
    let commands: Vec<(usize, &Command)> =
        instruction.commands.iter().enumerate().filter(|(_, command)| command.depth == 0).collect();
    let mut gone = Vec::new();
    for (at, (index, command)) in commands.iter().enumerate() {
        if command.program() != b"ssh-keyscan" {
            continue;
        }
        gone.push(*index);
        if writes_known_hosts(command) {
            continue;
        }
        // `ssh-keyscan h | tee -a known_hosts`.
        let (next, tee) = commands.get(at + 1)?;
        if tee.program() != b"tee" || !tee.args().iter().any(|word| word.text.ends_with(b"known_hosts")) {
            return None;
        }
        gone.push(*next);
    }
    if gone.is_empty() {
        return None;
    }
    let prepares = |command: &Command| {
        let words = command.args().iter().filter(|word| !word.text.starts_with(b"-"));
        let mut paths = words.filter(|word| word.text.contains(&b'/') || word.text.starts_with(b"~"));
        matches!(command.program(), b"mkdir" | b"chmod" | b"touch" | b"chown")
            && paths.all(|word| is_ssh_folder(&word.text))
    };
    let rest = || commands.iter().filter(|(index, _)| !gone.contains(index));
    if rest().all(|(_, command)| prepares(command)) && !is_used_elsewhere(file, instruction) {
        gone = commands.iter().map(|(index, _)| *index).collect();
    }
    let mut edits = without(instruction, &gone, file.text)?;
    let whole = gone.len() == commands.len();
    for step in
        later_steps(&file.dockerfile, stage, instruction).filter(|step| !(whole && step.span == instruction.span))
    {
        let has = step.mounts_of("secret").any(|mount| mount.value(&["id"]) == Some("known_hosts"));
        if let Some(mount) = step.mounts_of("ssh").last().filter(|_| !has) {
            edits.push(Edit::insert(mount.span.end, KNOWN_HOSTS));
        }
    }
    Some(edits)
}

fn writes_known_hosts(command: &Command) -> bool {
    command.redirects.iter().any(|redirect| {
        matches!(redirect.operator.as_slice(), b">" | b">>" | b"1>" | b"1>>")
            && redirect.target.text.ends_with(b"known_hosts")
    })
}

fn is_ssh_folder(path: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    [&b"/.ssh"[..], b"/.ssh/known_hosts", b"/etc/ssh", b"/etc/ssh/ssh_known_hosts"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Whether anything else of the file speaks of such a folder.
fn is_used_elsewhere(file: &File<'_>, instruction: &Instruction) -> bool {
    let places = memchr::memmem::find_iter(file.text, b"/.ssh");
    let comment = |at: usize| {
        let line = file
            .text
            .get(..at)
            .map_or(0, |before| before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        file.text.get(line..at).unwrap_or_default().trim_ascii_start().starts_with(b"#")
    };
    let scanned = |at: usize| {
        let others = file.dockerfile.instructions().flat_map(|(_, other)| &other.commands);
        others.filter(|command| command.program() == b"ssh-keyscan").any(|command| command.span.contains(&at))
    };
    places.into_iter().any(|at| !instruction.span.contains(&at) && !comment(at) && !scanned(at))
}

/// The step itself and those behind it, in its stage and in those that are built from it.
fn later_steps<'a>(
    file: &'a Dockerfile,
    stage: usize,
    instruction: &'a Instruction,
) -> impl Iterator<Item = &'a Instruction> {
    let descends = move |of: usize| {
        let mut at = Some(of);
        while let Some(index) = at {
            if index == stage {
                return true;
            }
            at = file.stages.get(index).and_then(|stage: &Stage| stage.parent).filter(|parent| *parent < index);
        }
        false
    };
    let stages = file.stages.iter().enumerate().filter(move |(index, _)| descends(*index));
    let steps = stages.flat_map(|(_, stage)| &stage.instructions);
    steps.filter(|step| step.keyword == "RUN" && step.span.start >= instruction.span.start)
}
