//! `ci-config-copied`: a job's own SSH and Git configuration, carried into a build.

use std::collections::BTreeSet;

use crate::check::ci::Step;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;

pub(super) const RULE: Rule = Rule {
    id: "ci-config-copied",
    about: "a job's SSH or Git configuration that is copied into a build's context",
    why: "What lies in the context is in a layer as soon as it is copied, keys and tokens included. It is done because a forge takes the first key that an agent offers, which valetkey decides by host and repository.",
    remedy: "leave it out: write a grant for each repository and build with `valetkey run`, which gives the build the right key, known hosts and nothing to copy",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - uses: webfactory/ssh-agent@v0.9.0\n        with:\n          ssh-private-key: ${{ secrets.KEY }}\n      - run: |\n          mkdir root-config\n          «cp -r ~/.gitconfig ~/.ssh root-config/»\n      - uses: docker/build-push-action@v6\n        with:\n          ssh: default=${{ env.SSH_AUTH_SOCK }}\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  script:\n    - «cp \"$HOME/.netrc\" .»\n    - «cp -R /root/.ssh ./ssh» && docker build .\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\n«COPY root-config /root/»\nRUN «sed 's|/home/runner|/root|g' -i.bak /root/.ssh/config» && make\n",
        ),
        // The other way round, elsewhere, what is no secret, and where nothing is built.
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          cp key ~/.ssh/id_ed25519\n          cp ~/.ssh/config /tmp/saved\n          cp ~/.ssh/id_rsa.pub ~/.ssh/known_hosts .\n          docker build .\n  b:\n    steps:\n      - run: cp ~/.npmrc . && npm ci\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nCOPY config /root/\nCOPY --from=b root-config /root/\nRUN sed -i s/a/b/ /etc/ssh/sshd_config\n",
        ),
    ],
};

/// Names in a home folder that hold keys, or say which are used.
const NAMES: [&[u8]; 8] =
    [b".ssh", b".gitconfig", b".git-credentials", b".netrc", b".npmrc", b".pypirc", b".docker", b".config"];
/// Files of theirs that are no secret.
const PUBLIC: [&[u8]; 3] = [b".pub", b"known_hosts", b"authorized_keys"];

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let building: BTreeSet<&str> =
        file.steps.iter().filter(|step| builds(step)).map(|step| step.job.as_str()).collect();
    for step in file.steps.iter().filter(|step| building.contains(step.job.as_str())) {
        for command in step.commands.iter().filter(|command| copies_home(command)) {
            let message = "the job's own configuration is copied to where the build's context is";
            found.push(Found::new(command.span.clone(), message));
        }
    }
    for (_, instruction) in file.dockerfile.instructions() {
        let is_taken =
            |word: &[u8]| crate::check::script::base(word.strip_suffix(b"/").unwrap_or(word)) == b"root-config";
        let sources = instruction.words.len().saturating_sub(1);
        if matches!(&*instruction.keyword, "COPY" | "ADD")
            && instruction.flag("from").is_none()
            && instruction.words.iter().take(sources).any(|word| is_taken(&word.text))
        {
            found.push(Found::new(
                instruction.span.clone(),
                "a job's SSH and Git configuration is copied into the image",
            ));
        }
        for command in instruction.commands.iter().filter(|command| turns_home(command)) {
            found.push(Found::new(command.span.clone(), "a job's SSH configuration is made to fit the image"));
        }
    }
}

/// Whether a step builds images.
fn builds(step: &Step) -> bool {
    let uses = step.uses.as_deref().is_some_and(|uses| {
        uses.starts_with("docker/build-push-action")
            || uses.starts_with("docker/bake-action")
            || uses.contains("buildah-build")
    });
    let command = |command: &Command| {
        let is_builder = matches!(
            command.program(),
            b"docker" | b"podman" | b"buildah" | b"docker-compose" | b"nerdctl" | b"executor"
        );
        let does = [&b"build"[..], b"bud", b"bake", b"up", b"buildx"];
        is_builder
            && (command.program() == b"executor" || command.args().iter().any(|word| does.contains(&&*word.text)))
    };
    uses || step.commands.iter().any(command)
}

/// `cp -r ~/.ssh root-config`: from the home folder into the working folder.
fn copies_home(command: &Command) -> bool {
    let mut paths = command.args().iter().filter(|word| !word.text.starts_with(b"-")).map(|word| word.text.as_slice());
    let Some(target) = paths.next_back() else { return false };
    let is_outside =
        [&b"/"[..], b"~", b"$HOME", b"${HOME}", b"$RUNNER_TEMP"].iter().any(|begin| target.starts_with(begin));
    matches!(command.program(), b"cp" | b"mv" | b"rsync" | b"install") && !is_outside && paths.any(is_of_home)
}

fn is_of_home(path: &[u8]) -> bool {
    let home = [&b"~/"[..], b"$HOME/", b"${HOME}/", b"/root/", b"/home/runner/"];
    let Some(rest) = home.iter().find_map(|home| path.strip_prefix(*home)) else { return false };
    let mut parts = rest.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return false };
    let is_public = PUBLIC.iter().any(|end| path.ends_with(end));
    // Of the folder of every program's settings, Git's and the GitHub CLI's matter.
    let matters = first != b".config" || parts.next().is_some_and(|next| matches!(next, b"git" | b"gh"));
    NAMES.contains(&first) && matters && !is_public
}

/// `sed 's|/home/runner|/root|g' -i /root/.ssh/config`.
fn turns_home(command: &Command) -> bool {
    let has = |part: &[u8]| command.args().iter().any(|word| memchr::memmem::find(&word.text, part).is_some());
    command.program() == b"sed" && has(b"/home/runner") && has(b"/.ssh/config")
}
