//! The harness that the end-to-end tests and the benchmarks share: real engines, a real Git
//! server, real keys. Owns no behaviour of valetkey; starts it as a user would.
//!
//! Everything here panics when it cannot be had: a test that could not run has failed.

pub mod audited;
pub mod doctor;
pub mod engine;
pub mod example_build;
pub mod gate;
pub mod gateway_build;
pub mod git_server;
pub mod github_runner_double;
pub mod held;
pub mod key;
pub mod own_engine;
pub mod package_index;
pub mod private_build;
pub mod process;
pub mod project;
pub mod registry;
pub mod runtime_folder;
pub mod secret_build;
pub mod ssh_agent;
pub mod ssh_engine;
pub mod user;
pub mod vault;
pub mod waiting_step;
pub mod yaml;

use std::path::PathBuf;

pub use audited::Audited;
pub use doctor::Doctor;
pub use engine::Engine;
pub use example_build::ExampleBuild;
pub use gate::Gate;
pub use gateway_build::GatewayBuild;
pub use git_server::GitServer;
pub use github_runner_double::GithubRunnerDouble;
pub use held::Held;
pub use key::Key;
pub use own_engine::OwnEngine;
pub use package_index::PackageIndex;
pub use private_build::PrivateBuild;
pub use process::{Finished, Run};
pub use project::Project;
pub use registry::Registry;
pub use runtime_folder::RuntimeFolder;
pub use secret_build::SecretBuild;
pub use ssh_agent::SshAgent;
pub use ssh_engine::SshEngine;
pub use vault::Vault;
pub use waiting_step::WaitingStep;

/// The folder `integration`.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A script of the folder `integration`.
#[must_use]
pub fn script(name: &str) -> PathBuf {
    folder().join(name)
}

/// The program under test, as `integration/check` built it.
#[must_use]
pub fn valetkey() -> PathBuf {
    let path = std::env::var_os("VALETKEY_BIN").expect("VALETKEY_BIN is not set: run integration/check");
    PathBuf::from(path)
}
