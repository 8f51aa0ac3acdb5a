//! PURE: looks for signs in a stream of bytes as it goes by, holds none of it back, and keeps
//! nothing of it but the beginning of the line that has not ended yet.

use super::progress::{Progress, Said, StepName};
use super::sign::{self, Kind, MAX_SIGNS, Sign};

/// Bytes of a line that are looked at.
pub(super) const MAX_LINE: usize = 1_024;

/// What was found in one or more streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Each once, in their order.
    pub all: Vec<Sign>,
    /// Those past [`MAX_SIGNS`], by number only.
    pub more: u64,
    /// The step that podman began last.
    last_step: Option<StepName>,
}

impl Signs {
    /// With those of another stream of the same command. podman names its steps on one and says on
    /// the other why it failed: in the step that it began last.
    pub fn add(&mut self, other: Self) {
        self.last_step = self.last_step.take().or(other.last_step);
        let mut all = std::mem::take(&mut self.all);
        all.extend(other.all);
        self.more += other.more;
        for mut sign in all {
            if sign.line.is_none() && sign.step.is_none() {
                sign.step.clone_from(&self.last_step);
            }
            self.push(sign);
        }
    }

    fn push(&mut self, sign: Sign) {
        if self.all.contains(&sign) {
            return;
        }
        if self.all.len() < MAX_SIGNS {
            self.all.push(sign);
        } else {
            self.more += 1;
        }
    }
}

impl From<Vec<Sign>> for Signs {
    fn from(all: Vec<Sign>) -> Self {
        Self { all, ..Self::default() }
    }
}

/// Looks at one stream.
#[derive(Default)]
pub struct Watch {
    /// The line that has not ended.
    begun: Vec<u8>,
    progress: Progress,
    signs: Signs,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("signs", &self.signs.all.len()).finish_non_exhaustive()
    }
}

impl Watch {
    /// The next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, more) = rest.split_at(end);
            rest = more.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                self.line(line);
            } else {
                self.begin(line);
                let mut begun = std::mem::take(&mut self.begun);
                self.line(&begun);
                begun.clear();
                self.begun = begun;
            }
        }
        self.begin(rest);
    }

    /// The stream has ended.
    #[must_use]
    pub fn finish(mut self) -> Signs {
        let begun = std::mem::take(&mut self.begun);
        self.line(&begun);
        self.signs.last_step = self.progress.last_of_podman();
        self.signs
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn line(&mut self, line: &[u8]) {
        let line = line.get(..MAX_LINE).unwrap_or(line);
        if line.is_empty() {
            return;
        }
        let sign = |kind, step, line| Sign { kind, step, line, about: None };
        let step = match self.progress.line(line) {
            Said::Cached(step) => return self.signs.push(sign(Kind::StepCached, Some(step), None)),
            Said::FailedAt(name, line) => return self.signs.push(sign(Kind::StepFailed, None, Some((name, line)))),
            Said::Failed(step) => {
                self.signs.push(sign(Kind::StepFailed, step.clone(), None));
                step
            }
            Said::Other(step) => step,
        };
        if let Some((kind, about)) = sign::of_line(line) {
            self.signs.push(Sign { kind, step, line: None, about });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &[u8], piece: usize) -> Signs {
        let mut watch = Watch::default();
        text.chunks(piece).for_each(|piece| watch.see(piece));
        watch.finish()
    }

    /// `docker build` 28.5 with buildx 0.29 and OpenSSH 9.2, cut.
    const REFUSED: &str = "#7 [stage-0 2/2] RUN --mount=type=ssh git clone ssh://git@127.0.0.1:48509/a/b.git /c\n#7 0.053 Cloning into '/c'...\n#7 0.224 git@127.0.0.1: Permission denied (publickey).\n#7 ERROR: process \"/bin/sh -c git clone\" did not complete successfully: exit code: 128\n------\n > [stage-0 2/2] RUN --mount=type=ssh git clone ssh://git@127.0.0.1:48509/a/b.git /c:\n0.224 git@127.0.0.1: Permission denied (publickey).\n------\nDockerfile:2\n--------------------\n   2 | >>> RUN --mount=type=ssh git clone\n--------------------\nERROR: failed to build: failed to solve: exit code: 128";

    #[test]
    fn signs_are_the_same_however_the_stream_is_cut() {
        let whole = seen(REFUSED.as_bytes(), usize::MAX);
        let kinds: Vec<_> = whole.all.iter().map(|sign| sign.kind).collect();
        assert_eq!(kinds, [Kind::LoginRefused, Kind::StepFailed, Kind::StepFailed], "{whole:?}");
        assert_eq!(whole.all[0].step.as_ref().unwrap().to_string(), "stage-0 2/2");
        assert_eq!(whole.all[2].line, Some(("Dockerfile".into(), 2)));
        for piece in 1..40 {
            assert_eq!(seen(REFUSED.as_bytes(), piece), whole, "{piece}");
        }
    }

    #[test]
    fn a_line_is_looked_at_up_to_its_limit_and_its_end_is_found_behind_that() {
        let phrase = "unset ssh forward key a";
        // The one letter behind the phrase is what it is about.
        for (before, found) in [(MAX_LINE - phrase.len(), 1), (MAX_LINE - phrase.len() + 2, 0), (10 << 20, 0)] {
            let text = format!("{}{phrase}\nssh: not found\n", "x".repeat(before));
            for piece in [usize::MAX, 65_536, 1_000] {
                assert_eq!(seen(text.as_bytes(), piece).all.len(), found + 1, "{before} {piece}");
            }
        }
    }

    #[test]
    fn what_podman_says_on_one_stream_belongs_to_the_step_that_it_began_on_the_other() {
        let out = seen(b"STEP 1/2: FROM x\nSTEP 2/2: RUN x\n", usize::MAX);
        let err = seen(b"git@h: Permission denied (publickey).\nError: building at STEP \"RUN x\": y\n", usize::MAX);
        let expected = ["2/2", "2/2"].map(|step| Some(step.to_owned()));
        for (first, second) in [(out.clone(), err.clone()), (err, out)] {
            let mut signs = Signs::default();
            signs.add(first);
            signs.add(second);
            let steps: Vec<_> = signs.all.iter().map(|sign| sign.step.as_ref().map(ToString::to_string)).collect();
            assert_eq!(steps, expected);
        }
    }

    #[test]
    fn signs_at_the_limit_are_kept_and_one_more_is_counted() {
        let text: String = (0..=MAX_SIGNS).map(|number| format!("unset ssh forward key k{number}\n")).collect();
        let signs = seen(text.repeat(2).as_bytes(), 4_096);
        assert_eq!((signs.all.len(), signs.more), (MAX_SIGNS, 2));
    }

    #[test]
    fn nothing_of_the_output_is_in_a_sign_but_plain_words() {
        let text = "#7 [\x1b[2Jx s3cret 2/2] RUN --mount=type=ssh echo s3cret-argument\n#7 0.1 \x1b[31ms3cret@h\x1b[0m: Permission denied (publickey).\n#7 CACHED\n";
        let signs = seen(text.as_bytes(), usize::MAX);
        let json = serde_json::to_string(&signs.all).unwrap();
        assert!(!json.contains("s3cret-argument") && !json.contains("\\u001b") && !json.contains('\x1b'), "{json}");
        assert_eq!(signs.all.len(), 2);
    }
}
