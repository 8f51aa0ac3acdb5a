//! Why a source gave no key: the source's name, and a reason of its own for every cause.

use crate::agent::upstream::UpstreamError;
use crate::exit::Code;
use crate::ui::Explain;

use super::command::CommandError;
use super::credential::CredentialError;
use super::env::EnvError;
use super::file::FileError;
use super::keychain::KeychainError;
use super::passphrase::AskError;
use super::rejected::Rejected;
use super::stdin::StdinError;
use super::vault::VaultError;

/// A source that gave no usable key.
#[derive(Debug, thiserror::Error)]
#[error("no usable key from {from}: {reason}")]
pub struct KeyError {
    /// The source as it was typed.
    pub from: String,
    /// Why.
    pub reason: Reason,
}

/// Why a source gave no usable key.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// What the source holds is no usable private key.
    #[error(transparent)]
    Content(#[from] Rejected),
    /// The key is encrypted, and what `--passphrase-from` named does not open it.
    #[error("the passphrase from {0} is wrong")]
    WrongPassphraseFrom(String),
    /// The key is encrypted, and `--passphrase-from` gave nothing.
    #[error("it is encrypted, and its passphrase cannot be had: {0}")]
    PassphraseFrom(Box<KeyError>),
    /// The key is encrypted, and nobody gave its passphrase.
    #[error("it is encrypted, and {0}")]
    Ask(#[from] AskError),
    /// The variable.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Standard input.
    #[error(transparent)]
    Stdin(#[from] StdinError),
    /// The OS keychain.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The program.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The Vault server.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// More than the limit (bytes).
    #[error("it is longer than {} KiB", .0 / 1024)]
    TooLong(usize),
    /// The user's own agent.
    #[error(transparent)]
    Agent(#[from] UpstreamError),
    /// `agent` where text is needed.
    #[error("an agent gives signatures, and here a text is needed")]
    NoText,
}

impl Explain for KeyError {
    fn hint(&self) -> Option<String> {
        self.reason.hint()
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

impl Reason {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Content(rejected) => rejected.hint(),
            Self::WrongPassphraseFrom(_) => Rejected::WrongPassphrase.hint(),
            Self::PassphraseFrom(error) => error.hint(),
            Self::Ask(error) => error.hint(),
            Self::Env(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Stdin(error) => error.hint(),
            Self::Keychain(error) => error.hint(),
            Self::Command(error) => error.hint(),
            Self::Credential(error) => error.hint(),
            Self::Vault(error) => error.hint(),
            Self::TooLong(_) => Rejected::TooLong.hint(),
            Self::Agent(error) => error.hint(),
            Self::NoText => Some("use keychain:, env:, file:, command:, credential:, vault: or stdin".to_owned()),
        }
    }
}
