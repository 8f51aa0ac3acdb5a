//! PURE argv, override and Dockerfile rewriting, one file a tool.
//!
//! Turns the typed command into the arguments, environment and files to run with. Nothing
//! here spawns or reads a file: what a tool has to be asked comes in through [`Probe`].

use std::ffi::OsString;
use std::path::PathBuf;

/// The command as it was typed behind `--`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The program, as typed (`docker`, `/usr/bin/podman`, `./build.sh`).
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What the lease offers to the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lending {
    /// `(id, socket)` for each ssh id that the grants ask for; `default` is the first where it
    /// exists. Absolute paths.
    pub sockets: Vec<(String, PathBuf)>,
    /// known_hosts lines of the granted hosts, as a file. Absolute path.
    pub known_hosts: PathBuf,
    /// Folder of the lease, where files of the plan are written (an override for Compose).
    pub folder: PathBuf,
}

/// What to run instead of what was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Name of the tool as a person knows it: `docker build`, `docker compose up`, or `other`.
    pub tool: String,
    /// All arguments behind the program.
    pub args: Vec<OsString>,
    /// Environment variables to set for the child.
    pub set_env: Vec<(OsString, OsString)>,
    /// Files to write into the lease's folder before the child starts: absolute path, content.
    pub files: Vec<(PathBuf, String)>,
    /// Whether SSH_AUTH_SOCK is to point at the lease's default socket. False where the tool
    /// got an explicit socket, so that the user's own agent stays for `DOCKER_HOST=ssh://`.
    pub agent_in_env: bool,
    /// What a person should know before the build starts (shown as warnings).
    pub warnings: Vec<String>,
}

/// STUB until the builder branch is here.
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct BuilderError;
impl crate::ui::Explain for BuilderError {
    fn code(&self) -> crate::exit::Code {
        crate::exit::Code::Builder
    }
}
/// STUB
pub struct SystemProbe;
impl SystemProbe {
    /// STUB
    pub fn from_env(_: &[OsString]) -> Self {
        Self
    }
}
/// STUB
pub fn plan(typed: &Typed, lending: &Lending, _: &mut SystemProbe) -> Result<Plan, BuilderError> {
    let mut plan = Plan { tool: "other".into(), args: typed.args.clone(), agent_in_env: true, ..Plan::default() };
    if typed.args.first().is_some_and(|a| a == "compose") {
        let path = lending.folder.join("compose.override.json");
        let text = serde_json::json!({"services":{"app":{"build":{"ssh":{"default":lending.sockets[0].1},"secrets":["known_hosts"]}}},"secrets":{"known_hosts":{"file":lending.known_hosts}}}).to_string();
        plan.files.push((path.clone(), text));
        plan.args = vec!["compose".into(), "-f".into(), "compose.yaml".into(), "-f".into(), path.into()];
        plan.args.extend(typed.args[1..].iter().cloned());
    }
    Ok(plan)
}
