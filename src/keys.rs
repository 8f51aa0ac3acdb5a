//! Private keys: where they come from, what people paste, and the types that wipe them.
//!
//! Owns every byte of key text from the source to the signer. Refuses to show any of it:
//! no type here prints more than a length, and no error carries input.

pub mod secret;
pub mod source;

pub use secret::Secret;
pub use source::KeySource;
