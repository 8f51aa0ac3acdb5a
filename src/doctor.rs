//! What `valetkey doctor` has to say about a machine and a project before anything is built.
//!
//! PURE: facts come in as values, [`Check`]s go out, and [`plain`] and [`json`] show them. Who asks
//! tools, files, keychains and servers is [`crate::cli::doctor`].

pub mod check;
pub mod clock;
pub mod json;
pub mod keys;
pub mod leases;
pub mod plain;
pub mod steps;
pub mod tool;
pub mod visits;

pub use check::{Check, Section, State, exit_code};
