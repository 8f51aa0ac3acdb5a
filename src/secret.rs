//! Build secrets: what is lent as `--secret`, in which form, and where it lies meanwhile.
//!
//! Owns the bytes between the source and the build tool that reads them. Refuses to write any of
//! them to a disk, and to show more than a length.

pub mod form;
pub mod holder;
mod memory;

pub use form::{Form, FormError};
pub use holder::{Holder, HolderError, Way};

use crate::exit::Code;
use crate::keys::Reason;
use crate::ui::Explain;

/// The most bytes of one secret, and of a source of one: BuildKit refuses more
/// (`MaxSecretSize` in its `session/secrets`).
pub const MAX_SECRET: usize = 500 * 1024;

/// Why a secret cannot be lent.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its source gave nothing.
    #[error("no secret {id} from {from}: {reason}")]
    Source {
        /// Its id.
        id: String,
        /// The source, as it was named.
        from: String,
        /// Why.
        reason: Reason,
    },
    /// What the source gave does not fit.
    #[error("the secret {id} cannot be lent as {form}: what {from} holds {why}")]
    Form {
        /// Its id.
        id: String,
        /// The form's name.
        form: &'static str,
        /// The source, as it was named.
        from: String,
        /// What is wrong with it.
        why: FormError,
    },
}

impl Explain for SecretError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Source { reason, .. } => reason.hint(),
            Self::Form { why, .. } => why.hint(),
        }
    }

    fn code(&self) -> Code {
        Code::Key
    }
}
