//! PURE: commands by which package managers keep a credential in a file of their own.

use super::script::{Command, Word};

/// What a command keeps.
pub struct Store<'a> {
    /// The words in which the credential is.
    pub values: Vec<&'a Word>,
    /// The files that it goes to, as they lie in a home or a project.
    pub files: &'static [&'static [u8]],
}

/// Names of settings whose value is a credential, in lower case: npm's, yarn's, composer's, poetry's.
const NAMES: [&[u8]; 15] = [
    b"_authtoken",
    b"_auth",
    b"_password",
    b"npmauthtoken",
    b"npmauthident",
    b"http-basic",
    b"pypi-token",
    b"github-oauth",
    b"gitlab-oauth",
    b"gitlab-token",
    b"bitbucket-oauth",
    b"bearer",
    b"index-url",
    b"find-links",
    b"goproxy",
];

/// What the command keeps; `None` where it keeps nothing that could be a credential.
#[must_use]
pub fn kept(command: &Command) -> Option<Store<'_>> {
    let args = command.args();
    let says = |at: usize, text: &[u8]| args.get(at).is_some_and(|word| word.text == text);
    let has = |text: &[u8]| command.has(text);
    let (is_one, files): (bool, &'static [&'static [u8]]) = match command.program() {
        b"npm" | b"pnpm" => ((has(b"config") || says(0, b"c")) && has(b"set") || says(0, b"set"), &[b"~/.npmrc"]),
        b"yarn" => (says(0, b"config") && has(b"set"), &[b"~/.yarnrc.yml", b"~/.yarnrc"]),
        b"poetry" => (says(0, b"config"), &[b"~/.config/pypoetry/auth.toml"]),
        b"pip" | b"pip3" => (says(0, b"config") && has(b"set"), &[b"~/.config/pip/pip.conf", b"~/.pip/pip.conf"]),
        b"composer" => (says(0, b"config"), &[b"~/.composer/auth.json", b"auth.json"]),
        b"go" => (says(0, b"env") && has(b"-w"), &[b"~/.config/go/env"]),
        // What these keep is a credential, whatever it is called.
        b"bundle" => return (says(0, b"config")).then(|| all(args, &[b"~/.bundle/config", b".bundle/config"])),
        b"cargo" => return says(0, b"login").then(|| all(args, &[b"~/.cargo/credentials.toml"])),
        b"gem" => return (says(0, b"sources") && (has(b"-a") || has(b"--add"))).then(|| all(args, &[b"~/.gemrc"])),
        b"nuget" | b"dotnet" => {
            let is_source = args
                .iter()
                .any(|word| word.text.eq_ignore_ascii_case(b"source") || word.text.eq_ignore_ascii_case(b"sources"));
            return (is_source && (has(b"add") || has(b"update")))
                .then(|| all(args, &[b"~/.nuget/NuGet/NuGet.Config"]));
        }
        _ => return None,
    };
    let at = args.iter().position(|word| is_named(&word.text)).filter(|_| is_one)?;
    Some(Store { values: args.iter().skip(at).collect(), files })
}

fn all<'a>(args: &'a [Word], files: &'static [&'static [u8]]) -> Store<'a> {
    Store { values: args.iter().skip(1).collect(), files }
}

fn is_named(word: &[u8]) -> bool {
    let name = word.split(|byte| *byte == b'=').next().unwrap_or(word).to_ascii_lowercase();
    NAMES.iter().any(|known| memchr::memmem::find(&name, known).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::mapped::Mapped;
    use crate::check::script::read;

    fn values(text: &str) -> Option<Vec<String>> {
        let commands = read(&Mapped::whole(text.as_bytes(), 0), &[]);
        let store = kept(&commands[0])?;
        Some(store.values.iter().map(|word| String::from_utf8_lossy(&word.text).into_owned()).collect())
    }

    #[test]
    fn commands_that_keep_a_credential_are_told_from_those_that_keep_settings() {
        for text in [
            "npm config set //a/:_authToken x",
            "npm set //a/:_authToken=x",
            "pnpm config set //a/:_authToken=x",
            "yarn config set npmAuthToken x",
            "poetry config http-basic.a u x",
            "poetry config pypi-token.a x",
            "pip config set global.extra-index-url x",
            "composer config -g github-oauth.git.example.com x",
            "go env -w GOPROXY=x",
            "bundle config set a x",
            "cargo login x",
            "gem sources --add x",
            "dotnet nuget add source a --password x",
        ] {
            let values = values(text).unwrap_or_else(|| panic!("{text}"));
            assert!(values.last().is_some_and(|value| value.ends_with('x')), "{text}");
        }
        for text in [
            "npm ci",
            "npm config set registry https://a",
            "npm config get //a/:_authToken",
            "poetry config virtualenvs.create false",
            "pip install a",
            "go env GOPROXY",
            "cargo build",
            "composer install",
            "dotnet restore",
            "bundle install",
        ] {
            assert_eq!(values(text), None, "{text}");
        }
    }
}
