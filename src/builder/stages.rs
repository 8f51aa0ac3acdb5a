//! PURE: the stages of a Dockerfile, and what in each keeps a step from the guest: `ENV`, `ARG`,
//! an image without a shell. What holds in a stage holds in those that are built from it.

use super::dockerfile::Note;
use super::shell_words;
use super::step_notes::{FOLDER, assignment, command_note, exec_form, found, holds, program_note};
use crate::wire::text::shown;

/// A stage, up to the line that is being read.
#[derive(Clone, Default)]
struct Stage {
    name: Vec<u8>,
    /// The image, where it has no shell and nothing was put into it yet.
    empty: Option<String>,
    /// What a variable that holds in it does to a step.
    settings: Vec<(&'static str, Note)>,
}

/// The stages of a Dockerfile, in the order in which they are read.
#[derive(Default)]
pub(super) struct Stages {
    all: Vec<Stage>,
}

impl Stages {
    /// `FROM [--platform=…] IMAGE [AS NAME]`.
    pub(super) fn from(&mut self, rest: &[u8]) {
        let words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty() && !word.starts_with(b"--"));
        let words: Vec<&[u8]> = words.collect();
        let image = words.first().copied().unwrap_or_default();
        let same = self.all.iter().rev().find(|stage| !image.is_empty() && stage.name.eq_ignore_ascii_case(image));
        let mut stage = same
            .cloned()
            .unwrap_or_else(|| Stage { empty: has_no_shell(image).then(|| shown(image)), ..Stage::default() });
        stage.name = match words.as_slice() {
            [_, word, name, ..] if word.eq_ignore_ascii_case(b"as") => name.to_vec(),
            _ => Vec::new(),
        };
        self.all.push(stage);
    }

    /// `COPY`, `ADD` or a `SHELL` of the person's own: what is in the stage is not known from here.
    pub(super) fn fill(&mut self) {
        if let Some(stage) = self.all.last_mut() {
            stage.empty = None;
        }
    }

    /// `ENV` or `ARG`, which hold in a stage alone.
    pub(super) fn set(&mut self, rest: &[u8], escape: u8, line: usize) {
        let Some(stage) = self.all.last_mut() else { return };
        let words = shell_words::of_instruction(rest, escape);
        let old_form = words.first().is_some_and(|word| !word.contains(&b'='));
        let pairs: Vec<(Vec<u8>, Vec<u8>)> = if old_form {
            let name = words.first().cloned().unwrap_or_default();
            vec![(name, words.get(1..).unwrap_or_default().join(&b' '))]
        } else {
            words
                .iter()
                .filter_map(|word| assignment(word))
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                .collect()
        };
        for (name, value) in pairs {
            let (variable, note) = match name.as_slice() {
                b"PATH" if holds(&value, FOLDER) => ("PATH", None),
                // What it had goes on.
                b"PATH" if holds(&value, b"$PATH") || holds(&value, b"${PATH") => continue,
                b"PATH" => ("PATH", Some(Note::Path(line))),
                b"GIT_SSH" => ("GIT_SSH", program_note("GIT_SSH", &value, line)),
                b"GIT_SSH_COMMAND" => ("GIT_SSH_COMMAND", command_note("GIT_SSH_COMMAND", &value, line)),
                _ => continue,
            };
            stage.settings.retain(|(set, _)| *set != variable);
            stage.settings.extend(note.map(|note| (variable, note)));
        }
    }

    /// A RUN, its flags taken off. `bodies` are its heredocs, `binds` says whether it mounts
    /// something that may be a shell.
    pub(super) fn run(&mut self, step: &Step<'_>) -> Vec<Note> {
        let mut notes = Vec::new();
        let words = exec_form(step.command);
        let Some(stage) = self.all.last_mut() else { return notes };
        if step.ssh {
            notes.extend(stage.settings.iter().map(|(_, note)| note.clone()));
            match &words {
                Some(words) => found(words, step.line, 0, &mut notes),
                None => {
                    if let Some(image) = stage.empty.as_ref().filter(|_| !step.binds) {
                        notes.push(Note::NoShell(step.line, image.clone()));
                    }
                    for script in [step.command].into_iter().chain(step.bodies.iter().copied()) {
                        found(&shell_words::of_script(script), step.line, 0, &mut notes);
                    }
                }
            }
        }
        if words.is_some() || step.binds {
            stage.empty = None;
        }
        notes
    }
}

/// A RUN instruction.
pub(super) struct Step<'a> {
    /// What is behind its flags.
    pub(super) command: &'a [u8],
    /// The texts of its heredocs.
    pub(super) bodies: &'a [&'a [u8]],
    /// Whether it has an ssh mount.
    pub(super) ssh: bool,
    /// Whether it mounts files, among which a shell may be.
    pub(super) binds: bool,
    /// Its line.
    pub(super) line: usize,
}

/// Images that are known to have no shell: nothing at all, distroless without `debug`, and
/// Chainguard's `static` without `dev`. A digest without a tag may be either.
fn has_no_shell(image: &[u8]) -> bool {
    let text = String::from_utf8_lossy(image);
    if text == "scratch" {
        return true;
    }
    let (name, digest) = text.split_once('@').map_or((&*text, false), |(name, _)| (name, true));
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    };
    if name.contains('$') || tag.is_some_and(|tag| tag.contains('$')) || digest && tag.is_none() {
        return false;
    }
    let tag = tag.unwrap_or("latest");
    name.starts_with("gcr.io/distroless/") && !tag.contains("debug")
        || name == "cgr.dev/chainguard/static" && !tag.contains("dev")
}

#[cfg(test)]
mod tests {
    use super::super::dockerfile::rewrite;
    use super::*;

    fn noted(text: &str) -> Vec<Note> {
        rewrite(text.as_bytes(), None).notes
    }

    #[test]
    fn what_is_set_in_a_stage_holds_for_its_later_steps_and_those_of_stages_from_it() {
        let step = "RUN --mount=type=ssh x\n";
        let set = "ARG GIT_SSH_COMMAND=\"/opt/ssh -v\"\n";
        let note = Note::GitSsh(2, "GIT_SSH_COMMAND", "/opt/ssh".into());
        assert_eq!(noted(&format!("FROM a AS base\n{set}FROM b\n{step}")), []);
        assert_eq!(noted(&format!("FROM a\n{step}{set}")), []);
        assert_eq!(noted(&format!("FROM a AS base\n{set}FROM BASE\n{step}{step}")), [note]);
        assert_eq!(noted(&format!("ARG GIT_SSH=/x\nFROM a\n{step}ARG GIT_SSH\n{step}")), []);
        assert_eq!(noted(&format!("FROM a\nENV PATH=/opt\nENV PATH=/usr/local/bin:$PATH\n{step}")), []);
        assert_eq!(noted(&format!("FROM a\nENV PATH=/opt\nENV PATH=/x:$PATH\n{step}")), [Note::Path(2)]);
    }

    #[test]
    fn an_image_without_a_shell_is_noted_where_that_is_certain() {
        let none = |image: &str| vec![Note::NoShell(2, image.to_owned())];
        for image in [
            "scratch",
            "gcr.io/distroless/static",
            "gcr.io/distroless/python3-debian12:nonroot@sha256:00",
            "cgr.dev/chainguard/static:latest",
        ] {
            assert_eq!(noted(&format!("FROM {image}\nRUN --mount=type=ssh x\n")), none(image), "{image}");
            let filled = [
                "COPY x /",
                "ADD x /",
                "SHELL [\"/x\"]",
                "RUN [\"/x\"]",
                "RUN --mount=from=busybox,target=/bin /bin/x",
            ];
            for filling in filled {
                assert_eq!(noted(&format!("FROM {image}\n{filling}\nRUN --mount=type=ssh x\n")), [], "{filling}");
            }
            assert_eq!(noted(&format!("FROM {image}\nRUN --mount=type=ssh [\"/usr/local/bin/ssh\", \"h\"]\n")), []);
            let own = "RUN --mount=type=ssh --mount=from=busybox,source=/bin,target=/bin x\n";
            assert_eq!(noted(&format!("FROM {image}\n{own}")), []);
        }
        for image in [
            "alpine",
            "debian:12",
            "gcr.io/distroless/static:debug",
            "gcr.io/distroless/static:debug-nonroot",
            "gcr.io/distroless/static:$TAG",
            "gcr.io/distroless/static@sha256:00",
            "cgr.dev/chainguard/static:latest-dev",
            "cgr.dev/chainguard/git",
            "localhost:5000/scratch",
        ] {
            assert_eq!(noted(&format!("FROM {image}\nRUN --mount=type=ssh x\n")), [], "{image}");
        }
        let through = "FROM --platform=$P scratch AS one\nFROM one AS two\nRUN --mount=type=ssh x\n";
        assert_eq!(noted(through), [Note::NoShell(3, "scratch".into())]);
        // The mount of the guest by the person's own hand is no shell.
        let own = "FROM scratch\nRUN --mount=type=ssh --mount=from=valetkey,source=ssh,target=/usr/local/bin/ssh x\n";
        assert_eq!(noted(own), none("scratch"));
    }
}
