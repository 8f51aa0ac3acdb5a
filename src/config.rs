//! `valetkey.toml` and flags → validated grants. Both mean the same.
//!
//! Owns no secret: a config names sources, never keys. Refuses what it does not know, and a
//! file that somebody else could have written.

mod cert;
pub mod comment;
mod duration;
mod fields;
mod file;
mod host;
mod ignore;
mod key_from;
mod secret;

use std::path::PathBuf;

use crate::exit::Code;
use crate::hosts::{HostName, PinEntry};
use crate::keys::{KeyFrom, KeySource};
use crate::policy::{Access, Limits, RepoPattern};
use crate::ui::Explain;

pub use duration::{MAX_TIME_LIMIT, parse_duration};
pub use file::{FILE_NAME, find, parse, read};
pub use secret::{WantedSecret, parse_secret_flag, parse_secret_flags};

/// The id that `RUN --mount=type=ssh` uses when it names none.
pub const DEFAULT_ID: &str = "default";
/// Identities that a socket offers when nothing else was said: servers cut a client off after
/// six tries (`MaxAuthTries`), and the sixth should be the client's own.
pub const DEFAULT_MAX_IDENTITIES: usize = 5;

/// How a build is lent access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Lend {
    /// By the gateway wherever a grant names repositories, else by the agent.
    #[default]
    Auto,
    /// By the agent: the build can use the keys themselves, for logins.
    Agent,
    /// By the gateway: the build reads repositories, and holds no key.
    Gateway,
}

/// One grant as it was asked for, before its key is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The ssh id that it is lent under.
    pub id: String,
    /// Where its key comes from.
    pub key: KeyFrom,
    /// Where its passphrase comes from, if it has one and nobody is to be asked.
    pub passphrase_from: Option<KeySource>,
    /// Its hosts; none means every pinned host.
    pub hosts: Vec<HostName>,
    /// The account on the server.
    pub user: String,
    /// Repositories; none means every one. An agent cannot see them: only the gateway can hold
    /// a build to them.
    pub repos: Vec<RepoPattern>,
    /// What may be done with them.
    pub access: Access,
    /// How it is lent, where the file says so: its own word, else that of the top level.
    pub lend: Option<Lend>,
    /// Caps.
    pub limits: Limits,
}

/// Everything that a config file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Its grants, in order.
    pub grants: Vec<Wanted>,
    /// Its build secrets, in order; no two have one id.
    pub secrets: Vec<WantedSecret>,
    /// Its hosts.
    pub hosts: Vec<PinEntry>,
    /// known_hosts files to use.
    pub known_hosts: Vec<PathBuf>,
    /// Findings of an audit that are ignored, in order.
    pub ignores: Vec<crate::audit::ignore::Ignore>,
    /// How access is lent where neither a grant nor a flag says it.
    pub lend: Option<Lend>,
}

/// Why a config was not understood. Holds names of fields and lines, never values that could
/// be a key pasted by mistake.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could be somebody else's word.
    #[error("{0} belongs to another user or can be written by others")]
    Unsafe(PathBuf),
    /// Larger than any config is.
    #[error("{path} is larger than {max} bytes", max = file::MAX_SIZE)]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// It is not TOML, or a value has another type.
    #[error("failed to parse {path}, line {line}: {message}")]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What the parser says, without the text.
        message: String,
    },
    /// A field that does not exist.
    #[error("failed to parse {path}, line {line}: unknown field \"{field}\" in {table}")]
    Unknown {
        /// Which.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// The field.
        field: String,
        /// Where it stands: `the top level`, `[[grant]]`, `[[host]]`, `[[ignore]]`, `[[secret]]`, `cert` of
        /// a grant.
        table: &'static str,
        /// The field that is spelled most like it.
        nearest: Option<&'static str>,
        /// All that there are.
        known: &'static [&'static str],
    },
    /// A value that means nothing.
    #[error("failed to understand {field} in {place}: {message}")]
    Value {
        /// The field or flag.
        field: &'static str,
        /// `[[grant]] 1 of FILE`, or `the command line`.
        place: String,
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Nothing was granted.
    #[error("no key was named, and no secret, so there is nothing to lend")]
    NoGrant,
}

impl Explain for ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsafe(path) => Some(format!("chown and chmod go-w {}, or run with --no-config", path.display())),
            Self::Unknown { nearest: Some(nearest), .. } => Some(format!("did you mean \"{nearest}\"?")),
            Self::Unknown { known, .. } => Some(format!("known fields: {}", known.join(", "))),
            Self::Value { hint, .. } => hint.clone(),
            Self::NoGrant => Some(format!(
                "name one with --key (keychain:NAME, env:NAME, file:PATH, stdin, command:…, credential:NAME, vault:…, agent), or a secret with --secret ID=SOURCE, or write a [[grant]] or a [[secret]] into {FILE_NAME}"
            )),
            _ => None,
        }
    }

    fn code(&self) -> Code {
        Code::Usage
    }
}

/// Checks an ssh id: what Docker accepts, and what is safe in `ID=PATH`.
///
/// # Errors
/// A sentence that says what an id looks like.
pub fn parse_id(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(fine) {
        return Err("an ssh id has 1 to 64 letters, digits, `_`, `.` or `-`".into());
    }
    Ok(text.to_owned())
}

/// Splits `[ID=]SOURCE` as `--key` takes it, in the manner of docker's `--ssh ID=SOCKET`.
///
/// # Errors
/// [`ConfigError::Value`], which repeats nothing that may be the key itself.
pub fn parse_key_flag(text: &str) -> Result<(String, KeySource), ConfigError> {
    let (id, source) = parse_named("--key", text)?;
    Ok((id.unwrap_or_else(|| DEFAULT_ID.to_owned()), source))
}

/// Splits `[ID=]SOURCE` of this flag.
///
/// # Errors
/// [`ConfigError::Value`], which repeats nothing that may be the secret itself.
pub fn parse_named(flag: &'static str, text: &str) -> Result<(Option<String>, KeySource), ConfigError> {
    let failed = |message, hint| typed(flag, message, hint);
    let (id, source) = match text.split_once('=') {
        // Where a key was typed instead of its place, what stands before its padding is no id.
        Some((id, source)) if !id.contains(':') && !source.trim_start_matches('=').is_empty() => {
            (Some(parse_id(id).map_err(|message| failed(message, None))?), source)
        }
        _ => (None, text),
    };
    let source: KeySource =
        source.parse().map_err(|error: crate::keys::source::SourceError| failed(error.to_string(), error.hint()))?;
    Ok((id, source))
}

/// Reads `--passphrase-from`.
///
/// # Errors
/// [`ConfigError::Value`], which repeats nothing that may be the passphrase itself.
pub fn parse_passphrase_flag(text: &str) -> Result<KeySource, ConfigError> {
    passphrase_source(text).map_err(|(message, hint)| typed("--passphrase-from", message, hint))
}

fn typed(field: &'static str, message: String, hint: Option<String>) -> ConfigError {
    ConfigError::Value { field, place: "the command line".into(), message, hint }
}

/// A source that a passphrase can come from, or message and hint. A passphrase can look like
/// anything, so no word of what was written is repeated.
fn passphrase_source(text: &str) -> Result<KeySource, (String, Option<String>)> {
    let forms = || {
        Some(
            "a passphrase comes from one of keychain:NAME, env:NAME, file:PATH, stdin, command:…, credential:NAME, vault:…"
                .to_owned(),
        )
    };
    match text.parse::<KeySource>() {
        Ok(KeySource::Agent(_)) => Err(("an agent keeps its passphrases to itself".into(), forms())),
        Ok(source) => Ok(source),
        Err(_) => Err(("this names no place that a passphrase can come from".into(), forms())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_flag_may_name_its_ssh_id() {
        assert_eq!(parse_key_flag("env:KEY").unwrap(), ("default".into(), KeySource::Env("KEY".into())));
        assert_eq!(parse_key_flag("lib=env:KEY").unwrap(), ("lib".into(), KeySource::Env("KEY".into())));
        // An equals sign behind the kind belongs to the source.
        assert_eq!(parse_key_flag("file:a=b").unwrap().1, KeySource::File("a=b".into()));
    }

    #[test]
    fn an_id_at_the_limit_is_taken_and_a_longer_or_odd_one_is_not() {
        assert!(parse_id(&"a".repeat(64)).is_ok());
        for id in ["", "a b", "a/b", "a=b", "a,b", &"a".repeat(65)] {
            assert!(parse_id(id).is_err(), "{id:?}");
        }
    }
}
