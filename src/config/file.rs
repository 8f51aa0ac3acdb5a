//! Finding and parsing `valetkey.toml`.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::cert::{self, RawCert};
use super::fields::{check_fields, line_of};
use super::host::{self, OneOrMany, RawHost};
use super::ignore::{self, RawIgnore};
use super::key_from::{self, RawSources, placed};
use super::secret::{self, RawSecret};
use super::{Config, ConfigError, DEFAULT_ID, Lend, Wanted, parse_duration, parse_id, passphrase_source};
use crate::hosts::HostName;
use crate::keys::KeyFrom;
use crate::policy::grant::{DEFAULT_MAX_SIGNATURES, DEFAULT_TIME_LIMIT, DEFAULT_USER};
use crate::policy::{Access, Limits, RepoPattern};
use crate::ui::Explain as _;

/// The name that is searched for, from the working directory upwards.
pub const FILE_NAME: &str = "valetkey.toml";
/// The largest file that is read, in bytes.
pub(super) const MAX_SIZE: u64 = 1024 * 1024;

const TOP: &[&str] = &["grant", "host", "ignore", "known_hosts", "lend", "secret"];
const GRANT: &[&str] = &[
    "key",
    "cert",
    "passphrase_from",
    "id",
    "host",
    "user",
    "repos",
    "access",
    "lend",
    "max_signatures",
    "time_limit",
];

#[derive(Deserialize)]
struct RawGrant {
    key: Option<RawSources>,
    cert: Option<RawCert>,
    passphrase_from: Option<String>,
    id: Option<String>,
    host: Option<OneOrMany>,
    user: Option<String>,
    #[serde(default)]
    repos: Vec<String>,
    #[serde(default)]
    access: Access,
    lend: Option<String>,
    max_signatures: Option<u32>,
    time_limit: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    grant: Vec<RawGrant>,
    #[serde(default)]
    host: Vec<RawHost>,
    #[serde(default)]
    ignore: Vec<RawIgnore>,
    #[serde(default)]
    secret: Vec<RawSecret>,
    known_hosts: Option<OneOrMany>,
    lend: Option<String>,
}

/// The nearest `valetkey.toml` from `start` upwards.
#[must_use]
pub fn find(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

/// Reads a config that is this user's (or root's) own word.
///
/// # Errors
/// [`ConfigError`].
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let user = rustix::process::geteuid().as_raw();
    let ours = |uid: u32| uid == user || uid == 0;
    // A group of the same number as the user is that user's alone (the convention of the systems
    // whose umask lets it write); any other has members.
    let open = meta.mode() & 0o002 != 0 || (meta.mode() & 0o020 != 0 && meta.gid() != user);
    // The link too, where it is one: who planted it would choose among this user's files.
    let link = fs::symlink_metadata(path).map_err(failed)?;
    if !ours(meta.uid()) || !ours(link.uid()) || open {
        return Err(ConfigError::Unsafe(path.to_owned()));
    }
    let mut text = String::new();
    file.take(MAX_SIZE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_SIZE {
        return Err(ConfigError::TooLarge { path: path.to_owned() });
    }
    parse(&text, path)
}

/// Parses a config. Pure; `path` is for messages and for relative paths in it.
///
/// # Errors
/// [`ConfigError`].
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let syntax = |error: &toml::de::Error| ConfigError::Syntax {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        message: error.message().lines().next().unwrap_or_default().to_owned(),
    };
    let table = DeTable::parse(text).map_err(|error| syntax(&error))?;
    check_fields(table.get_ref(), TOP, "the top level", text, path)?;
    for (field, known, name) in [
        ("grant", GRANT, "[[grant]]"),
        ("host", host::FIELDS, "[[host]]"),
        ("ignore", ignore::FIELDS, "[[ignore]]"),
        ("secret", secret::FIELDS, "[[secret]]"),
    ] {
        let Some(value) = table.get_ref().get(field) else { continue };
        if let DeValue::Array(entries) = value.get_ref() {
            for (at, entry) in entries.iter().enumerate() {
                if let DeValue::Table(entry) = entry.get_ref() {
                    check_fields(entry, known, name, text, path)?;
                    let Some(cert) = entry.get("cert") else { continue };
                    match cert.get_ref() {
                        DeValue::Table(cert) => check_fields(cert, cert::FIELDS, "cert of a [[grant]]", text, path)?,
                        _ => return Err(cert::no_table(&format!("{name} {} of {}", at + 1, path.display()))),
                    }
                }
            }
        }
    }
    let raw: Raw = toml::from_str(text).map_err(|error| syntax(&error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let known_hosts = raw.known_hosts.map(OneOrMany::into_vec).unwrap_or_default();
    let lend = raw.lend.map(|text| lend(&text, &format!("the top level of {}", path.display()))).transpose()?;
    let mut grants = numbered(raw.grant, "[[grant]]", path, |raw, place| wanted(raw, place, folder))?;
    for grant in &mut grants {
        grant.lend = grant.lend.or(lend);
    }
    let secrets = numbered(raw.secret, "[[secret]]", path, |raw, place| secret::secret(raw, place, folder))?;
    secret::check_ids(&secrets, |at| format!("[[secret]] {} of {}", at + 1, path.display()))?;
    Ok(Config {
        grants,
        secrets,
        lend,
        hosts: numbered(raw.host, "[[host]]", path, host::entry)?,
        ignores: numbered(raw.ignore, "[[ignore]]", path, ignore::ignore)?,
        known_hosts: known_hosts.into_iter().map(|file| in_folder(folder, &file)).collect(),
    })
}

/// A path of the config: `~/` stays for later, a relative one is the config's.
pub(super) fn in_folder(folder: &Path, file: &str) -> PathBuf {
    if file.starts_with("~/") { PathBuf::from(file) } else { folder.join(file) }
}

fn numbered<R, T>(
    raw: Vec<R>,
    table: &str,
    path: &Path,
    mut make: impl FnMut(R, &str) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let entries = raw.into_iter().enumerate();
    entries.map(|(at, raw)| make(raw, &format!("{table} {} of {}", at + 1, path.display()))).collect()
}

/// How access is lent. What was written is not repeated: it may be a key in the wrong place.
fn lend(text: &str, place: &str) -> Result<Lend, ConfigError> {
    <Lend as clap::ValueEnum>::from_str(text, false).map_err(|_| ConfigError::Value {
        field: "lend",
        place: place.to_owned(),
        message: "this is no way to lend".into(),
        hint: Some("lend = \"gateway\", \"agent\" or \"auto\"".into()),
    })
}

fn wanted(raw: RawGrant, place: &str, folder: &Path) -> Result<Wanted, ConfigError> {
    let value = |field, message, hint| ConfigError::Value { field, place: place.to_owned(), message, hint };
    let passphrase =
        |text: String| passphrase_source(&text).map_err(|(message, hint)| value("passphrase_from", message, hint));
    let hosts = raw.host.map(OneOrMany::into_vec).unwrap_or_default();
    let hosts = hosts
        .iter()
        .map(|name| name.parse::<HostName>().map_err(|error| value("host", error.to_string(), error.hint())));
    let mut limits =
        Limits { max_signatures: raw.max_signatures.unwrap_or(DEFAULT_MAX_SIGNATURES), time_limit: DEFAULT_TIME_LIMIT };
    if let Some(text) = &raw.time_limit {
        limits.time_limit = parse_duration(text).map_err(|message| value("time_limit", message, None))?;
    }
    let repos = raw.repos.iter().map(|text| {
        let hint = "name it as in its URL, without host: repos = [\"org/repo\", \"org/shared-*\"]";
        text.parse::<RepoPattern>().map_err(|error| value("repos", error.to_string(), Some(hint.into())))
    });
    Ok(Wanted {
        repos: repos.collect::<Result<_, _>>()?,
        id: parse_id(raw.id.as_deref().unwrap_or(DEFAULT_ID)).map_err(|message| value("id", message, None))?,
        key: match (raw.key, raw.cert) {
            (Some(key), None) => key_from::sources(key, place, folder)?,
            (None, Some(cert)) => KeyFrom::Certificate(cert::issue(cert, place, folder)?),
            _ => return Err(value("key", "a grant has a key or a cert, and not both".into(), None)),
        },
        passphrase_from: raw.passphrase_from.map(passphrase).transpose()?.map(|source| placed(source, folder)),
        hosts: hosts.collect::<Result<_, _>>()?,
        user: raw.user.unwrap_or_else(|| DEFAULT_USER.to_owned()),
        access: raw.access,
        lend: raw.lend.map(|text| lend(&text, place)).transpose()?,
        limits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeySource;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    fn parsed(text: &str) -> Result<Config, ConfigError> {
        parse(text, Path::new("/project/valetkey.toml"))
    }

    fn message(text: &str) -> (String, Option<String>) {
        let error = parsed(text).unwrap_err();
        (error.to_string(), error.hint())
    }

    #[test]
    fn a_grant_is_read_with_all_its_fields() {
        let text = r#"
            known_hosts = "hosts"
            [[grant]]
            key = "keychain:work"
            id = "lib"
            host = ["git.example.com", "[git.example.com]:2222"]
            user = "gitea"
            repos = ["a/b"]
            access = "write"
            max_signatures = 3
            time_limit = "5m"
            passphrase_from = "env:PASS"
            [[grant]]
            key = "file:keys/id"
            host = "github.com"
        "#;
        let config = parsed(text).unwrap();
        let [first, second] = config.grants.as_slice() else { panic!("two grants") };
        assert_eq!((first.id.as_str(), first.user.as_str(), first.access), ("lib", "gitea", Access::Write));
        assert_eq!(first.hosts.iter().map(|host| host.port).collect::<Vec<_>>(), [22, 2222]);
        assert_eq!(first.limits, Limits { max_signatures: 3, time_limit: Duration::from_secs(300) });
        assert_eq!(first.passphrase_from, Some(KeySource::Env("PASS".into())));
        assert_eq!(second.key, KeySource::File("/project/keys/id".into()).into());
        assert_eq!((second.id.as_str(), second.limits), ("default", Limits::default()));
        assert_eq!(config.known_hosts, [PathBuf::from("/project/hosts")]);
    }

    #[test]
    fn how_a_grant_is_lent_is_its_own_word_or_that_of_the_top_level() {
        let text = "lend = \"gateway\"\n[[grant]]\nkey = \"stdin\"\n[[grant]]\nkey = \"env:K\"\nlend = \"agent\"\n";
        let lent = |config: &Config| config.grants.iter().map(|grant| grant.lend).collect::<Vec<_>>();
        let config = parsed(text).unwrap();
        assert_eq!((config.lend, lent(&config)), (Some(Lend::Gateway), vec![Some(Lend::Gateway), Some(Lend::Agent)]));
        let config = parsed("[[grant]]\nkey = \"stdin\"\nlend = \"auto\"\n").unwrap();
        assert_eq!((config.lend, lent(&config)), (None, vec![Some(Lend::Auto)]));
    }

    #[test]
    fn another_way_to_lend_is_refused_with_those_that_there_are_and_not_repeated() {
        for (text, place) in [
            ("lend = \"Agent\"\n", "lend in the top level of /project/valetkey.toml"),
            ("[[grant]]\nkey = \"stdin\"\nlend = \"\"\n", "lend in [[grant]] 1 of /project/valetkey.toml"),
            ("[[grant]]\nkey = \"stdin\"\nlend = \"b3BlbnNz\"\n", "lend in [[grant]] 1 of"),
        ] {
            let (message, hint) = message(text);
            assert!(message.contains(place) && !message.contains("b3BlbnNz"), "{message}");
            assert_eq!(hint.unwrap(), "lend = \"gateway\", \"agent\" or \"auto\"");
        }
    }

    #[test]
    fn an_unknown_field_names_the_nearest_known_one_and_its_line() {
        let (message, hint) = message("[[grant]]\nkey = \"stdin\"\nmax_signature = 3\n");
        assert!(message.contains("line 3: unknown field \"max_signature\" in [[grant]]"), "{message}");
        assert_eq!(hint.unwrap(), "did you mean \"max_signatures\"?");
    }

    #[test]
    fn an_unknown_field_like_no_other_gets_the_list() {
        for text in ["zzzzzzzz = 1", "[[host]]\nname = \"a\"\nzzzzzzzz = 1"] {
            let (message, hint) = message(text);
            assert!(message.contains("unknown field \"zzzzzzzz\""), "{message}");
            assert!(hint.unwrap().starts_with("known fields: "));
        }
    }

    #[test]
    fn a_key_pasted_into_the_file_is_not_repeated() {
        let pasted = "[[grant]]\nkey = \"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\"\n";
        let (message, hint) = message(pasted);
        assert!(!format!("{message}{hint:?}").contains("b3BlbnNz"), "{message} {hint:?}");
    }

    #[test]
    fn what_is_no_toml_or_has_the_wrong_type_says_its_line() {
        for (text, line) in [("a =", 1), ("\n[[grant]]\nkey = 5\n", 3), ("[[host]]\nkeys = []\n", 1)] {
            let (message, _) = message(text);
            assert!(message.contains(&format!("line {line}:")), "{text:?}: {message}");
        }
    }

    #[test]
    fn the_nearest_file_above_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(dir.path().join(FILE_NAME), "").unwrap();
        assert_eq!(find(&deep), Some(dir.path().join(FILE_NAME)));
        fs::write(dir.path().join("a").join(FILE_NAME), "").unwrap();
        assert_eq!(find(&deep), Some(dir.path().join("a").join(FILE_NAME)));
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        fs::write(&path, "").unwrap();
        assert!(read(&path).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o606)).unwrap();
        assert!(matches!(read(&path), Err(ConfigError::Unsafe(_))));
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_a_longer_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        fs::write(&path, "#".repeat(usize::try_from(MAX_SIZE).unwrap())).unwrap();
        assert!(read(&path).is_ok());
        fs::write(&path, "#".repeat(usize::try_from(MAX_SIZE).unwrap() + 1)).unwrap();
        assert!(matches!(read(&path), Err(ConfigError::TooLarge { .. })));
    }
}
