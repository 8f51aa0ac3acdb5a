//! `secret-setting`: keys and tokens in `ARG`, `ENV`, `LABEL` and build arguments.
//!
//! Build arguments that CI files give are `ci-secret-build-arg`'s; addresses with a token in them are
//! `token-in-index-url`'s.

use crate::audit::secrets::placeholder;
use crate::check::address::addresses;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::key_files::by_name;
use crate::check::rule::{Example, Rule};
use crate::check::secret_text::{is_secret_name, literals, variables};
use crate::check::setting::{Kind, Setting};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "secret-setting",
    about: "a key or token in ARG, ENV, LABEL or a build argument",
    why: "whoever has the image reads its labels, its environment and the build arguments in its history; provenance and the builder's cache keep them, too.",
    remedy: "name it as a `[[secret]]` in valetkey.toml, read it in the step by `--mount=type=secret,id=…`, and lend keys for repositories by `--mount=type=ssh,required=true`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nARG «NPM_TOKEN»\nRUN npm ci\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nARG «SSH_PRIVATE_KEY=\"\"»\nENV «DB_PASSWORD=hunter2» A=1\nENV «API_TOKEN hunter2»\n",
        ),
        Example::new("Dockerfile", "FROM a\nARG «CI_TOKEN»\nENV «LOGIN=${CI_TOKEN}»\nLABEL «build=$CI_TOKEN» a=b\n"),
        Example::new(
            "compose.yaml",
            "services:\n  a:\n    build:\n      args:\n        «NPM_TOKEN: ${NPM_TOKEN}»\n        «LOGIN: $CI_TOKEN»\n        A: ${A}\n",
        ),
        Example::new("compose.yaml", "services:\n  a:\n    build:\n      args: [«GITHUB_TOKEN», A=1]\n"),
        Example::new(
            "docker-bake.hcl",
            "target \"a\" {\n  args = {\n    «NPM_TOKEN = NPM_TOKEN»\n    LOGIN = \"x\"\n  }\n}\n",
        ),
        Example::new(
            "Dockerfile",
            "ARG VERSION=1\nFROM a\nENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D PASSWORD_FILE=/run/secrets/db\nARG TOKEN_URL SSH_KEY=id_rsa\nENV NPM_TOKEN= DB_PASSWORD=changeme SECRET_KEY=/run/key\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nARG NEXT_PUBLIC_MAPS_API_KEY\nRUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci\nLABEL org.opencontainers.image.title=\"token\"\n",
        ),
        Example::new(
            "compose.yaml",
            "services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}\n",
        ),
        Example::new(".github/workflows/a.yml", "jobs:\n  a:\n    env:\n      NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n"),
    ],
};

/// Bytes of a value that could be a key or token: the shortest that the audit knows has more.
const SHORTEST: usize = 16;

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for setting in file.settings.iter().filter(|_| !file.is_ci()) {
        let Some(what) = kind(setting.kind) else { continue };
        let name = shown(&setting.name);
        let value = setting.value.as_deref();
        // The value of a bake file's expression names variables without a sign.
        let names = value.map(variables).unwrap_or_default();
        let message = if is_secret_name(&setting.name) && may_be_secret(setting, !names.is_empty()) {
            format!("{what} {name} has the name of a secret")
        } else if let Some(secret) = names.iter().find(|name| is_secret_name(name)) {
            format!("{what} {name} takes the value of {}", shown(secret))
        } else if value.is_some_and(|value| value.len() >= SHORTEST && !literals(value).is_empty()) {
            format!("{what} {name} holds a key or a token")
        } else {
            continue;
        };
        if value.is_some_and(|value| addresses(value).next().is_some()) {
            continue;
        }
        found.push(Found::new(setting.span.clone(), format!("{message}, and {}", stays(setting.kind))));
    }
}

/// Whether the value under a secret's name could be one: it is given at the build, or stands there and is
/// no placeholder. A path or a file's name is none.
fn may_be_secret(setting: &Setting, is_put_in: bool) -> bool {
    let Some(value) = setting.value.as_deref().filter(|value| !value.is_empty()) else {
        return matches!(setting.kind, Kind::Arg) || (setting.kind == Kind::BuildArg && setting.value.is_none());
    };
    let is_path = [&b"/"[..], b"~", b"./"].iter().any(|start| value.starts_with(start)) || by_name(value).is_some();
    !is_path && (is_put_in || setting.kind == Kind::Arg || !placeholder::is(value))
}

fn kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Arg | Kind::BuildArg => Some("the build argument"),
        Kind::Env => Some("the variable"),
        Kind::Label | Kind::BuildLabel => Some("the label"),
        Kind::Variable => None,
    }
}

fn stays(kind: Kind) -> &'static str {
    match kind {
        Kind::Arg | Kind::BuildArg => "the history keeps build arguments with their values",
        Kind::Env | Kind::Variable => "the image's configuration keeps it",
        Kind::Label | Kind::BuildLabel => "every label is shown to whoever has the image",
    }
}
