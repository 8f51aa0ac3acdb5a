//! Private keys: where they come from, what people paste, and the types that wipe them.
//!
//! Owns every byte of key text from the source to the signer. Refuses to show any of it:
//! no type here prints more than a length, and no error carries input.

pub mod agent;
pub mod askpass;
pub mod certificate;
pub mod command;
pub mod credential;
pub mod env;
pub mod error;
pub mod file;
pub mod from;
pub mod issue;
pub mod keychain;
mod legacy_pem;
pub mod load;
mod lookalike;
pub mod openssh;
pub mod parse;
pub mod passphrase;
mod pasted;
mod pkcs1;
pub mod pkcs8;
pub mod prompt;
mod reader;
pub mod rejected;
mod sec1;
pub mod secret;
pub mod source;
pub mod stdin;
pub mod vault;
pub mod written;

pub use error::{KeyError, Reason};
pub use from::KeyFrom;
pub use load::{LoadEnv, Loaded, TimeLimits, load};
pub use rejected::Rejected;
pub use secret::Secret;
pub use source::{AgentSelector, KeySource};

/// The most bytes that are read from a source for a key or a passphrase. An RSA-8192 key in PEM
/// has 6.5 KiB.
pub const SOURCE_LIMIT: usize = 256 * 1024;
