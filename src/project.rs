//! What a project's own files say that its build reads from Git.
//!
//! [`walk`] finds the files and bounds what is read of them → one reader a format (a file each in
//! `project/`, listed in [`format`](mod@format)) puts what it finds into a [`Reading`] → when all files
//! are read, [`Reading::resolved`] applies Git's `insteadOf` and reads the addresses.
//!
//! Readers are pure: the text of one file in, facts with their lines out. Nothing here runs a
//! program, opens a connection or follows what leads out of the project.

mod across;
pub mod address;
mod bake;
mod cargo;
mod ci;
mod ci_secret;
mod compose;
mod composer;
mod dockerfile;
mod environment;
mod format;
mod gemfile;
mod gemfile_lock;
mod git_config;
mod go;
mod go_mod;
mod lines;
mod npm_spec;
mod package_json;
mod package_lock;
mod pep508;
mod pipfile;
mod pnpm_lock;
mod poetry_lock;
mod pylock;
mod pyproject;
mod reading;
mod remote_context;
mod requirements;
mod rewrite;
mod script;
mod setup_cfg;
mod submodule;
mod terraform;
mod uv_lock;
pub mod walk;
pub mod wish;
mod yarn_lock;

pub use address::{Address, AddressError, Over};
pub use reading::{Need, Place, Reading, Undecided};
pub use walk::{Files, ProjectError, read, read_from};
pub use wish::Wish;
