//! `token-in-index-url`: tokens for package indexes: in their addresses, and in the settings that package
//! managers keep.

use crate::check::address::addresses;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::{Command, Word};
use crate::check::scripts::{self, Origin, Script};
use crate::check::secret_text::variables;
use crate::check::setting::Kind;
use crate::check::token_store::kept;
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "token-in-index-url",
    about: "a token in the address of a package index, or kept by a package manager",
    why: "build arguments and variables are in the image's history and configuration, and package managers keep what they are told in a file of the layer.",
    remedy: "name the credential as a `[[secret]]` with a form (netrc, npm, pip, …) in valetkey.toml, and mount the tool's own file for the step: `--mount=type=secret,id=…,target=/root/.netrc`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nARG T\nRUN pip install --extra-index-url «https://x:${T}@py.example.com/simple» a\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nARG T_TOKEN\nENV «PIP_EXTRA_INDEX_URL=https://x:${T_TOKEN}@py.example.com/simple»\nRUN pip install «--index-url=https://x:$T_TOKEN@py.example.com/simple» «\"a @ git+https://${T_TOKEN}@git.example.com/org/a\"»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nARG T_TOKEN\nRUN «npm config set //npm.example.com/:_authToken=$T_TOKEN» && npm ci\nRUN «poetry config http-basic.corp ci \"$T_TOKEN\"» && «pip config set global.index-url https://x:$T_TOKEN@py.example.com/simple»\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t «npm config set //npm.example.com/:_authToken $(cat /run/secrets/t)» && npm ci\n",
        ),
        Example::new(
            "compose.yaml",
            "services:\n  a:\n    build:\n      args:\n        «INDEX: https://x:${T}@py.example.com/simple»\n",
        ),
        Example::new(
            "docker-bake.hcl",
            "target \"a\" {\n  args = {\n    «INDEX = \"https://x:${T}@py.example.com/simple\"»\n  }\n}\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nARG PIP_INDEX_URL=https://py.example.com/simple\nRUN pip install --extra-index-url https://py.example.com/simple a\nRUN npm config set registry https://npm.example.com && npm config set '//npm.example.com/:_authToken=${NPM_TOKEN}'\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=secret,id=t pip install --extra-index-url https://x:$(cat /run/secrets/t)@py.example.com/simple a\nRUN --mount=type=secret,id=t,env=T pip install -i https://x:$T@py.example.com/simple a\nRUN --mount=type=secret,id=t npm config set //npm.example.com/:_authToken $(cat /run/secrets/t) && npm ci && rm ~/.npmrc\n",
        ),
        Example::new(
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - run: pip install --extra-index-url https://x:${{ secrets.T }}@py.example.com/simple a\n",
        ),
    ],
};

/// Programs that fetch packages from an address that they are given.
const INSTALLERS: [&[u8]; 17] = [
    b"pip",
    b"pip3",
    b"uv",
    b"poetry",
    b"pipenv",
    b"pdm",
    b"conda",
    b"npm",
    b"yarn",
    b"pnpm",
    b"gem",
    b"bundle",
    b"cargo",
    b"go",
    b"composer",
    b"python",
    b"python3",
];

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    if file.is_ci() {
        return;
    }
    for setting in file.settings.iter().filter(|setting| setting.kind != Kind::Variable) {
        let value = setting.value.as_deref().unwrap_or_default();
        if setting.name.starts_with(b"GIT_CONFIG_") {
            continue;
        }
        if let Some(address) = addresses(value).next() {
            let host = shown(value.get(address.host).unwrap_or_default());
            let message = format!("{} holds a token for {host}, and stays with the image", shown(&setting.name));
            found.push(Found::new(setting.span.clone(), message));
        }
    }
    scripts::each(file, |script| {
        for (index, command) in script.commands.iter().enumerate() {
            if let Some(store) = kept(command) {
                let is_secret = store.values.iter().any(|word| is_token(script, word));
                if is_secret && !store.files.iter().any(|path| script.is_gone(index, path)) && !is_undone(script, index)
                {
                    let message = format!(
                        "{} keeps the token in a file that stays in {}",
                        shown(command.program()),
                        script.stays()
                    );
                    found.push(Found::new(command.span.clone(), message));
                }
                continue;
            }
            for word in command.args().iter().filter(|_| INSTALLERS.contains(&command.program())) {
                let Some(address) = addresses(&word.text).next() else { continue };
                let secret = word.text.get(address.secret).unwrap_or_default();
                if !address.is_literal && is_lent(script, word, secret) {
                    continue;
                }
                let host = shown(word.text.get(address.host).unwrap_or_default());
                found.push(Found::new(
                    word.span.clone(),
                    format!("the address holds a token for {host}, which the step gets from what the history keeps"),
                ));
            }
        }
    });
}

/// Whether what stands there is a token: put in from a secret, or in an address.
fn is_token(script: &Script<'_, '_>, word: &Word) -> bool {
    script.secret_in(word).is_some() || addresses(&word.text).next().is_some()
}

fn is_lent(script: &Script<'_, '_>, word: &Word, secret: &[u8]) -> bool {
    let names = variables(secret);
    let mut origins = names.into_iter().map(Origin::Variable).chain(script.secret_in(word));
    origins.all(|origin| script.is_lent(&origin))
}

/// Whether the step takes it out again: `npm config delete …`, `poetry config --unset …`, `npm logout`.
fn is_undone(script: &Script<'_, '_>, index: usize) -> bool {
    script.behind(index).any(|command| {
        [&b"delete"[..], b"--unset", b"unset", b"logout", b"rm"].iter().any(|word| command.has(word))
            && kept_by(command)
    })
}

fn kept_by(command: &Command) -> bool {
    matches!(command.program(), b"npm" | b"pnpm" | b"yarn" | b"poetry" | b"pip" | b"composer" | b"bundle" | b"cargo")
}
