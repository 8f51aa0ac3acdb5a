//! PURE: the RUN steps of a Dockerfile as a diagnosis needs them: where they stand, by whose hand
//! they run, what they mount, which tools they run that may fetch something.
//!
//! Keeps nothing of what was written but names of stages and users: a command or a build argument
//! in it can be a secret.

mod tools;

use serde::{Deserialize, Serialize};

use super::instruction::{Logical, escape_of, first_word, flags, logical_lines};
use super::shell_words;
use super::step_notes::exec_form;
use crate::wire::text::shown;

pub use tools::Tool;

/// Steps of one Dockerfile that are kept.
pub const MAX_STEPS: usize = 500;
/// Ssh mounts of one step that are kept.
const MAX_MOUNTS: usize = 8;

/// The RUN steps of one Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    /// In their order.
    pub steps: Vec<Step>,
    /// Whether something in it tells cargo to run Git (`net.git-fetch-with-cli`).
    pub cargo_runs_git: bool,
}

/// One RUN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its first line, from 1.
    pub line: usize,
    /// Its stage's name, or `stage-N` as BuildKit calls one without.
    pub stage: String,
    /// Its place among what makes layers in its stage, and how many of these there are: BuildKit's
    /// `2/3`.
    pub layer: (usize, usize),
    /// Its place among all instructions of its stage, and how many of these there are: podman's
    /// `STEP 2/3`.
    pub instruction: (usize, usize),
    /// The USER that it runs as; none where the Dockerfile names none, so that the image does.
    pub user: Option<String>,
    /// Its ssh mounts.
    pub ssh: Vec<SshMount>,
    /// Tools in its command that may fetch something.
    pub tools: Vec<Tool>,
}

/// `--mount=type=ssh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshMount {
    /// Its ssh id.
    pub id: String,
    /// `uid=`, as a number; none where it was not given.
    pub uid: Option<u32>,
    /// `mode=`; none where it was not given: 0600.
    pub mode: Option<u32>,
    /// Whether another `gid` than root's was given.
    pub has_gid: bool,
}

impl SshMount {
    /// Whether that user can surely not connect to the socket. Of a name that is not root's the
    /// number is not known here.
    #[must_use]
    pub fn is_closed_to(&self, user: &str) -> bool {
        let user = user.split(':').next().unwrap_or_default();
        if user.is_empty() || user == "root" || user == "0" || user.contains('$') {
            return false;
        }
        let (mode, uid) = (self.mode.unwrap_or(0o600), self.uid.unwrap_or(0));
        let is_owner = match user.parse::<u32>() {
            Ok(number) => number == uid,
            Err(_) => uid != 0,
        };
        // To connect is to write (unix(7)).
        let may = mode & 0o002 != 0 || is_owner && mode & 0o200 != 0 || self.has_gid && mode & 0o020 != 0;
        !may
    }
}

impl Step {
    /// Whether its ssh mounts are surely all closed to the user that it runs as.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let user = self.user.as_deref().unwrap_or_default();
        !self.ssh.is_empty() && self.ssh.iter().all(|mount| mount.is_closed_to(user))
    }
}

/// What a stage is, up to the line that is being read.
#[derive(Default)]
struct Stage {
    name: String,
    user: Option<String>,
    layers: usize,
    instructions: usize,
}

/// Reads a Dockerfile.
#[must_use]
pub fn steps(text: &[u8]) -> Steps {
    let mut stages: Vec<Stage> = Vec::new();
    let mut found: Vec<(usize, Step)> = Vec::new();
    for logical in logical_lines(text, escape_of(text)) {
        let (word, rest) = first_word(&logical.text);
        let word = word.to_ascii_uppercase();
        if word == b"FROM" {
            let stage = from(rest, &stages);
            stages.push(stage);
            continue;
        }
        let at = stages.len().saturating_sub(1);
        let Some(stage) = stages.last_mut() else { continue };
        stage.instructions += 1;
        stage.layers += usize::from(matches!(word.as_slice(), b"RUN" | b"COPY" | b"ADD" | b"WORKDIR"));
        match word.as_slice() {
            b"USER" => stage.user = Some(shown(rest.trim_ascii())),
            b"RUN" if found.len() < MAX_STEPS => {
                let step = Step {
                    line: logical.line,
                    stage: stage.name.clone(),
                    layer: (stage.layers, 0),
                    instruction: (stage.instructions, 0),
                    user: stage.user.clone(),
                    ssh: ssh_mounts(rest),
                    tools: tools_of(rest, &logical),
                };
                found.push((at, step));
            }
            _ => {}
        }
    }
    let steps = found.into_iter().map(|(at, mut step)| {
        if let Some(stage) = stages.get(at) {
            (step.layer.1, step.instruction.1) = (stage.layers, stage.instructions);
        }
        step
    });
    let has = |words: [&[u8]; 2]| words.iter().any(|word| memchr::memmem::find(text, word).is_some());
    Steps { steps: steps.collect(), cargo_runs_git: has([b"git-fetch-with-cli", b"GIT_FETCH_WITH_CLI"]) }
}

/// `FROM [--platform=…] IMAGE [AS NAME]`. An image that is pulled counts as a layer of its own.
fn from(rest: &[u8], before: &[Stage]) -> Stage {
    let words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty() && !word.starts_with(b"--"));
    let words: Vec<&[u8]> = words.collect();
    let image = shown(words.first().copied().unwrap_or_default());
    let name = match words.as_slice() {
        [_, word, name, ..] if word.eq_ignore_ascii_case(b"as") => shown(name).to_ascii_lowercase(),
        _ => format!("stage-{}", before.len()),
    };
    let base = before.iter().rev().find(|stage| stage.name.eq_ignore_ascii_case(&image));
    let is_pulled = base.is_none() && image != "scratch";
    Stage { name, user: base.and_then(|stage| stage.user.clone()), layers: usize::from(is_pulled), instructions: 1 }
}

fn ssh_mounts(rest: &[u8]) -> Vec<SshMount> {
    let mut found = Vec::new();
    for flag in flags(rest).0 {
        let Some(mount) = flag.strip_prefix(b"--mount=") else { continue };
        let mut is_ssh = false;
        let mut one = SshMount { id: "default".into(), uid: None, mode: None, has_gid: false };
        for field in String::from_utf8_lossy(mount).split(',') {
            let (key, value) = field.split_once('=').unwrap_or((field, ""));
            match key.to_ascii_lowercase().as_str() {
                "type" => is_ssh = value.eq_ignore_ascii_case("ssh"),
                "id" => one.id = shown(value.as_bytes()),
                "uid" => one.uid = value.parse().ok(),
                "gid" => one.has_gid = value != "0",
                "mode" => one.mode = u32::from_str_radix(value, 8).ok(),
                _ => {}
            }
        }
        if is_ssh && found.len() < MAX_MOUNTS {
            found.push(one);
        }
    }
    found
}

fn tools_of(rest: &[u8], logical: &Logical<'_>) -> Vec<Tool> {
    let command = flags(rest).1;
    let mut found = Vec::new();
    match exec_form(command) {
        Some(words) => tools::find(&words, 0, &mut found),
        None => {
            for script in [command].into_iter().chain(logical.bodies.iter().copied()) {
                tools::find(&shell_words::of_script(script), 0, &mut found);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Step> {
        steps(text.as_bytes()).steps
    }

    #[test]
    fn steps_are_numbered_as_buildkit_and_podman_number_them() {
        let text = "FROM debian AS base\nARG X\nWORKDIR /w\nRUN a\nFROM base\nRUN \\\n  b\nCOPY x y\nFROM scratch as last\nRUN [\"c\"]\n";
        let numbers: Vec<_> =
            of(text).into_iter().map(|step| (step.line, step.stage, step.layer, step.instruction)).collect();
        assert_eq!(
            numbers,
            [
                (4, "base".to_owned(), (3, 3), (4, 4)),
                (6, "stage-1".to_owned(), (1, 2), (2, 3)),
                (10, "last".to_owned(), (1, 1), (2, 2)),
            ]
        );
    }

    #[test]
    fn a_user_holds_in_its_stage_and_in_those_from_it() {
        let text = "FROM debian AS a\nRUN x\nUSER app:app\nRUN x\nFROM debian\nRUN x\nFROM a\nRUN x\n";
        let users: Vec<_> = of(text).into_iter().map(|step| step.user).collect();
        assert_eq!(users, [None, Some("app:app".into()), None, Some("app:app".into())]);
    }

    #[test]
    fn a_socket_is_closed_to_everyone_but_its_owner_and_whom_its_mode_lets_in() {
        for (mount, user, closed) in [
            ("", "root", false),
            ("", "0:0", false),
            ("", "app", true),
            ("", "1000", true),
            ("", "$APP", false),
            (",uid=1000", "1000", false),
            (",uid=1000", "1001:1000", true),
            // Whose number that is stands in the image.
            (",uid=1000", "app", false),
            (",mode=0666", "app", false),
            // To read is not to connect.
            (",mode=0644", "app", true),
            (",gid=1000,mode=0660", "app", false),
            (",gid=1000", "app", true),
        ] {
            let text = format!("FROM debian\nUSER {user}\nRUN --mount=type=ssh{mount} x\n");
            assert_eq!(of(&text)[0].is_closed(), closed, "{text}");
        }
        assert!(!of("FROM debian\nUSER app\nRUN x\n")[0].is_closed(), "what has no socket has none that is closed");
    }

    #[test]
    fn tools_are_found_where_a_command_begins() {
        for (command, tools) in [
            ("git clone x", vec![Tool::Git]),
            ("git config --global a b", vec![]),
            ("echo git clone", vec![]),
            (": a && FOO=1 git -C x submodule update --init", vec![Tool::Git]),
            ("sh -c 'cargo build'", vec![Tool::Cargo]),
            ("[\"poetry\", \"install\"]", vec![Tool::Poetry]),
            ("python3 -m pip install x | cat", vec![Tool::Pip]),
            ("/usr/local/bin/npm ci; go mod download", vec![Tool::Npm, Tool::Go]),
            ("apt-get install -y git openssh-client", vec![]),
        ] {
            assert_eq!(of(&format!("FROM debian\nRUN {command}\n"))[0].tools, tools, "{command}");
        }
        assert_eq!(of("FROM debian\nRUN <<E\ngit fetch\nE\n")[0].tools, [Tool::Git], "in a heredoc");
    }

    #[test]
    fn a_setting_that_makes_cargo_run_git_is_seen_wherever_it_stands() {
        assert!(steps(b"FROM x\nENV CARGO_NET_GIT_FETCH_WITH_CLI=true\n").cargo_runs_git);
        assert_eq!(steps(b"FROM x\n"), Steps::default());
    }

    #[test]
    fn steps_at_the_limit_are_kept_and_one_more_is_not() {
        let text = format!("FROM x\n{}", "RUN a\n".repeat(MAX_STEPS + 1));
        let steps = of(&text);
        assert_eq!((steps.len(), steps[0].layer), (MAX_STEPS, (2, MAX_STEPS + 2)));
    }
}
