//! What builds of later steps are offered: arguments, overrides for Compose and bake, variables.

use std::ffi::OsString;
use std::path::PathBuf;

use super::StartArgs;
use super::bake;
use super::given::Variable;
use crate::builder::arguments::Arguments;
use crate::builder::probe::{Probe, System};
use crate::builder::{self, Lending, Plan, Typed};
use crate::cli::lend::{Opened, Settings, probe};
use crate::lease::BAKE;
use crate::ui::Failure;

/// See the module.
#[derive(Default)]
pub(super) struct Offered {
    pub(super) arguments: Arguments,
    pub(super) bake_args: Vec<String>,
    /// The overrides that were written.
    pub(super) files: Vec<PathBuf>,
    /// Without their old values.
    pub(super) variables: Vec<(String, String)>,
    pub(super) warnings: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Offered {
    /// Asks the tools and writes the overrides into the lease's folder.
    pub(super) fn new(args: &StartArgs, settings: &Settings, opened: &Opened) -> Result<Self, Failure> {
        let lending = &opened.lending;
        let arguments = Arguments::of(lending)?;
        let mut offered = Self { arguments, ..Self::default() };
        let mut probe = probe(settings, lending, false)?;
        offered.agent(args, lending, &probe);
        offered.set("VALETKEY_LEASE", lending.folder.display());
        offered.set("VALETKEY_KNOWN_HOSTS", lending.known_hosts.display());
        offered.set("VALETKEY_BUILD_ARGS", offered.arguments.words().join(" "));
        if probe.var("DOCKER_BUILDKIT").is_none_or(|value| value.is_empty()) {
            // CLI 20.10 builds with the builder that forwards nothing otherwise.
            offered.set("DOCKER_BUILDKIT", "1");
        }
        offered.compose(args, opened, &mut probe)?;
        offered.bake(args, opened, &mut probe)?;
        Ok(offered)
    }

    fn set(&mut self, name: &str, value: impl std::fmt::Display) {
        self.variables.push((name.to_owned(), value.to_string()));
    }

    /// SSH_AUTH_SOCK, unless it is what reaches the engine.
    fn agent(&mut self, args: &StartArgs, lending: &Lending, probe: &System) {
        let Some((_, socket)) = lending.sockets.first().filter(|_| !args.keep_agent) else { return };
        let remote = probe.var("DOCKER_HOST").is_some_and(|host| host.to_string_lossy().starts_with("ssh://"));
        if remote {
            self.warnings.push(
                "DOCKER_HOST is reached by ssh, which needs your own agent: SSH_AUTH_SOCK stays, so name the lease's socket with $VALETKEY_BUILD_ARGS"
                    .into(),
            );
        } else {
            self.set("SSH_AUTH_SOCK", socket.display());
        }
    }

    fn take(&mut self, opened: &Opened, plan: &mut Plan) -> Result<(), Failure> {
        opened.make(plan)?;
        self.warnings.append(&mut plan.warnings);
        self.notes.append(&mut plan.notes);
        Ok(())
    }

    /// The override for Compose. Where it was not asked for by name, a project that cannot be read
    /// is left as it is: it may not be what this job builds.
    fn compose(&mut self, args: &StartArgs, opened: &Opened, probe: &mut System) -> Result<(), Failure> {
        if args.no_compose || (!args.compose && !builder::has_compose_project(probe)) {
            return Ok(());
        }
        let typed = typed("docker compose build");
        match builder::plan(&typed, &opened.lending, probe) {
            Ok(mut plan) => {
                for (name, value) in &plan.set_env {
                    self.set(&name.to_string_lossy(), value.to_string_lossy());
                }
                self.files.extend(plan.files.first().map(|(path, _)| path.clone()));
                self.take(opened, &mut plan)
            }
            Err(error) if args.compose => Err(error.into()),
            Err(error) => {
                let error = Failure::from(error).message;
                self.warnings.push(format!("nothing is lent to the Compose project of this folder: {error}"));
                Ok(())
            }
        }
    }

    fn bake(&mut self, args: &StartArgs, opened: &Opened, probe: &mut System) -> Result<(), Failure> {
        let Some(targets) = &args.bake else { return Ok(()) };
        let mut typed = typed("docker buildx bake");
        typed.args.extend(targets.iter().map(OsString::from));
        // Its copies of Dockerfiles have the names of those for Compose.
        let folder = opened.lending.folder.join(BAKE);
        opened.lease.make_folder(&folder)?;
        let lending = Lending { folder: folder.clone(), ..opened.lending.clone() };
        let mut plan = builder::plan(&typed, &lending, probe)?;
        let (text, mut flags) = bake::override_file(&plan.args);
        let file = folder.join("bake.valetkey.json");
        plan.files.push((file.clone(), text));
        self.take(opened, &mut plan)?;
        flags.push(format!("--file={}", file.display()));
        self.set("VALETKEY_BAKE_ARGS", flags.join(" "));
        self.bake_args = flags;
        self.files.push(file);
        Ok(())
    }

    /// The variables with what they were before.
    pub(super) fn with_old_values(&self) -> Vec<Variable> {
        let old = |name: &str| std::env::var(name).ok();
        let one =
            |(name, value): &(String, String)| Variable { name: name.clone(), value: value.clone(), before: old(name) };
        self.variables.iter().map(one).collect()
    }
}

fn typed(line: &str) -> Typed {
    let mut words = line.split(' ').map(OsString::from);
    Typed { program: words.next().unwrap_or_default(), args: words.collect() }
}
