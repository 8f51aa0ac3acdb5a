//! `env:NAME`: a key in an environment variable, as CI systems hand out secrets.
//!
//! Owns the reading. The variable is taken from the child's environment by whoever builds
//! that: see [`super::KeySource::variables`].

use std::ffi::OsString;

use crate::exit::Code;
use crate::ui::Explain;

use super::Secret;

/// Why a variable gave no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// No such variable.
    #[error("the variable is not set")]
    NotSet,
}

impl Explain for EnvError {
    fn hint(&self) -> Option<String> {
        Some(
            "export the variable, or pass the secret to this job (CI systems hold secrets back \
             from pull requests from forks and from unprotected branches)"
                .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

pub(super) fn read(value: Option<OsString>) -> Result<Secret, EnvError> {
    value.map(|value| Secret::new(value.into_encoded_bytes())).ok_or(EnvError::NotSet)
}
