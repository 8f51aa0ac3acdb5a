//! `key-written`: keys and tokens that a step or a job prints or writes to a file.

use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::key_files::{Sort, by_name};
use crate::check::rule::{Example, Rule};
use crate::check::script::Command;
use crate::check::scripts::{self, Origin, Script, through};
use crate::check::secret_text::is_secret_name;
use crate::check::sink::{Sink, of_output};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "key-written",
    about: "a key or token that a script prints, or writes to a file",
    why: "a file that a step writes stays in its layer, one that a job writes lies there for every later step, and what is printed is kept in the log.",
    remedy: "write it nowhere: let valetkey.toml name the variable (`key = \"env:…\"`), build with `valetkey run`, and mount other secrets by `--mount=type=secret,id=…,target=…`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nARG SSH_PRIVATE_KEY\nRUN mkdir -p ~/.ssh && «echo \"$SSH_PRIVATE_KEY\" > ~/.ssh/id_rsa» && chmod 600 ~/.ssh/id_rsa\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nARG T_TOKEN KEY\nRUN «cat <<EOF > /root/.netrc»\nmachine git.example.com login x password $T_TOKEN\nEOF\nRUN «printf %s $KEY | base64 -d | tee /root/.ssh/id_ed25519»\nRUN «echo $T_TOKEN»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=k «cp /run/secrets/k /root/.ssh/id_rsa» && git fetch\nRUN --mount=type=secret,id=k «cat /run/secrets/k»\n",
        ),
        Example::new(
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          mkdir -p ~/.ssh\n          «echo \"${{ secrets.DEPLOY_KEY }}\" > ~/.ssh/id_rsa»\n      - env:\n          K: ${{ secrets.DEPLOY_KEY }}\n        run: «printf '%s' \"$K\" >> key»\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  before_script:\n    - «echo \"$SSH_PRIVATE_KEY\" | tr -d '\\r' > ~/.ssh/id_rsa»\n    - «base64 -d <<< \"$DEPLOY_KEY\" > key»\n    - eval $(ssh-agent -s)\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "a:\n  before_script:\n    - echo \"$SSH_PRIVATE_KEY\" | tr -d '\\r' | ssh-add -\n    - ssh-add - <<< \"$SSH_PRIVATE_KEY\"\n    - ssh-add <(echo \"$SSH_PRIVATE_KEY\" | base64 -d)\n    - echo \"$SSH_KNOWN_HOSTS\" >> ~/.ssh/known_hosts\n    - X=$(echo \"$A_TOKEN\" | sha256sum)\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=k cp /run/secrets/k ~/.netrc && x && rm ~/.netrc\nRUN echo '//npm.example.com/:_authToken=${NPM_TOKEN}' > .npmrc\nRUN cat <<'EOF' > .npmrc\n//npm.example.com/:_authToken=${NPM_TOKEN}\nEOF\nRUN echo \"token ${A_TOKEN:+is set}\" && cat /root/.ssh/id_rsa.pub\n",
        ),
        Example::new(
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - run: |\n          echo ${{ secrets.GITHUB_TOKEN }} | docker login registry.example.com --password-stdin\n          echo \"::add-mask::$A_TOKEN\"\n          echo \"sha=${{ github.sha }}\" >> $GITHUB_OUTPUT\n          echo \"${{ secrets.SSH_KNOWN_HOSTS }}\" > ~/.ssh/known_hosts\n          echo $A_TOKEN > /dev/null\n",
        ),
    ],
};

/// Programs that give out what they are given.
const SPEAKERS: [&[u8]; 5] = [b"echo", b"printf", b"cat", b"base64", b"tee"];
/// Programs that put a file somewhere else.
const MOVERS: [&[u8]; 3] = [b"cp", b"mv", b"install"];

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    scripts::each(file, |script| {
        for (index, command) in script.commands.iter().enumerate() {
            let program = command.program();
            let (origin, sink, last) = if MOVERS.contains(&program) {
                let Some((path, to)) = moved(script, command) else { continue };
                (Some(Origin::Mounted(path)), Sink::File(to), command)
            } else if program == b"sed" && command.args().iter().any(|word| word.text.starts_with(b"-i")) {
                let Some(file) = command.args().last() else { continue };
                (secret_of(script, command), Sink::File(file.text.clone()), command)
            } else if SPEAKERS.contains(&program) {
                let Some((sink, last)) = of_output(script.commands, index) else { continue };
                (secret_of(script, command), sink, last)
            } else {
                continue;
            };
            let message = match (origin, sink) {
                (Some(origin), Sink::Printed) if !is_mask(command) && is_ours(script, &origin) => {
                    format!("{} is printed, and kept in the log", shown(origin.name()))
                }
                (origin, Sink::File(path)) => {
                    let Some(name) = written(script, command, origin, &path) else { continue };
                    if script.is_gone(index, &path) {
                        continue;
                    }
                    format!("{name} is written to {}, and stays in {}", shown(&path), script.stays())
                }
                _ => continue,
            };
            found.push(Found::new(through(command, last), message));
        }
    });
}

/// The secret that a command gives out.
fn secret_of(script: &Script<'_, '_>, command: &Command) -> Option<Origin> {
    let words = command.args().iter();
    let inputs = command.redirects.iter().filter(|redirect| redirect.operator.ends_with(b"<<<"));
    let texts = command.redirects.iter().filter(|redirect| !redirect.target.is_quoted);
    let texts = texts.filter_map(|redirect| redirect.body.as_ref());
    let of_word = words.chain(inputs.map(|redirect| &redirect.target)).find_map(|word| {
        let is_file = command.program() != b"echo" && command.program() != b"printf" && script.is_mounted(&word.text);
        if is_file { Some(Origin::Mounted(word.text.clone())) } else { script.secret_in(word) }
    });
    of_word.or_else(|| texts.into_iter().find_map(|text| script.secret_in_text(&text.text)))
}

/// What is written, if it is a secret: it is one by its name, or anything that is put into a file of keys.
fn written(script: &Script<'_, '_>, command: &Command, origin: Option<Origin>, path: &[u8]) -> Option<String> {
    let is_public = path.ends_with(b".pub") || path.ends_with(b"known_hosts");
    if is_public || path.ends_with(b"GITHUB_ENV") || path.ends_with(b"GITHUB_OUTPUT") || path.starts_with(b"/dev/") {
        return None;
    }
    if let Some(origin) = origin {
        let is_of_keys = by_name(path).is_some() || memchr::memmem::find(path, b".ssh/").is_some();
        return (is_of_keys || is_ours(script, &origin)).then(|| shown(origin.name()));
    }
    let name = command.args().iter().flat_map(|word| &word.variables).next()?;
    (by_name(path) == Some(Sort::Key)).then(|| shown(name))
}

/// Whether a secret could be one that a build needs. What else jobs keep as secrets, settings and
/// accounts of other tools, is theirs.
fn is_ours(script: &Script<'_, '_>, origin: &Origin) -> bool {
    let name = origin.name().to_ascii_uppercase();
    let says = |word: &[u8]| memchr::memmem::find(&name, word).is_some();
    script.is_build() || is_secret_name(&name) || says(b"SSH") || name.ends_with(b"KEY")
}

/// A mounted secret that is copied somewhere else, and where.
fn moved(script: &Script<'_, '_>, command: &Command) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut paths = command.args().iter().filter(|word| !word.text.starts_with(b"-"));
    let path = paths.find(|word| script.is_mounted(&word.text))?;
    Some((path.text.clone(), paths.next_back()?.text.clone()))
}

/// Whether it tells a forge what to hide.
fn is_mask(command: &Command) -> bool {
    command.args().iter().any(|word| word.text.starts_with(b"::add-mask::"))
}
