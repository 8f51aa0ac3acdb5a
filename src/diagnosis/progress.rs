//! PURE: which step a line of a builder's plain progress belongs to, as BuildKit (buildx, Compose,
//! bake) and podman print it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::text::shown;

/// Steps of one build whose numbers are kept.
pub(super) const MAX_VERTICES: usize = 2_048;
/// How BuildKit rules off what it shows of a Dockerfile.
const RULE: &[u8] = b"--------------------";
/// What a step with an ssh mount has in its name.
const SSH_MOUNT: &[u8] = b"--mount=type=ssh";

/// A step by its number. Never by its text: BuildKit puts the values of build arguments into that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepName {
    /// What stands before the number: stage, service or target, platform.
    pub stage: Vec<String>,
    /// Its number.
    pub at: usize,
    /// How many there are.
    pub of: usize,
    /// Whether its name has an ssh mount in it.
    pub has_ssh: bool,
    /// Whether all instructions count (podman), or only those that make layers (BuildKit).
    pub counts_all: bool,
}

impl std::fmt::Display for StepName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for word in &self.stage {
            write!(f, "{word} ")?;
        }
        write!(f, "{}/{}", self.at, self.of)
    }
}

/// What the builder itself says in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A step with an ssh mount came from the cache.
    Cached(StepName),
    /// A step failed.
    Failed(Option<StepName>),
    /// The step at this line of the Dockerfile of that name failed.
    FailedAt(String, usize),
    /// Something that a step printed, or the builder.
    Other(Option<StepName>),
}

/// What was read so far of one stream.
#[derive(Default)]
pub(super) struct Progress {
    vertices: BTreeMap<u32, StepName>,
    /// The step whose lines come without a number.
    current: Option<StepName>,
    /// The last line, where it may be `Dockerfile:7`.
    place: Option<(String, usize)>,
}

impl Progress {
    /// The step that podman began last.
    pub(super) fn last_of_podman(&self) -> Option<StepName> {
        self.current.clone().filter(|name| name.counts_all)
    }

    /// Takes the next line.
    pub(super) fn line(&mut self, line: &[u8]) -> Said {
        let place = self.place.take();
        let current = |this: &Self| this.current.clone();
        match line {
            [b'#', rest @ ..] => return self.numbered(rest),
            [b' ', b'>', b' ', b'[', ..] => self.current = named(line.get(3..).unwrap_or_default()),
            [b'S', ..] | [b'[', ..] => {
                if let Some(vertex) = podman(line) {
                    self.current = Some(vertex);
                }
            }
            [b'-', b'-', b'>', b' ', rest @ ..] if rest.starts_with(b"Using cache") => {
                if let Some(vertex) = self.current.as_ref().filter(|vertex| vertex.has_ssh) {
                    return Said::Cached(vertex.clone());
                }
            }
            [b'-', ..] => match place {
                Some((name, line_number)) if line.starts_with(RULE) => return Said::FailedAt(name, line_number),
                _ if line.iter().all(|byte| *byte == b'-') => self.current = None,
                _ => {}
            },
            [b'E', ..] if line.starts_with(b"Error: building at STEP \"") => return Said::Failed(current(self)),
            _ => self.place = file_and_line(line),
        }
        Said::Other(current(self))
    }

    /// `#7 …`.
    fn numbered(&mut self, rest: &[u8]) -> Said {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = rest.split_at(digits);
        let number = std::str::from_utf8(number).ok().and_then(|digits| digits.parse::<u32>().ok());
        let (Some(number), [b' ', rest @ ..]) = (number, rest) else { return Said::Other(None) };
        let name = |this: &Self| this.vertices.get(&number).cloned();
        if rest.starts_with(b"[") {
            if let Some(vertex) = named(rest)
                && (self.vertices.len() < MAX_VERTICES || self.vertices.contains_key(&number))
            {
                self.vertices.insert(number, vertex);
            }
        } else if rest == b"CACHED" {
            if let Some(vertex) = self.vertices.get(&number).filter(|vertex| vertex.has_ssh) {
                return Said::Cached(vertex.clone());
            }
        } else if rest.starts_with(b"ERROR: ") {
            return Said::Failed(name(self));
        }
        Said::Other(name(self))
    }
}

/// `[app builder 2/3] RUN …`.
fn named(text: &[u8]) -> Option<StepName> {
    let text = text.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', text)?;
    let (label, rest) = text.split_at(end);
    let mut words: Vec<&[u8]> = label.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    let (at, of) = ratio(words.pop()?)?;
    let stage = words.into_iter().take(4).map(shown).collect();
    Some(StepName { stage, at, of, has_ssh: has_ssh(rest), counts_all: false })
}

/// `STEP 2/3: RUN …` or `[1/2] STEP 2/3: RUN …`. Of the stages only their number is known.
fn podman(line: &[u8]) -> Option<StepName> {
    let (stage, line) = match line.strip_prefix(b"[") {
        Some(rest) => {
            let end = memchr::memchr(b']', rest)?;
            let (number, _) = ratio(rest.get(..end)?)?;
            (Some(format!("stage-{}", number.checked_sub(1)?)), rest.get(end + 2..)?)
        }
        None => (None, line),
    };
    let rest = line.strip_prefix(b"STEP ")?;
    let end = memchr::memchr(b':', rest)?;
    let (at, of) = ratio(rest.get(..end)?)?;
    Some(StepName { stage: stage.into_iter().collect(), at, of, has_ssh: has_ssh(rest), counts_all: true })
}

fn has_ssh(text: &[u8]) -> bool {
    memchr::memmem::find(text, SSH_MOUNT).is_some()
}

fn ratio(word: &[u8]) -> Option<(usize, usize)> {
    let (at, of) = std::str::from_utf8(word).ok()?.split_once('/')?;
    Some((at.parse().ok()?, of.parse().ok()?))
}

/// `Dockerfile:7`, alone in its line.
fn file_and_line(line: &[u8]) -> Option<(String, usize)> {
    let colon = memchr::memrchr(b':', line)?;
    let (name, number) = line.split_at(colon);
    let number = std::str::from_utf8(number.get(1..)?).ok()?.parse().ok()?;
    (!name.is_empty() && !name.contains(&b' ')).then(|| (shown(name), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &str) -> Vec<String> {
        let mut progress = Progress::default();
        let show = |said| match said {
            Said::Cached(name) => format!("cached {name}"),
            Said::Failed(Some(name)) => format!("failed {name}"),
            Said::Failed(None) => "failed".into(),
            Said::FailedAt(name, line) => format!("{name} line {line}"),
            Said::Other(Some(name)) => name.to_string(),
            Said::Other(None) => "-".into(),
        };
        lines.lines().map(|line| show(progress.line(line.as_bytes()))).collect()
    }

    #[test]
    fn lines_of_buildkit_belong_to_the_steps_that_their_numbers_name() {
        let lines = "#7 [stage-1 1/2] RUN --mount=type=ssh git clone x\n#8 [app linux/amd64 base 2/9] RUN x\n#7 0.1 a\n#8 0.1 b\n#7 CACHED\n#8 CACHED\n#8 ERROR: process \"x\"\n#9 0.1 c\n#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s";
        let expected = [
            "stage-1 1/2",
            "app linux/amd64 base 2/9",
            "stage-1 1/2",
            "app linux/amd64 base 2/9",
            "cached stage-1 1/2",
            "app linux/amd64 base 2/9",
            "failed app linux/amd64 base 2/9",
            "-",
            "-",
            "-",
        ];
        assert_eq!(said(lines), expected);
    }

    #[test]
    fn what_buildkit_shows_of_the_failed_step_belongs_to_it() {
        let lines =
            "------\n > [2/2] RUN x:\n0.2 git@h: no\n------\n0.Dockerfile:7\n--------------------\n   7 | >>> RUN x";
        assert_eq!(said(lines), ["-", "2/2", "2/2", "-", "-", "0.Dockerfile line 7", "-"]);
    }

    #[test]
    fn lines_of_podman_belong_to_the_step_before_them() {
        let lines = "STEP 1/2: FROM x\nSTEP 2/2: RUN --mount=type=ssh x\na\n--> Using cache 12\n[2/2] STEP 3/4: RUN x\nError: building at STEP \"RUN x\": y";
        assert_eq!(said(lines), ["1/2", "2/2", "2/2", "cached 2/2", "stage-1 3/4", "failed stage-1 3/4"]);
    }

    #[test]
    fn lines_that_only_look_like_progress_are_nothing() {
        for line in [
            "#",
            "#x [1/2] y",
            "#7[1/2] y",
            "#99999999999 [1/2]",
            "#7 [1/",
            "#7 [] x",
            "[",
            "STEP 1/x: y",
            " > [",
            "-",
            ":7",
            "a b:7",
        ] {
            assert_eq!(said(line), ["-"], "{line}");
        }
    }

    #[test]
    fn steps_at_the_limit_are_known_and_one_more_is_not() {
        let lines: String = (0..=MAX_VERTICES).map(|number| format!("#{number} [1/2] RUN x\n")).collect();
        let said = said(&lines);
        assert_eq!((said[MAX_VERTICES - 1].as_str(), said[MAX_VERTICES].as_str()), ("1/2", "-"));
    }
}
