//! `ssh-keyscan`: host keys from whoever answers.

use std::collections::BTreeSet;

use crate::check::dockerfile::{Dockerfile, Instruction};
use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::fix::without;
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;

/// Steps of one file that are mended: each changes all steps behind it.
const MAX_FIXED: usize = 100;
/// Places that one fix changes; a fix with more is none.
const MAX_EDITS: usize = 500;
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
    let folders = Folders::new(file);
    let scanning = |(_, instruction): &(_, &Instruction)| instruction.commands.iter().any(is_scan);
    for (number, (stage, instruction)) in file.dockerfile.instructions().filter(scanning).enumerate() {
        // One fix takes all scans out of a step, so it is made for the first.
        let mut edits =
            stage.filter(|_| number < MAX_FIXED).and_then(|stage| edits(file, &folders, stage, instruction));
        for command in instruction.commands.iter().filter(|command| is_scan(command)) {
            found.push(match edits.take() {
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
fn edits(file: &File<'_>, folders: &Folders, stage: usize, instruction: &Instruction) -> Option<Vec<Edit>> {
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
    let goes: BTreeSet<usize> = gone.iter().copied().collect();
    let mut rest = commands.iter().filter(|(index, _)| !goes.contains(index));
    if rest.all(|(_, command)| prepares(command)) && !folders.are_used_beside(instruction) {
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
    (edits.len() <= MAX_EDITS).then_some(edits)
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

/// Where the file speaks of a `.ssh` folder, but in comments and in scans.
struct Folders(Vec<usize>);

impl Folders {
    fn new(file: &File<'_>) -> Self {
        let scans = file.dockerfile.instructions().flat_map(|(_, instruction)| &instruction.commands);
        let scans = scans.filter(|command| command.program() == b"ssh-keyscan").map(|command| command.span.clone());
        let mut scans: Vec<_> = scans.collect();
        scans.sort_by_key(|span| span.start);
        let is_in_scan = |at: usize| {
            let before = scans.partition_point(|span| span.start <= at);
            before.checked_sub(1).and_then(|index| scans.get(index)).is_some_and(|span| span.contains(&at))
        };
        let mut line = 0;
        let mut places = Vec::new();
        for text in file.text.split_inclusive(|byte| *byte == b'\n') {
            if !text.trim_ascii_start().starts_with(b"#") {
                let inside = memchr::memmem::find_iter(text, b"/.ssh").map(|at| line + at);
                places.extend(inside.filter(|at| !is_in_scan(*at)));
            }
            line += text.len();
        }
        Self(places)
    }

    /// Whether anything else than this step speaks of one.
    fn are_used_beside(&self, instruction: &Instruction) -> bool {
        let first = self.0.partition_point(|at| *at < instruction.span.start);
        let behind = self.0.partition_point(|at| *at < instruction.span.end);
        behind - first < self.0.len()
    }
}

/// The step itself and those behind it, in its stage and in those that are built from it.
fn later_steps<'a>(
    file: &'a Dockerfile,
    stage: usize,
    instruction: &'a Instruction,
) -> impl Iterator<Item = &'a Instruction> {
    let mut descends: Vec<bool> = Vec::with_capacity(file.stages.len());
    for (index, of) in file.stages.iter().enumerate() {
        let parent = of.parent.and_then(|parent| descends.get(parent).copied());
        descends.push(index == stage || parent.unwrap_or(false));
    }
    let stages =
        file.stages.iter().enumerate().filter(move |(index, _)| descends.get(*index).copied().unwrap_or(false));
    let steps = stages.flat_map(|(_, stage)| &stage.instructions);
    steps.filter(|step| step.keyword == "RUN" && step.span.start >= instruction.span.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::around::{Around, Given};
    use crate::check::file::Kind;
    use crate::hosts::Hosts;

    fn fixes(text: &str) -> usize {
        let (files, hosts) = (Given::default(), Hosts::builtin());
        let around = Around { files: &files, hosts: &hosts };
        let file = File::read("Dockerfile", text.as_bytes(), Kind::Dockerfile, &around).unwrap();
        let mut found = Vec::new();
        check(&file, &mut found);
        found.iter().filter(|found| found.fix.is_some()).count()
    }

    #[test]
    fn as_many_steps_and_places_as_the_limits_are_mended_and_one_more_is_not() {
        let scan = "RUN ssh-keyscan h > /etc/ssh/ssh_known_hosts\n";
        let steps = |count: usize| format!("FROM a\n{}", scan.repeat(count));
        assert_eq!((fixes(&steps(MAX_FIXED)), fixes(&steps(MAX_FIXED + 1))), (MAX_FIXED, MAX_FIXED));
        // One place is the scan itself.
        let places = |count: usize| format!("FROM a\n{scan}{}", "RUN --mount=type=ssh x\n".repeat(count - 1));
        assert_eq!((fixes(&places(MAX_EDITS)), fixes(&places(MAX_EDITS + 1))), (1, 0));
    }
}
