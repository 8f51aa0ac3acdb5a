//! Is a key in it, and where? Every window of every stream that [`crate::image`] shows goes
//! through [`scan::Scanner`], which knows the rules; what they find becomes a
//! [`finding::Finding`] with its place.
//!
//! Rules are [`rule::Family`]s, one folder each: [`keys`] (private keys of every kind),
//! [`secrets`] (credential files and tokens), [`residue`] (what usual recipes leave behind).
//! They are pure, and never print or keep what they find: its kind, its public half, its place.

/// The rules, and all that reads layers for them: it changes with any of it, so that what one
/// build of this program found is not taken for what another would find.
pub const RULES: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("VALETKEY_RULES"));

pub mod cache;
pub mod encoded;
pub mod exact;
pub mod fields;
pub mod finding;
pub mod hidden;
pub mod ignore;
pub mod keys;
pub mod layer;
pub mod read;
pub mod residue;
pub mod rule;
pub mod scan;
pub mod secrets;
