//! From a key source to identities: read, parse, unlock, build, certificate.
//!
//! Owns the order of these steps. The process's environment, standard input, home folder,
//! keychain and terminal come in as values, so that nothing here is global.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::agent::upstream::{Upstream, UpstreamError};
use crate::signer::{self, Identity, Parts};

use super::keychain::{Keychain, OsKeychain};
use super::parse::{Found, Locked, Secrets, parse};
use super::passphrase::{Ask, AskError, Person, TRIES};
use super::{KeyError, KeySource, Reason, Rejected, SOURCE_LIMIT, Secret};
use super::{agent, certificate, command, credential, env, file, stdin, vault};

/// How long the sources may take that ask somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// A program, from its start to its end.
    pub command: Duration,
    /// A Vault server, login included.
    pub vault: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { command: command::TIME_LIMIT, vault: vault::TIME_LIMIT }
    }
}

/// What loading a key needs of the world around.
pub struct LoadEnv<'a> {
    /// Looks an environment variable up.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The home folder that `~/` means.
    pub home: Option<PathBuf>,
    /// Standard input; taken by the first source that reads it.
    pub stdin: Option<Box<dyn Read + 'a>>,
    /// The OS keychain.
    pub keychain: &'a dyn Keychain,
    /// Who is asked for passphrases.
    pub person: &'a mut dyn Ask,
    /// `--passphrase-from`.
    pub passphrase_from: Option<KeySource>,
    /// Passphrases that opened a key before; tried first, as ssh-add does.
    pub known: Vec<Secret>,
    /// Where the parts of every key that is loaded are kept as well, for an audit that looks for
    /// them: nothing else needs them once they can sign.
    pub kept: Option<Vec<Parts>>,
    /// Where every text that is read is kept as well, passphrases too, for whoever looks for them
    /// in an output or an image.
    pub kept_texts: Option<Vec<Secret>>,
    /// Where secrets are mounted: [`credential::SECRETS_FOLDER`].
    pub secrets_folder: PathBuf,
    /// How long others may take.
    pub time_limits: TimeLimits,
    /// What time it is, for a certificate that is issued.
    pub clock: &'a dyn Fn() -> SystemTime,
}

impl LoadEnv<'_> {
    /// Runs `work` with the world of this process: its environment, standard input, home
    /// folder, terminal and keychain.
    pub fn with_process<T>(passphrase_from: Option<KeySource>, work: impl FnOnce(&mut LoadEnv<'_>) -> T) -> T {
        let variable = |name: &str| std::env::var_os(name);
        work(&mut LoadEnv {
            variable: &variable,
            home: std::env::home_dir(),
            stdin: Some(Box::new(std::io::stdin().lock())),
            keychain: &OsKeychain::default(),
            person: &mut Person::new(&variable),
            passphrase_from,
            known: Vec::new(),
            kept: None,
            kept_texts: None,
            secrets_folder: credential::SECRETS_FOLDER.into(),
            time_limits: TimeLimits::default(),
            clock: &SystemTime::now,
        })
    }

    fn keep_text(&mut self, text: &Secret) {
        if let Some(kept) = &mut self.kept_texts {
            kept.push(text.clone());
        }
    }
}

/// What a source gave.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The identities, in the source's order, a certificate behind its key.
    pub identities: Vec<Identity>,
    /// What a person should know, one line each.
    pub warnings: Vec<String>,
}

/// Loads every identity of a source.
///
/// # Errors
/// When the source is not there or holds anything but usable private keys. Nothing of what it
/// holds is in the error.
pub fn load(source: &KeySource, env: &mut LoadEnv<'_>) -> Result<Loaded, KeyError> {
    from(source, env).map_err(|reason| KeyError { from: source.to_string(), reason })
}

/// The text of a source, for a passphrase: without the line's end.
///
/// # Errors
/// When the source is not there, is empty, or is an agent.
pub fn passphrase(source: &KeySource, env: &mut LoadEnv<'_>) -> Result<Secret, KeyError> {
    let failed = |reason| KeyError { from: source.to_string(), reason };
    let secret = read(source, env, SOURCE_LIMIT).map_err(failed)?;
    let bytes = secret.expose();
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(failed(Rejected::Empty.into()));
    }
    let secret = Secret::new(line.to_vec());
    env.keep_text(&secret);
    Ok(secret)
}

/// The bytes of a source, at most [`SOURCE_LIMIT`].
///
/// # Errors
/// When the source is not there, is too long, or is an agent.
pub fn text(source: &KeySource, env: &mut LoadEnv<'_>) -> Result<Secret, Reason> {
    text_up_to(source, env, SOURCE_LIMIT)
}

/// The bytes of a source, at most `limit`.
///
/// # Errors
/// When the source is not there, is too long, or is an agent.
pub fn text_up_to(source: &KeySource, env: &mut LoadEnv<'_>, limit: usize) -> Result<Secret, Reason> {
    let secret = read(source, env, limit)?;
    env.keep_text(&secret);
    Ok(secret)
}

fn read(source: &KeySource, env: &mut LoadEnv<'_>, limit: usize) -> Result<Secret, Reason> {
    let secret = match source {
        KeySource::Keychain(name) => env.keychain.get(name)?,
        KeySource::Env(name) => env::read((env.variable)(name))?,
        KeySource::File(path) => file::read(&file::resolved(path, env.home.as_deref())?, limit)?,
        KeySource::Stdin => stdin::read(env.stdin.take(), limit)?,
        KeySource::Command(line) => command::read(line, limit, env.time_limits.command)?,
        KeySource::Credential(name) => {
            let directory = (env.variable)("CREDENTIALS_DIRECTORY");
            credential::read(name, directory, &env.secrets_folder, limit)?
        }
        KeySource::Vault(path) => vault::read(path, env.variable, env.home.as_deref(), env.time_limits.vault)?,
        KeySource::Agent(_) => return Err(Reason::NoText),
    };
    if secret.expose().len() > limit {
        return Err(Reason::TooLong(limit));
    }
    Ok(secret)
}

pub(super) fn from(source: &KeySource, env: &mut LoadEnv<'_>) -> Result<Loaded, Reason> {
    if let KeySource::Agent(selector) = source {
        let socket = (env.variable)("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
        let upstream = Upstream::new(socket.ok_or(UpstreamError::NotSet)?);
        let identities = agent::identities(&upstream, selector)?;
        return Ok(Loaded { identities, warnings: Vec::new() });
    }
    let secret = text(source, env)?;
    let name = source.to_string();
    let found = parse(secret.expose())?;
    let beside = match source {
        KeySource::File(path) => Some(file::resolved(path, env.home.as_deref())?),
        _ => None,
    };
    let (mut identities, mut misfit) = (Vec::new(), None);
    for found in found {
        let key = identity(found, &name, env)?;
        let beside = beside.as_deref().map_or(Ok(None), |path| certificate::read(path, &key.blob));
        identities.push(key.clone());
        match beside {
            Ok(blob) => identities.extend(blob.map(|blob| Identity { blob, ..key })),
            Err(error) => misfit = Some(error),
        }
    }
    // A file of several keys has a certificate for one of them.
    let fits = identities.iter().any(|identity| certificate::plain(&identity.blob).is_some());
    let warnings = match (misfit, beside) {
        (Some(error), Some(path)) if !fits => {
            vec![format!("{} is not offered: {error}", certificate::beside(&path).display())]
        }
        _ => Vec::new(),
    };
    Ok(Loaded { identities, warnings })
}

/// One working key; the file's public half, where there is one, must be the secret half's.
fn identity(found: Found, name: &str, env: &mut LoadEnv<'_>) -> Result<Identity, Reason> {
    let (parts, comment) = match found.secret {
        Secrets::Open(parts) => (parts, found.comment),
        Secrets::Locked(locked) => unlock(&locked, name, env)?,
    };
    let key = signer::build(&parts).map_err(Rejected::from)?;
    if found.public.is_some_and(|public| public != key.blob) {
        return Err(Rejected::Inconsistent.into());
    }
    if let Some(kept) = &mut env.kept {
        kept.push(parts);
    }
    let comment = comment.unwrap_or_else(|| name.to_owned());
    Ok(Identity { blob: key.blob, comment, signer: key.signer })
}

fn unlock(locked: &Locked, name: &str, env: &mut LoadEnv<'_>) -> Result<(Parts, Option<String>), Reason> {
    for known in &env.known {
        match locked.unlock(known.expose()) {
            Err(Rejected::WrongPassphrase) => {}
            opened => return Ok(opened?),
        }
    }
    if let Some(source) = env.passphrase_from.clone() {
        let secret = passphrase(&source, env).map_err(|error| Reason::PassphraseFrom(Box::new(error)))?;
        return match locked.unlock(secret.expose()) {
            Err(Rejected::WrongPassphrase) => Err(Reason::WrongPassphraseFrom(source.to_string())),
            opened => {
                env.known.push(secret);
                Ok(opened?)
            }
        };
    }
    let mut prompt = format!("Enter passphrase for {name}: ");
    for _ in 0..TRIES {
        let secret = env.person.ask(&prompt)?;
        if secret.expose().is_empty() {
            return Err(AskError::Cancelled.into());
        }
        env.keep_text(&secret);
        match locked.unlock(secret.expose()) {
            Err(Rejected::WrongPassphrase) => {
                prompt = format!("Bad passphrase, try again for {name}: ");
            }
            opened => {
                env.known.push(secret);
                return Ok(opened?);
            }
        }
    }
    Err(Rejected::WrongPassphrase.into())
}
