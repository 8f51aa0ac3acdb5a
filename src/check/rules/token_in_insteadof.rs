//! `token-in-insteadof`: tokens that Git's configuration puts into every address.

use crate::check::address::addresses;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;
use crate::check::scripts::{self, Script, layer};
use crate::check::variables;
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "token-in-insteadof",
    about: "a token in Git's configuration: insteadOf, extraHeader",
    why: "the token stays in ~/.gitconfig, opens every repository that it can open, and every script that runs later can read it.",
    remedy: "write `url.ssh://git@HOST/.insteadOf https://HOST/`, name the repositories as grants in valetkey.toml, and fetch them in a step with `--mount=type=ssh,required=true`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nARG T\nRUN git config --global «url.\"https://x:${T}@git.example.com/\".insteadOf» https://git.example.com/\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t git config --system «url.\"https://$(cat /run/secrets/t)@git.example.com\".insteadOf» \"ssh://git@git.example.com\" && go mod download\nRUN git config --global http.https://git.example.com/.extraheader «\"Authorization: Bearer $G_TOKEN\"»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN echo «\"[url \\\"https://x:$T@git.example.com/\\\"]\\n insteadOf = ssh://\"» > ~/.gitconfig\nENV GIT_CONFIG_COUNT=1 «GIT_CONFIG_KEY_0=url.https://x:$T@git.example.com/.insteadOf»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nCOPY <<EOF /root/.gitconfig\n«[url \"https://x:$T@git.example.com/\"]\n  insteadOf = https://git.example.com/»\nEOF\n",
        ),
        Example::new(
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - run: git config --global «url.\"https://x:${{ secrets.T }}@git.example.com/\".insteadOf» \"https://git.example.com/\"\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - git config --global «url.\"https://x:${A_TOKEN}@git.example.com/\".insteadOf» https://git.example.com/\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN git config --global url.\"https://git.example.com/\".insteadOf git@git.example.com:\nRUN git config --global url.\"ssh://git@git.example.com/\".insteadOf https://git.example.com/\nRUN git config --global http.sslVerify true\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t git -c url.\"https://$(cat /run/secrets/t)@git.example.com/\".insteadOf=https://git.example.com/ fetch\nRUN --mount=type=secret,id=t git config --global url.\"https://$(cat /run/secrets/t)@git.example.com/\".insteadOf x && y && rm ~/.gitconfig\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - git config --global url.\"https://gitlab-ci-token:${CI_JOB_TOKEN}@git.example.com/\".insteadOf https://git.example.com/\n",
        ),
    ],
};

/// Bytes of a text that may be a configuration.
const LONGEST: usize = 64 * 1024;

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    scripts::each(file, |script| {
        for (index, command) in script.commands.iter().enumerate() {
            if command.program() == b"git" && command.has(b"config") && !is_undone(script, index) {
                of_git(script, command, found);
            } else if matches!(command.program(), b"echo" | b"printf" | b"cat" | b"tee") {
                of_text(script, command, found);
            }
        }
    });
    variables::each(&file.dockerfile, |_, stage, instruction, _| {
        for setting in instruction.settings.iter().filter(|setting| setting.name.starts_with(b"GIT_CONFIG_")) {
            let value = setting.value.as_deref().unwrap_or_default();
            if let Some(host) = rewritten(value) {
                let message = format!("the token for {host} stays in the configuration of the image");
                found.push(Found::new(setting.span.clone(), message));
            }
        }
        if !matches!(instruction.keyword.as_str(), "COPY" | "ADD") {
            return;
        }
        for body in &instruction.heredocs {
            if let Some(host) = rewritten(&body.text) {
                let message = format!("the token for {host} is in a file that stays in {}", layer(stage));
                let end = body.text.trim_ascii_end().len();
                found.push(Found::new(body.span(0..end), message));
            }
        }
    });
}

/// `git config … url.ADDRESS.insteadOf …`, `http.….extraheader "… TOKEN"`.
fn of_git(script: &Script<'_, '_>, command: &Command, found: &mut Vec<Found>) {
    for (at, word) in command.args().iter().enumerate() {
        let name = word.text.to_ascii_lowercase();
        let (word, what) =
            if name.starts_with(b"url.") && (name.ends_with(b".insteadof") || name.ends_with(b".pushinsteadof")) {
                let Some(address) = addresses(&word.text).next() else { continue };
                let secret = word.text.get(address.secret).unwrap_or_default();
                if script.is_of_the_job(secret) {
                    continue;
                }
                (word, format!("the token for {}", shown(word.text.get(address.host).unwrap_or_default())))
            } else if name.starts_with(b"http.") && name.ends_with(b"extraheader") {
                let Some(value) = command.args().get(at + 1) else { continue };
                let Some(origin) = script.secret_in(value).filter(|origin| !script.is_of_the_job(origin.name())) else {
                    continue;
                };
                (value, shown(origin.name()))
            } else {
                continue;
            };
        found.push(Found::new(
            word.span.clone(),
            format!("git keeps {what} in its configuration, which stays in {}", script.stays()),
        ));
    }
}

/// A text of a configuration that is written.
fn of_text(script: &Script<'_, '_>, command: &Command, found: &mut Vec<Found>) {
    for word in command.args() {
        if let Some(host) = rewritten(&word.text) {
            found.push(Found::new(
                word.span.clone(),
                format!("the token for {host} is in a configuration of git's that stays in {}", script.stays()),
            ));
        }
    }
    for body in command.redirects.iter().filter_map(|redirect| redirect.body.as_ref()) {
        if let Some(host) = rewritten(&body.text) {
            let span = body.span(0..body.text.trim_ascii_end().len());
            found.push(Found::new(
                span,
                format!("the token for {host} is in a configuration of git's that stays in {}", script.stays()),
            ));
        }
    }
}

/// The host of an address with a token, in a text that says `insteadOf`.
fn rewritten(text: &[u8]) -> Option<String> {
    let address = addresses(text).next()?;
    let text = text.get(..LONGEST).unwrap_or(text);
    let says = text.windows(b"insteadof".len()).any(|word| word.eq_ignore_ascii_case(b"insteadof"));
    says.then(|| shown(text.get(address.host).unwrap_or_default()))
}

/// Whether the step takes it out of the configuration, or the configuration out of the layer.
fn is_undone(script: &Script<'_, '_>, index: usize) -> bool {
    let takes_out = |command: &Command| {
        command.program() == b"git"
            && command.has(b"config")
            && command.args().iter().any(|word| {
                word.text.starts_with(b"--unset") || word.text == b"--remove-section" || word.text == b"unset"
            })
    };
    script.is_build() && (script.is_gone(index, b"~/.gitconfig") || script.behind(index).any(takes_out))
}
