//! The world around a key source, as values: nothing of the real environment is used.

use std::collections::HashMap;
use std::ffi::OsString;
use std::time::SystemTime;

use valetkey::keys::keychain::{Keychain, KeychainError};
use valetkey::keys::passphrase::{Ask, AskError};
use valetkey::keys::{KeyError, KeyFrom, KeySource, LoadEnv, Loaded, Secret, TimeLimits, load};
use valetkey::signer::Parts;
use valetkey::ui::Explain as _;

/// Answers in order, then nobody.
#[derive(Default)]
pub(crate) struct Person {
    pub(crate) answers: Vec<&'static str>,
    pub(crate) prompts: Vec<String>,
}

impl Ask for Person {
    fn ask(&mut self, prompt: &str) -> Result<Secret, AskError> {
        self.prompts.push(prompt.to_owned());
        if self.answers.is_empty() {
            return Err(AskError::Nobody);
        }
        Ok(Secret::new(self.answers.remove(0).as_bytes().to_vec()))
    }
}

/// A keychain of a fixed content.
#[derive(Default)]
pub(crate) struct Entries(pub(crate) HashMap<String, Vec<u8>>);

impl Keychain for Entries {
    fn get(&self, name: &str) -> Result<Secret, KeychainError> {
        self.0.get(name).cloned().map(Secret::new).ok_or(KeychainError::NoEntry)
    }
    fn set(&self, _: &str, _: &Secret) -> Result<(), KeychainError> {
        Err(KeychainError::Locked)
    }
    fn remove(&self, _: &str) -> Result<(), KeychainError> {
        Err(KeychainError::Locked)
    }
    fn list(&self) -> Result<Vec<String>, KeychainError> {
        Err(KeychainError::Locked)
    }
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) variables: HashMap<&'static str, OsString>,
    pub(crate) secrets_folder: std::path::PathBuf,
    pub(crate) time_limits: TimeLimits,
    /// What time it is, if it is not now.
    pub(crate) now: Option<SystemTime>,
    /// What was kept of the last load.
    pub(crate) kept: Vec<Parts>,
    pub(crate) kept_texts: Vec<Secret>,
    pub(crate) home: Option<std::path::PathBuf>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) keychain: Entries,
    pub(crate) person: Person,
    pub(crate) passphrase_from: Option<&'static str>,
}

impl World {
    pub(crate) fn load(&mut self, source: &str) -> Result<Loaded, KeyError> {
        let source: KeySource = source.parse().expect("a key source");
        self.with(|env| load(&source, env))
    }

    /// Loads the first of these that is there; with the source that it was.
    pub(crate) fn load_first(&mut self, sources: &[&str]) -> Result<(Loaded, String), KeyError> {
        let sources = sources.iter().map(|source| source.parse().expect("a key source")).collect();
        self.with(|env| KeyFrom::Sources(sources).load(env))
    }

    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&mut LoadEnv<'_>) -> T) -> T {
        let variables = &self.variables;
        let mut env = LoadEnv {
            variable: &|name| variables.get(name).cloned(),
            home: self.home.clone(),
            stdin: Some(Box::new(&self.stdin[..])),
            keychain: &self.keychain,
            person: &mut self.person,
            passphrase_from: self.passphrase_from.map(|from| from.parse().expect("a source")),
            known: Vec::new(),
            kept: Some(Vec::new()),
            kept_texts: Some(Vec::new()),
            secrets_folder: self.secrets_folder.clone(),
            time_limits: self.time_limits,
            clock: &|| self.now.unwrap_or_else(SystemTime::now),
        };
        let done = work(&mut env);
        let (kept, kept_texts) = (env.kept.unwrap_or_default(), env.kept_texts.unwrap_or_default());
        (self.kept, self.kept_texts) = (kept, kept_texts);
        done
    }
}

/// Loads a text as `env:KEY`.
pub(crate) fn pasted(text: impl AsRef<[u8]>) -> Result<Loaded, KeyError> {
    use std::os::unix::ffi::OsStringExt as _;
    let mut world = World::default();
    world.variables.insert("KEY", OsString::from_vec(text.as_ref().to_vec()));
    world.load("env:KEY")
}

/// The blobs of what was loaded.
pub(crate) fn blobs(loaded: &Loaded) -> Vec<&[u8]> {
    loaded.identities.iter().map(|identity| &identity.blob[..]).collect()
}

/// All that a person or a log can see of an error.
pub(crate) fn said(error: &KeyError) -> String {
    format!("{error}\n{}\n{error:?}", error.hint().unwrap_or_default())
}
