//! PURE: files that hold keys or credentials: by their names, as the audit knows them, and by what they
//! say where they can be read.

use super::around::Files;
use super::script::base;
use super::secret_text::{is_secret_name, literals_of_file};
use crate::audit::residue::names::is_key_name;
use crate::audit::secrets::{is_credential_file, placeholder};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A private key.
    Key,
    /// Tokens or passwords.
    Credentials,
}

impl Sort {
    /// It, in words that fit behind "holds".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Key => "a private key",
            Self::Credentials => "credentials",
        }
    }
}

/// Folders of a home that hold keys.
const FOLDERS: [&[u8]; 3] = [b".ssh", b".gnupg", b".aws"];
/// Stems of `.key` and `.pem` files that hold private keys; a package's signing key is a public one.
const STEMS: [&str; 12] =
    ["key", "privkey", "private", "server", "client", "tls", "ssl", "ca", "localhost", "domain", "cert", "deploy"];
/// Credential files that hold nothing else, so that their name is enough.
const SURE: [&[u8]; 7] =
    [b".netrc", b"_netrc", b".git-credentials", b".pypirc", b".pgpass", b".vault-token", b".dockercfg"];
/// Credential files of the audit's list that hold settings, too: without their text nothing is said.
const SETTINGS: [&[u8]; 18] = [
    b".gitmodules",
    b".gitconfig",
    b"gitconfig",
    b"gradle.properties",
    b"settings.xml",
    b"nuget.config",
    b".yarnrc.yml",
    b"pip.conf",
    b"pip.ini",
    b"my.cnf",
    b".my.cnf",
    b"debian.cnf",
    b".htpasswd",
    b"htpasswd",
    b".curlrc",
    b"curlrc",
    b".wgetrc",
    b"wgetrc",
];
/// Endings of names of files that may hold a key: what they say decides.
const MAYBE: [&[u8]; 6] = [b".pem", b".key", b".p12", b".pfx", b".jks", b".ppk"];

/// What a file of this path holds, by its name alone: `None` where that does not say.
#[must_use]
pub fn by_name(path: &[u8]) -> Option<Sort> {
    let name = base(path);
    let lower = name.to_ascii_lowercase();
    // `COPY id_* …`, `COPY .npmrc* …`.
    let plain = lower.strip_suffix(b"*").unwrap_or(&lower);
    let plain = if matches!(plain, b"id_" | b".ssh/id_") { b"id_rsa" } else { plain };
    if is_key_name(plain) || is_key(plain) {
        return Some(Sort::Key);
    }
    let is_settings = SETTINGS.contains(&plain) || base_of_folder(path) == Some(b".git") || plain == b"config";
    let path = path.strip_suffix(b"*").unwrap_or(path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    (SURE.contains(&plain) || (is_credential_file(path) && !is_settings)).then_some(Sort::Credentials)
}

/// A key's name in the words of web servers and of PuTTY.
fn is_key(name: &[u8]) -> bool {
    if name.ends_with(b".ppk") || name.ends_with(b".p12") || name.ends_with(b".pfx") {
        return true;
    }
    let stem = |end: &[u8]| name.strip_suffix(end).and_then(|stem| std::str::from_utf8(stem).ok());
    let ends = |stem: &str| stem.ends_with("-key") || stem.ends_with("_key") || stem.ends_with(".key");
    stem(b".pem").is_some_and(|stem| matches!(stem, "key" | "privkey") || (ends(stem) && !stem.contains("pub")))
        || stem(b".key").is_some_and(|stem| STEMS.contains(&stem))
}

fn base_of_folder(path: &[u8]) -> Option<&[u8]> {
    path.rsplit(|byte| *byte == b'/').nth(1)
}

/// What a file of the context holds: by its name, and by its text where that is there. One whose text
/// shows no secret, though its name promises one, holds none; a key's name is enough.
#[must_use]
pub fn of_context(path: &str, files: &dyn Files) -> Option<Sort> {
    let name = base(path.as_bytes()).to_ascii_lowercase();
    let named = by_name(path.as_bytes());
    let is_sure = named == Some(Sort::Key) || SURE.contains(&name.as_slice());
    let may_be = MAYBE.iter().any(|end| name.ends_with(end)) || is_credential_file(path.as_bytes());
    if is_sure || !may_be {
        return named;
    }
    let Some(text) = files.read(path) else { return named };
    let found = literals_of_file(path, &text);
    if found.iter().any(|found| found.key.is_some()) {
        return Some(Sort::Key);
    }
    (!found.is_empty() || (name.starts_with(b".env") || name.ends_with(b".env")) && has_secret_value(&text))
        .then_some(Sort::Credentials)
}

/// Whether an environment file gives a value to a name of a secret. The audit, which sees what was
/// delivered, asks for a value that a generator made.
fn has_secret_value(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let Some(equals) = memchr::memchr(b'=', line) else { return false };
        let (name, value) = line.split_at(equals);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        !line.starts_with(b"#") && is_secret_name(name.trim_ascii()) && !placeholder::is(value)
    })
}

/// Whether it is a folder of keys: `.ssh`, `/root/.ssh/`, `.ssh/*`.
#[must_use]
pub fn is_folder(path: &[u8]) -> bool {
    let path = path.strip_suffix(b"*").unwrap_or(path);
    let path = path.strip_suffix(b"/.").unwrap_or(path);
    FOLDERS.contains(&base(path.strip_suffix(b"/").unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::around::Given;

    #[test]
    fn names_of_keys_and_credentials_are_told_from_their_neighbours() {
        for (path, sort) in [
            ("id_rsa", Some(Sort::Key)),
            ("keys/id_ed25519", Some(Sort::Key)),
            ("id_*", Some(Sort::Key)),
            ("id_rsa*", Some(Sort::Key)),
            ("deploy_key", Some(Sort::Key)),
            ("tls/server.key", Some(Sort::Key)),
            ("server-key.pem", Some(Sort::Key)),
            ("privkey.pem", Some(Sort::Key)),
            ("me.ppk", Some(Sort::Key)),
            (".npmrc", Some(Sort::Credentials)),
            (".npmrc*", Some(Sort::Credentials)),
            ("/root/.netrc", Some(Sort::Credentials)),
            (".docker/config.json", Some(Sort::Credentials)),
            (".env", Some(Sort::Credentials)),
            (".aws/credentials", Some(Sort::Credentials)),
            ("id_rsa.pub", None),
            ("known_hosts", None),
            (".ssh/config", None),
            ("config.json", None),
            (".env.example", None),
            ("nginx_signing.key", None),
            ("rds-ca-bundle.pem", None),
            ("public-key.pem", None),
            ("settings.xml", None),
            (".yarnrc.yml", None),
            (".git/config", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(by_name(path.as_bytes()), sort, "{path}");
        }
    }

    #[test]
    fn what_a_file_says_decides_where_its_name_does_not() {
        let files = Given::new(&[
            ("a/.npmrc", "registry=https://npm.corp/\n//npm.corp/:_authToken=${NPM_TOKEN}\n"),
            ("b/.npmrc", "//npm.corp/:_authToken=hunter2\n"),
            ("a/.env", "DEBUG=1\nAPI_TOKEN=\n# DB_PASSWORD=hunter2\n"),
            ("b/.env", "DEBUG=1\nDB_PASSWORD=hunter2\n"),
            ("cert.pem", "-----BEGIN CERTIFICATE-----\n"),
            ("gradle.properties", "org.gradle.daemon=false\n"),
            ("id_rsa", "\n"),
        ]);
        for (path, sort) in [
            ("a/.npmrc", None),
            ("b/.npmrc", Some(Sort::Credentials)),
            ("c/.npmrc", Some(Sort::Credentials)),
            ("a/.env", None),
            ("b/.env", Some(Sort::Credentials)),
            ("cert.pem", None),
            ("gradle.properties", None),
            ("id_rsa", Some(Sort::Key)),
        ] {
            assert_eq!(of_context(path, &files), sort, "{path}");
        }
    }

    #[test]
    fn folders_of_keys_are_told_from_their_files() {
        for path in [".ssh", "/root/.ssh/", "/root/.ssh/*", "~/.ssh/.", ".gnupg"] {
            assert!(is_folder(path.as_bytes()), "{path}");
        }
        for path in [".ssh/known_hosts", "ssh", "/root", ".docker", ""] {
            assert!(!is_folder(path.as_bytes()), "{path}");
        }
    }
}
