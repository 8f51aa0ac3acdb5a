//! The keychain of this system: Secret Service, Keychain, or Windows Credential Manager.
//!
//! Owns the calls into the `keyring` crates. Every one runs on a thread of its own with a time
//! limit, because a keychain may show a prompt that nobody sees. The thread of a call that was
//! given up ends with the process.

use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::{Keychain, KeychainError, Secret};

/// The service name of every entry.
pub const SERVICE: &str = "valetkey";
/// How long a call may take: long enough for a person to unlock the keychain.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The most entries that are listed.
pub const MAX_ENTRIES: usize = 1000;

/// The keychain of this system.
#[derive(Clone, Copy, Debug)]
pub struct OsKeychain {
    limit: Duration,
}

impl Default for OsKeychain {
    fn default() -> Self {
        Self::with_limit(TIME_LIMIT)
    }
}

impl OsKeychain {
    /// The keychain, with another time limit.
    #[must_use]
    pub fn with_limit(limit: Duration) -> Self {
        Self { limit }
    }

    fn within<T: Send + 'static>(
        self,
        work: impl FnOnce() -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let (sender, receiver) = sync_channel(1);
        let work = move || {
            // Fails where nobody waits any more.
            let _ = sender.send(work());
        };
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(work)
            .map_err(|error| KeychainError::Other(error.kind().to_string()))?;
        receiver.recv_timeout(self.limit).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => KeychainError::Silent(self.limit.as_secs()),
                RecvTimeoutError::Disconnected => KeychainError::Other("its client library broke down".to_owned()),
            })
        })
    }
}

impl Keychain for OsKeychain {
    fn get(&self, name: &str) -> Result<Secret, KeychainError> {
        let name = name.to_owned();
        self.within(move || {
            let secret = entry(&name)?.get_secret().map_err(|error| of(&error))?;
            Ok(Secret::new(secret))
        })
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), KeychainError> {
        let (name, secret) = (name.to_owned(), secret.clone());
        self.within(move || entry(&name)?.set_secret(secret.expose()).map_err(|error| of(&error)))
    }

    fn remove(&self, name: &str) -> Result<(), KeychainError> {
        let name = name.to_owned();
        self.within(move || entry(&name)?.delete_credential().map_err(|error| of(&error)))
    }

    fn list(&self) -> Result<Vec<String>, KeychainError> {
        self.within(|| {
            store()?;
            // Windows has no services: its store keeps "name.service" and searches by pattern.
            let spec: HashMap<&str, &str> = if cfg!(windows) {
                HashMap::from([("pattern", r"\.valetkey$")])
            } else {
                HashMap::from([("service", SERVICE)])
            };
            let found = keyring_core::Entry::search(&spec).map_err(|error| of(&error))?;
            let mut names: Vec<String> = found.iter().take(MAX_ENTRIES).filter_map(name_of).collect();
            names.sort();
            names.dedup();
            Ok(names)
        })
    }
}

fn name_of(entry: &keyring_core::Entry) -> Option<String> {
    let specified = entry.get_specifiers().filter(|(service, _)| service == SERVICE);
    specified.map(|(_, name)| name).or_else(|| entry.get_attributes().ok()?.remove("username"))
}

/// Connects once a process; later calls see the first outcome.
fn store() -> Result<(), KeychainError> {
    keyring::Entry::store_status().as_ref().map_err(of).copied()
}

fn entry(name: &str) -> Result<keyring::Entry, KeychainError> {
    store()?;
    keyring::Entry::new(SERVICE, name).map_err(|error| of(&error))
}

fn of(error: &keyring_core::Error) -> KeychainError {
    use keyring_core::Error;
    match error {
        Error::NoEntry => KeychainError::NoEntry,
        Error::NoStorageAccess(_) => KeychainError::Locked,
        Error::TooLong(_, limit) => KeychainError::TooLong(*limit),
        Error::PlatformFailure(cause) => platform(cause.as_ref()),
        Error::Ambiguous(_) => KeychainError::Other("several entries have this name".to_owned()),
        // These carry what is stored.
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            KeychainError::Other("the entry cannot be read".to_owned())
        }
        error => KeychainError::Other(error.to_string()),
    }
}

/// What the Secret Service client says, sorted by what is to be done about it. Its error types
/// are those of a library two levels down, so its words and the D-Bus error names in them are
/// what there is to look at; the tests hold each of them against a real bus.
fn platform(error: &(dyn std::error::Error + Send + Sync + 'static)) -> KeychainError {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return KeychainError::NoBus;
        }
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if has(&["ServiceUnknown", "NameHasNoOwner", ".service files", "Spawn."]) {
        KeychainError::NoProvider
    } else if has(&["IsLocked", "object locked", "locked collection"]) {
        KeychainError::Locked
    } else if has(&["no secret service provider or dbus session", "Handshake", "address"]) {
        KeychainError::NoBus
    } else {
        KeychainError::Other(words)
    }
}
