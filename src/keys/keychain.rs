//! `keychain:NAME`: a key in the OS keychain.
//!
//! Owns the names of what can go wrong with one. Each is a message of its own, because each
//! needs something else done.

use crate::exit::Code;
use crate::ui::Explain;

use super::Secret;

pub mod os;

pub use os::OsKeychain;

/// Where secrets are kept by name.
pub trait Keychain {
    /// The secret of an entry.
    ///
    /// # Errors
    /// When there is no keychain, no such entry, or no answer.
    fn get(&self, name: &str) -> Result<Secret, KeychainError>;

    /// Stores a secret under a name, over what is there.
    ///
    /// # Errors
    /// When there is no keychain, or it does not take the secret.
    fn set(&self, name: &str, secret: &Secret) -> Result<(), KeychainError>;

    /// Removes an entry.
    ///
    /// # Errors
    /// When there is no keychain, or no such entry.
    fn remove(&self, name: &str) -> Result<(), KeychainError>;

    /// The names of all entries that valetkey stored, sorted.
    ///
    /// # Errors
    /// When there is no keychain, or it cannot list.
    fn list(&self) -> Result<Vec<String>, KeychainError>;
}

/// Why a keychain gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// No D-Bus session bus.
    #[error("there is no session bus (D-Bus), and so no keychain")]
    NoBus,
    /// A bus, and nothing on it that keeps secrets.
    #[error("no keychain is running on the session bus (no Secret Service provider)")]
    NoProvider,
    /// The collection is locked, and stayed so.
    #[error("the keychain is locked")]
    Locked,
    /// No such entry.
    #[error("the keychain has no entry of this name for valetkey")]
    NoEntry,
    /// Nobody answered a prompt, or the keychain hangs.
    #[error("the keychain gave no answer in {0} seconds")]
    Silent(u64),
    /// More than the keychain of this system takes, in bytes.
    #[error("the key is too long for this system's keychain, which takes {0} bytes")]
    TooLong(u32),
    /// Anything else; the keychain's own words, without the secret.
    #[error("the keychain failed: {0}")]
    Other(String),
}

impl Explain for KeychainError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoBus => {
                    "log in to a desktop session, start a bus with dbus-run-session, or use \
                 file:PATH with an encrypted key, or env:NAME in CI"
                }
                Self::NoProvider => {
                    "start one, such as gnome-keyring-daemon --start --components=secrets or \
                 KeePassXC, or use file:PATH with an encrypted key"
                }
                Self::Locked => {
                    "unlock it (log in again, or open the system's password manager), and run this \
                 again"
                }
                Self::NoEntry => {
                    "valetkey key list shows what is there; valetkey key add NAME --from FILE adds \
                 a key"
                }
                Self::Silent(_) => {
                    "answer the keychain's prompt; where no one can see it, unlock the keychain \
                 first or use another key source"
                }
                Self::TooLong(_) => "use an Ed25519 key: it has 400 bytes",
                Self::Other(_) => "try again, or use file:PATH with an encrypted key",
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}
