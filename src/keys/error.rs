//! Why a source gave no key: the source's name, and a reason of its own for every cause.

use crate::agent::upstream::UpstreamError;
use crate::exit::Code;
use crate::ui::Explain;

use super::command::CommandError;
use super::credential::CredentialError;
use super::env::EnvError;
use super::file::FileError;
use super::issue::IssueError;
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
    /// The certificate.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// Several sources, and none of them is there.
    #[error("none of them is there ({})", each(.0))]
    NoneThere(Vec<KeyError>),
    /// `agent` where text is needed.
    #[error("an agent gives signatures, and here a text is needed")]
    NoText,
}

/// Each source with its own reason.
fn each(errors: &[KeyError]) -> String {
    let one = |error: &KeyError| format!("{}: {}", error.from, error.reason);
    errors.iter().map(one).collect::<Vec<_>>().join("; ")
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
    /// Whether the source is not there at all, as opposed to there and of no use.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Env(error) => matches!(error, EnvError::NotSet),
            Self::File(error) => matches!(error, FileError::Missing),
            Self::Keychain(error) => {
                matches!(error, KeychainError::NoBus | KeychainError::NoProvider | KeychainError::NoEntry)
            }
            Self::Command(error) => matches!(error, CommandError::Missing(_)),
            Self::Credential(error) => matches!(error, CredentialError::Missing(_)),
            Self::Vault(error) => matches!(error, VaultError::NotSet | VaultError::NoPath),
            Self::Agent(error) => matches!(
                error,
                UpstreamError::NotSet | UpstreamError::NoSuchFingerprint(_) | UpstreamError::NoSuchComment(_)
            ),
            // What a source holds, a passphrase, a second reading of standard input.
            _ => false,
        }
    }

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
            Self::Issue(error) => error.hint(),
            // The one that was meant first.
            Self::NoneThere(errors) => errors.first().and_then(Explain::hint),
            Self::NoText => Some("use keychain:, env:, file:, command:, credential:, vault: or stdin".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Code;

    #[test]
    fn only_what_is_not_there_lets_another_source_be_tried() {
        let absent: [Reason; 12] = [
            EnvError::NotSet.into(),
            FileError::Missing.into(),
            KeychainError::NoBus.into(),
            KeychainError::NoProvider.into(),
            KeychainError::NoEntry.into(),
            CommandError::Missing("op".into()).into(),
            CredentialError::Missing("/run/secrets".into()).into(),
            VaultError::NotSet.into(),
            VaultError::NoPath.into(),
            UpstreamError::NotSet.into(),
            UpstreamError::NoSuchFingerprint(1).into(),
            UpstreamError::NoSuchComment(1).into(),
        ];
        assert!(absent.iter().all(Reason::is_absent));
        let of_no_use: [Reason; 22] = [
            Rejected::Empty.into(),
            Rejected::WrongPassphrase.into(),
            Reason::WrongPassphraseFrom("env:P".into()),
            // The passphrase is not there; the key is.
            Reason::PassphraseFrom(Box::new(KeyError { from: "env:P".into(), reason: EnvError::NotSet.into() })),
            AskError::Nobody.into(),
            FileError::Denied.into(),
            FileError::TooOpen("k".into(), 0o644).into(),
            FileError::NoHome.into(),
            super::super::stdin::StdinError::Twice.into(),
            KeychainError::Locked.into(),
            KeychainError::Silent(60).into(),
            KeychainError::Other("x".into()).into(),
            CommandError::Failed { ended: "status 1".into(), said: None }.into(),
            CommandError::Silent(60).into(),
            CredentialError::Denied("/run/secrets/k".into()).into(),
            VaultError::Denied.into(),
            VaultError::Sealed.into(),
            VaultError::Deleted.into(),
            VaultError::NoField.into(),
            VaultError::NoToken.into(),
            UpstreamError::Empty.into(),
            Reason::NoText,
        ];
        assert!(!of_no_use.iter().any(Reason::is_absent));
        let error = KeyError { from: "a or b".into(), reason: Reason::NoneThere(Vec::new()) };
        assert_eq!((error.code(), error.hint()), (Code::Key, None));
    }
}
