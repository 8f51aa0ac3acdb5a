//! PURE argv and override rewriting, one file a tool.
//!
//! Turns the typed command into the arguments, environment and files to run with. Nothing
//! here spawns or reads: what a tool or the file system has to be asked comes in through
//! [`Probe`], whose one real implementation is [`probe::System`].
//!
//! It never overrides what was typed: an id that names its own socket or key stays (with a
//! warning), one that names none is filled in, because "none" means the person's whole agent.

pub mod add_git;
pub mod arguments;
mod bake;
mod bake_inline;
mod buildah;
mod buildx;
pub mod checkout;
mod compose;
mod compose_files;
mod compose_model;
mod docker;
pub mod dockerfile;
mod dotenv;
pub mod engine;
mod error;
mod flags;
mod git_context;
pub mod git_source;
mod go_client;
mod guest_mount;
mod heredoc;
mod image_build;
pub(crate) mod instruction;
pub mod made;
mod mounted_steps;
mod podman;
pub mod probe;
pub(crate) mod shell_words;
mod specs;
mod stages;
mod step_notes;
pub mod steps;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub use error::BuilderError;
pub use guest_mount::{RewrittenFile, ignore_path, rewritten};
pub use mounted_steps::{MAX_STEPS, MountedStep};
pub use probe::Probe;

/// Id of the secret that carries the known_hosts lines into a step.
pub const KNOWN_HOSTS_ID: &str = "known_hosts";

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
    /// `(id, file)` of each build secret. Absolute paths.
    pub secrets: Vec<(String, PathBuf)>,
    /// known_hosts lines of the granted hosts, as a file. Absolute path. Lent with a socket.
    pub known_hosts: PathBuf,
    /// Folder with the guest, to be given to the build as a named context; none where no socket
    /// is the gateway's. Absolute path.
    pub guest: Option<PathBuf>,
    /// The gateway's socket through which repositories are cloned that the builder would fetch
    /// itself; none where the id that it would use, `default`, is lent by agent. Absolute path.
    pub git: Option<PathBuf>,
    /// Folder of the lease, where files of the plan are written (an override for Compose).
    pub folder: PathBuf,
}

impl Lending {
    /// Whether a grant has this id.
    fn has(&self, id: &str) -> bool {
        self.sockets.iter().any(|(own, _)| own == id)
    }

    /// The socket that an id without one of its own gets: that of the same id, else the first.
    fn socket_for(&self, id: &str) -> Option<&str> {
        let same = self.sockets.iter().find(|(own, _)| own == id);
        same.or_else(|| self.sockets.first()).and_then(|(_, path)| path.to_str())
    }

    /// Refuses paths that some builder would read as something else: `,` and `"` end a field of
    /// `--ssh` and `--secret`, `$` and `%` are replaced in Compose and bake files.
    fn check_paths(&self) -> Result<(), BuilderError> {
        let all = self.sockets.iter().chain(&self.secrets).map(|(_, path)| path);
        let all = all.chain([&self.known_hosts, &self.folder]);
        for path in all {
            let plain = path.to_str().is_some_and(|text| {
                !text.contains([',', '"', '\'', '$', '%', '\\']) && !text.contains(char::is_control)
            });
            if !plain || !path.is_absolute() {
                return Err(BuilderError::Path(path.clone()));
            }
        }
        for (id, _) in self.sockets.iter().chain(&self.secrets) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if id.is_empty() || !id.chars().all(allowed) {
                return Err(BuilderError::Id(id.clone()));
            }
        }
        Ok(())
    }

    /// `(id, file)` of all that is lent as a secret: the known_hosts lines where a step can log
    /// in, and the build secrets. Checked to be text by [`Lending::check_paths`].
    fn lent_secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        let known_hosts = (KNOWN_HOSTS_ID, &self.known_hosts);
        let known_hosts = Some(known_hosts).filter(|_| !self.sockets.is_empty());
        let own = self.secrets.iter().map(|(id, path)| (id.as_str(), path));
        known_hosts.into_iter().chain(own).map(|(id, path)| (id, path.to_str().unwrap_or_default()))
    }
}

/// Where a Dockerfile is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeAt {
    /// The service or target that it is for, where there are several.
    pub target: Option<String>,
    /// The first of these that is there. Absolute paths.
    pub paths: Vec<PathBuf>,
}

impl RecipeAt {
    /// The Dockerfile of a service or target: none where the builder fetches its context.
    fn of_target(target: &str, context: &str, dockerfile: Option<&str>, probe: &dyn Probe) -> Option<Self> {
        let path = probe.cwd().join(context).join(dockerfile.unwrap_or("Dockerfile"));
        (!guest_mount::is_remote(context)).then(|| Self { target: Some(target.to_owned()), paths: vec![path] })
    }
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
    /// Folders to make in the lease's folder before the child starts, empty. Absolute paths.
    pub folders: Vec<PathBuf>,
    /// Files to write into the lease's folder before the child starts: absolute path, content.
    pub files: Vec<(PathBuf, String)>,
    /// Whether SSH_AUTH_SOCK is to point at the lease's default socket. False where the tool
    /// got an explicit socket, so that the user's own agent stays for `DOCKER_HOST=ssh://`.
    pub agent_in_env: bool,
    /// What a person should know before the build starts (shown as warnings).
    pub warnings: Vec<String>,
    /// The Dockerfiles that it builds, as far as they are files of this machine.
    pub recipes: Vec<RecipeAt>,
    /// How to learn which images it made.
    pub made: made::Made,
    /// What was done for the build before it starts (shown as notes).
    pub notes: Vec<String>,
    /// The Compose files of the person's own that it reads, in order.
    pub compose_files: Vec<PathBuf>,
    /// The steps with an ssh mount of the Dockerfiles that were read: those of a build by gateway.
    pub steps: Vec<MountedStep>,
}

impl Plan {
    /// A command that is no builder: it finds the lease's agent in SSH_AUTH_SOCK.
    fn other(typed: &Typed) -> Self {
        Self { tool: "other".into(), args: typed.args.clone(), agent_in_env: true, ..Self::default() }
    }

    /// A builder's command that builds nothing (`docker ps`, `--help`): it runs as typed, and
    /// the person's own agent stays, because it may be what reaches the engine.
    fn idle(typed: &Typed) -> Self {
        let program = base_name(&typed.program);
        let lent = format!("this {program} command builds nothing: nothing is lent to it");
        Self { agent_in_env: false, warnings: vec![lent], ..Self::other(typed) }
    }
}

/// Rewrites the typed command for what is lent.
///
/// # Errors
/// When the tool is too old, is told to use a builder without SSH forwarding, or does not
/// answer what it has to be asked.
pub fn plan(typed: &Typed, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    lending.check_paths()?;
    match base_name(&typed.program).as_str() {
        "docker" => docker::plan(typed, lending, probe),
        "docker-compose" => compose::standalone(typed, lending, probe),
        "docker-buildx" | "buildx" => buildx::standalone(typed, lending, probe),
        "podman" | "podman-remote" => podman::plan(typed, lending, probe),
        "buildah" => buildah::plan(typed, lending, probe),
        "podman-compose" => Ok(podman::compose(typed)),
        _ => {
            let mut plan = Plan::other(typed);
            plan.warnings.extend((!lending.secrets.is_empty()).then(|| {
                format!(
                    "{} is no builder that valetkey knows: no secret is lent to it",
                    crate::wire::text::shown(base_name(&typed.program).as_bytes())
                )
            }));
            Ok(plan)
        }
    }
}

/// Whether Compose would find a project from the working directory.
pub fn has_compose_project(probe: &mut dyn Probe) -> bool {
    compose_files::is_there(probe)
}

/// Whether the tool can read secrets from files alone, and not out of another process. podman and
/// buildah read from within a user namespace of their own, unless they are root's. bake follows
/// links until nothing is there, takes what a process holds for a file in `/`, and would have to
/// be allowed to read all of that.
#[must_use]
pub fn reads_files_alone(typed: &Typed, is_root: bool) -> bool {
    let is_bake = || match base_name(&typed.program).as_str() {
        "docker" => buildx::is_bake(typed, true),
        "docker-buildx" | "buildx" => buildx::is_bake(typed, false),
        _ => false,
    };
    let apart = matches!(base_name(&typed.program).as_str(), "podman" | "buildah");
    (apart && !is_root) || is_bake()
}

/// The program's name without folders; `.exe` is no part of it.
fn base_name(program: &OsStr) -> String {
    let text = program.to_string_lossy();
    let name = text.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name).to_owned()
}

/// Where in the typed arguments a build's own arguments begin.
#[derive(Clone, Copy)]
struct Split<'a> {
    typed: &'a Typed,
    /// Index of the first argument behind the verb.
    at: usize,
}

impl<'a> Split<'a> {
    /// The arguments up to the verb, with it.
    fn before(&self) -> &'a [OsString] {
        &self.typed.args[..self.at.min(self.typed.args.len())]
    }

    /// The arguments behind the verb.
    fn rest(&self) -> &'a [OsString] {
        self.typed.args.get(self.at..).unwrap_or_default()
    }

    /// The split after `more` further arguments.
    fn further(self, more: usize) -> Self {
        Self { at: self.at + more, ..self }
    }
}
