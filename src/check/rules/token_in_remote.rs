//! `token-in-remote`: tokens in the addresses of remotes, which Git keeps in `.git/config`.

use crate::check::address::{Address, addresses};
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::{Command, base};
use crate::check::scripts::{self, Script};
use crate::check::variables;
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "token-in-remote",
    about: "a token in the address of a Git remote",
    why: "git keeps the address in .git/config, where it stays with the checkout.",
    remedy: "clone by `git@HOST:ORG/REPO.git` in a step with `--mount=type=ssh,required=true`, and name the repository as a grant in valetkey.toml",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nARG T\nRUN git clone --depth 1 «https://x:${T}@git.example.com/org/repo.git» /src\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t git clone «https://$(cat /run/secrets/t)@git.example.com/org/repo.git» && make -C repo\nRUN git init && git remote add origin «\"https://x:$T@git.example.com/a\"»\nADD «https://x:$T@git.example.com/org/repo.git» /a\n",
        ),
        Example::new(
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          git remote set-url origin «https://x:${{ secrets.T }}@git.example.com/org/repo»\n          git -C x submodule add «https://x:${{ secrets.T }}@git.example.com/org/a»\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - git clone «https://oauth2:${A_TOKEN}@git.example.com/org/repo.git»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN git clone https://git.example.com/org/repo.git && git clone git@git.example.com:org/repo.git && git clone https://git@git.example.com/a\nADD https://files.example.com/$VERSION/a.tar.gz /a\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t git clone https://$(cat /run/secrets/t)@git.example.com/org/repo.git /src && make && rm -rf /src/.git\nRUN --mount=type=secret,id=t git clone https://$(cat /run/secrets/t)@git.example.com/org/repo.git && make && rm -rf repo\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t git clone https://$(cat /run/secrets/t)@git.example.com/org/repo.git && git -C repo remote set-url origin https://git.example.com/org/repo.git\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - git clone https://gitlab-ci-token:${CI_JOB_TOKEN}@git.example.com/org/repo.git\n    - git push https://oauth2:${A_TOKEN}@git.example.com/org/repo.git\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    scripts::each(file, |script| {
        for (index, command) in script.commands.iter().enumerate() {
            if command.program() != b"git" || !keeps(command) {
                continue;
            }
            let mut words = command.args().iter().enumerate();
            let Some((at, word, address)) =
                words.find_map(|(at, word)| Some((at, word, addresses(&word.text).next()?)))
            else {
                continue;
            };
            let secret = word.text.get(address.secret.clone()).unwrap_or_default();
            if script.is_of_the_job(secret) || is_undone(script, index, at) {
                continue;
            }
            let message = format!(
                "git keeps the {} in .git/config, which stays in {}",
                token(&word.text, &address),
                script.stays()
            );
            found.push(Found::new(word.span.clone(), message));
        }
    });
    variables::each(&file.dockerfile, |_, _, instruction, _| {
        for word in instruction.words.iter().filter(|_| instruction.keyword == "ADD") {
            if let Some(address) = addresses(&word.text).next() {
                let message = format!("the history keeps the {}", token(&word.text, &address));
                found.push(Found::new(word.span.clone(), message));
            }
        }
    });
}

fn token(text: &[u8], address: &Address) -> String {
    format!("token for {}", shown(text.get(address.host.clone()).unwrap_or_default()))
}

/// Whether git keeps the address that it is given.
fn keeps(command: &Command) -> bool {
    command.has(b"clone")
        || (command.has(b"remote") && (command.has(b"add") || command.has(b"set-url")))
        || (command.has(b"submodule") && command.has(b"add"))
}

/// Whether the step gives the remote another address, or deletes it or the checkout.
fn is_undone(script: &Script<'_, '_>, index: usize, at: usize) -> bool {
    if !script.is_build() {
        return false;
    }
    let Some(command) = script.commands.get(index) else { return false };
    let folder = command.args().get(at + 1).filter(|_| command.has(b"clone")).map(|word| word.text.as_slice());
    let address = command.args().get(at).map(|word| word.text.as_slice()).unwrap_or_default();
    let name = base(address.strip_suffix(b"/").unwrap_or(address));
    let folder = folder.unwrap_or_else(|| name.strip_suffix(b".git").unwrap_or(name));
    let checkout = [folder.strip_suffix(b"/").unwrap_or(folder), b"/.git"].concat();
    let is_reset = |next: &Command| {
        let has_none = !next.args().iter().any(|word| addresses(&word.text).next().is_some());
        let takes_out = [&b"set-url"[..], b"remove", b"rm"].iter().any(|word| next.has(word));
        next.program() == b"git" && next.has(b"remote") && takes_out && has_none
    };
    script.is_gone(index, &checkout) || script.is_gone(index, b".git") || script.behind(index).any(is_reset)
}
