//! `mount-malformed`: mounts that the builder refuses, or does nothing with.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::check::dockerfile::{Instruction, Mount};
use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::mount_faults::{FIELDS, MAX_FIELDS, faults, near};
use crate::check::rule::{Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mount-malformed",
    about: "a mount that the builder refuses or ignores",
    why: "The builder stops at a mount that it does not understand. One that it takes for a part of the command, or a second agent that no program is told of, is worse: the step runs without it.",
    remedy: "write --mount=type=ssh,required=true, or --mount=type=secret,id=NAME, in front of the command and without blanks",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh«,» required=true,mode=0666 git fetch\n")
            .fixed("FROM a\nRUN --mount=type=ssh,required=true,mode=0666 git fetch\n"),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh«,» git fetch\nRUN --mount=«type=shs» x\n"),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=secret,id=t,«requird=true»,«mode=u+r» x\n"),
        Example::new("Dockerfile", "FROM a\nRUN «--mount» type=ssh x\nRUN «--mounts=type=ssh» x\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN cd /x && «--mount=type=ssh» git fetch\nRUN git «--mount=type=ssh» fetch\n",
        ),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh,id=a «--mount=type=ssh,id=b» x\n"),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=secret,id=t «--mount=type=secret,id=t» x\n"),
        Example::new("Dockerfile", "# syntax=docker/dockerfile:1.4\nFROM a\nRUN --mount=type=secret,id=t,«env=T» x\n"),
        Example::new("Dockerfile", "#syntax = docker/dockerfile:1.10\nFROM a\nRUN --mount=type=secret,id=t,env=T x\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh,required=true --mount=type=secret,id=t --network=host --security=insecure --device=x y\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh,id=a --mount=type=ssh,id=b SSH_AUTH_SOCK=/run/buildkit/ssh_agent.1 git fetch\nRUN --mount=type=ssh --mount=type=ssh,id=b,target=/b x\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN docker run --mount=type=bind,src=/a,dst=/b x && buildah run --mount=type=ssh x\nRUN echo --mount=type=ssh\n",
        ),
    ],
};

/// Findings in one file; nobody reads more of them.
const MAX_FOUND: usize = 1_000;
/// Flags of RUN.
const FLAGS: [&str; 4] = ["--mount", "--network", "--security", "--device"];
/// Programs with a flag of that name, and those that only say their words.
const OTHERS: [&[u8]; 7] = [b"docker", b"podman", b"buildah", b"nerdctl", b"echo", b"printf", b"ctr"];
/// The first version of Dockerfile's syntax that gives secrets to variables.
const WITH_ENV: u32 = 10;

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let version = syntax_version(file.text);
    for (_, step) in file.dockerfile.instructions().filter(|(_, step)| step.keyword == "RUN") {
        if found.len() >= MAX_FOUND {
            return file.cut();
        }
        if step.flags.len() > MAX_FOUND || step.mounts.iter().any(|mount| mount.fields.len() > MAX_FIELDS) {
            file.cut();
        }
        flags(step, found);
        for (index, mount) in step.mounts.iter().enumerate().take(MAX_FOUND) {
            fields(step, index, mount, file.text, found);
            if let (Some(field), Some(0..WITH_ENV)) = (mount.fields.iter().find(|field| field.name == "env"), version) {
                let message = "the syntax that the file asks for cannot give a secret to a variable";
                found.push(Found::new(field.span.clone(), message).remedy("write # syntax=docker/dockerfile:1"));
            }
        }
        repeated(step, file.text, found);
        behind(step, found);
    }
}

/// Flags that are none, or say nothing.
fn flags(step: &Instruction, found: &mut Vec<Found>) {
    for flag in step.flags.iter().take(MAX_FOUND) {
        let text = String::from_utf8_lossy(&flag.text);
        let name = text.split('=').next().unwrap_or(&text);
        let is_bare = text == "--mount";
        if is_bare || !FLAGS.contains(&name) && near(name, &["--mount"]).is_some() {
            let message = if is_bare { "a mount follows behind an equals sign" } else { "this is no flag of RUN" };
            found.push(Found::new(flag.span.clone(), format!("{message}, and the builder refuses it")));
        }
    }
}

/// What is wrong with fields.
fn fields(step: &Instruction, index: usize, mount: &Mount, text: &[u8], found: &mut Vec<Found>) {
    for fault in faults(mount) {
        let finding = Found::new(fault.at.clone(), fault.message);
        found.push(match fault.meant {
            Some((word, meant)) => match place(&word, &fault.at, text) {
                Some(at) => finding.offers(format!("write {meant}"), vec![Edit::replace(&at, meant)]),
                None => finding,
            },
            None => match rest_of(step, index, mount).filter(|_| fault.at.end == mount.span.end) {
                Some(rest) => finding.fixed_by("take out the blank", vec![Edit::replace(&(mount.span.end..rest), "")]),
                None => finding,
            },
        });
    }
}

/// Where a word stands in a field.
fn place(word: &str, field: &Range<usize>, text: &[u8]) -> Option<Range<usize>> {
    let inside = text.get(field.clone())?.to_ascii_lowercase();
    let at = memchr::memmem::find(&inside, word.to_ascii_lowercase().as_bytes())?;
    Some(field.start + at..field.start + at + word.len())
}

/// Where the rest of a mount begins that was cut off by a blank.
fn rest_of(step: &Instruction, index: usize, mount: &Mount) -> Option<usize> {
    let is_last = step.mounts.len() == index + 1 && step.flags.last().is_some_and(|flag| flag.span == mount.span);
    let is_cut = mount.fields.last().is_some_and(|field| field.name.is_empty());
    let next = step.words.first().filter(|_| is_last && is_cut)?;
    let name = next.text.split(|byte| *byte == b'=').next()?;
    let is_field = next.text.contains(&b'=') || name == b"required";
    (is_field && FIELDS.iter().any(|field| field.as_bytes() == name)).then_some(next.span.start)
}

/// Agents that no program is told of, and secrets that hide each other.
fn repeated(step: &Instruction, text: &[u8], found: &mut Vec<Found>) {
    let target = |mount: &Mount| mount.value(&["target", "dst", "destination"]).map(ToOwned::to_owned);
    let own = text.get(step.span.clone()).unwrap_or_default();
    let is_told = [&b"SSH_AUTH_SOCK"[..], b"ssh_agent."].iter().any(|word| memchr::memmem::find(own, word).is_some());
    for mount in step.mounts_of("ssh").take(MAX_FOUND).skip(1).filter(|mount| target(mount).is_none() && !is_told) {
        let message = "a second agent: SSH_AUTH_SOCK names the first alone";
        let remedy = "one mount is enough: valetkey finds the key by host and repository";
        found.push(Found::new(mount.span.clone(), message).remedy(remedy));
    }
    let mut places = BTreeSet::new();
    for mount in step.mounts_of("secret").take(MAX_FOUND).filter(|mount| !mount.has("env")) {
        let id = mount.value(&["id", "source", "src"]).map(ToOwned::to_owned);
        let place = target(mount).or_else(|| id.map(|id| format!("/run/secrets/{id}")));
        if place.is_some_and(|place| !places.insert(place)) {
            found.push(Found::new(mount.span.clone(), "a secret lies in that place already, and this one hides it"));
        }
    }
}

/// Mounts behind the beginning of the command, which are words of it.
fn behind(step: &Instruction, found: &mut Vec<Found>) {
    for command in step.commands.iter().filter(|command| !OTHERS.contains(&command.program())) {
        for word in &command.words {
            if word.text.starts_with(b"--mount=type=ssh") || word.text.starts_with(b"--mount=type=secret") {
                let message = "a mount behind the beginning of the command is a word of the command";
                found.push(Found::new(word.span.clone(), message).remedy("write it right behind RUN"));
            }
        }
    }
}

/// N of `# syntax=docker/dockerfile:1.N`; none where the newest is meant, or another builder.
fn syntax_version(text: &[u8]) -> Option<u32> {
    let first = String::from_utf8_lossy(text.split(|byte| *byte == b'\n').next()?).into_owned();
    let value = first.trim_start_matches('\u{feff}').trim().strip_prefix('#')?.trim().strip_prefix("syntax")?;
    let image = value.trim_start().strip_prefix('=')?.trim();
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    image.strip_prefix("docker/dockerfile:1.")?.split(['.', '-', '@']).next()?.parse().ok()
}
