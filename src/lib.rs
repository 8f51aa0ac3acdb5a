//! valetkey lends SSH keys to container builds.
//!
//! A few flows explain the whole crate.
//!
//! **One sign request, a straight line:** [`wire::frame`] reads a bounded frame →
//! [`wire::agent`] turns it into a request → [`wire::userauth`] parses the signed data
//! completely → [`policy::judge()`] gives a verdict → a [`signer`] signs, or nothing does →
//! [`decision_log`] takes one line → one reply goes back.
//!
//! **One `valetkey run`:** [`config`] turns flags and `valetkey.toml` into validated grants →
//! [`keys`] loads what they name → [`lease`] opens the sockets → [`builder`] turns the typed
//! command into the one to run → [`child`] runs it → [`receipt`] sums the lease up.
//!
//! **One `valetkey start`:** [`cli::start`] starts this program once more → that one loads, opens the
//! same [`lease`] and says what later steps need → its socket answers what descends from the job's
//! process ([`agent::peer`]) → [`lease::control`] is asked by `status` and `stop`.
//!
//! **One build secret:** [`config`] names source and form → [`keys`] reads it → [`secret`] makes the
//! file of it and holds that in memory → [`builder`] passes its path → [`child::mask`] and
//! [`audit::exact`] look for it.
//!
//! **One `valetkey init`:** [`project::walk`] finds files → a reader a format puts what they name into
//! a [`project::Reading`] → [`project::Wish`]es that no grant covers → [`cli::init`] shows the change.
//!
//! **One checked recipe:** [`check::walk`](mod@check::walk) finds files → [`check::file`] reads instructions, scripts and
//! settings, each with its bytes → every rule of [`check::rules`] → [`report`], or [`check::fix`].
//!
//! **One failed build:** [`child::output`] shows what is printed to [`diagnosis::Watch`] →
//! [`decision_log`] and [`builder::steps`] give the rest of the [`diagnosis::Facts`] → [`last_lease`]
//! keeps them → [`diagnosis::explain()`].
//!
//! **One audited layer:** [`image::source`] opens → [`image::layer`] decompresses and takes digests
//! → [`image::stream`] shows every byte, [`image::tar`] and [`image::inner`] name them →
//! [`audit::scan`] asks every rule → [`audit::read`] follows the [`image::manifest`]s → a
//! [`audit::finding::Report`] → [`report`]. A wrong digest or a limit that was hit is in the
//! report, never "nothing found".
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod agent;
pub mod audit;
pub mod builder;
pub mod check;
pub mod child;
pub mod cli;
pub mod config;
pub mod decision_log;
pub mod diagnosis;
pub mod doctor;
pub mod document;
pub mod exit;
pub mod gateway;
pub mod guest;
pub mod hosts;
pub mod image;
pub mod keys;
pub mod last_lease;
pub mod lease;
pub mod policy;
pub mod project;
pub mod receipt;
pub mod report;
pub mod secret;
pub mod signer;
pub mod sys;
pub mod ui;
pub mod wire;
mod xdg;
