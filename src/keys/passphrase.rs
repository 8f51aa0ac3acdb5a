//! Passphrases of encrypted keys: where they come from, and in which order.
//!
//! Owns the order: those that opened a key before, `--passphrase-from`, `SSH_ASKPASS`, a prompt
//! on the terminal. Three tries for a person, one for a source.

use std::ffi::OsString;

use crate::exit::Code;
use crate::ui::Explain;

use super::{Secret, askpass, prompt};

/// How often a person is asked for one key.
pub const TRIES: usize = 3;

/// Why nobody gave a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No source, no askpass, no terminal.
    #[error("there is nobody to ask for the passphrase: no terminal and no SSH_ASKPASS")]
    Nobody,
    /// Nothing was entered, or the prompt was cancelled.
    #[error("no passphrase was given")]
    Cancelled,
    /// The terminal failed.
    #[error("the terminal cannot be used for a prompt: {0}")]
    Terminal(std::io::ErrorKind),
    /// More than [`prompt::MAX_PASSPHRASE`] bytes.
    #[error("the passphrase is longer than {} bytes", prompt::MAX_PASSPHRASE)]
    TooLong,
    /// `SSH_ASKPASS` names a program that does not start.
    #[error("the program in SSH_ASKPASS could not be started: {0}")]
    AskpassMissing(std::io::ErrorKind),
    /// The program did not end in time.
    #[error("the program in SSH_ASKPASS gave no answer in {} seconds", askpass::TIME_LIMIT.as_secs())]
    AskpassSilent,
}

impl Explain for AskError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nobody | Self::Terminal(_) => {
                "give it with --passphrase-from (env:NAME, file:PATH, keychain:NAME or stdin), \
                 set SSH_ASKPASS, or load the key with ssh-add and use --key agent"
                    .to_owned()
            }
            Self::Cancelled => "run it again and enter the passphrase of the key, or give it \
                                with --passphrase-from"
                .to_owned(),
            Self::TooLong => "check what gave it: it is no passphrase".to_owned(),
            Self::AskpassMissing(_) | Self::AskpassSilent => {
                "check SSH_ASKPASS, or unset it and give the passphrase with --passphrase-from".to_owned()
            }
        })
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// Someone who can be asked.
pub trait Ask {
    /// Shows `prompt` and waits for a passphrase, for a limited time or at a terminal.
    ///
    /// # Errors
    /// When nobody answers.
    fn ask(&mut self, prompt: &str) -> Result<Secret, AskError>;
}

/// Asks as ssh-add does: by `SSH_ASKPASS`, or on the terminal.
pub struct Person<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Person<'a> {
    /// Someone behind these environment variables.
    #[must_use]
    pub fn new(variable: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { variable }
    }
}

impl Ask for Person<'_> {
    fn ask(&mut self, prompt: &str) -> Result<Secret, AskError> {
        let terminal = prompt::terminal();
        let program = (self.variable)("SSH_ASKPASS").filter(|program| !program.is_empty());
        let require = (self.variable)("SSH_ASKPASS_REQUIRE");
        match (askpass::wanted(program, require.as_deref(), terminal.is_some()), terminal) {
            (Some(program), _) => askpass::run(&program, prompt, askpass::TIME_LIMIT),
            (None, Some(terminal)) => prompt::read(&terminal, prompt),
            (None, None) => Err(AskError::Nobody),
        }
    }
}
