//! The `docker` command: its global flags, `docker build` and its other names, and the way to
//! buildx and Compose.

use std::ffi::OsString;

use super::flags::{self, Table};
use super::{BuilderError, Lending, Plan, Probe, Split, Typed, buildx, compose, image_build};

/// `docker --help` of 20.10 to 28.5.
pub(super) const GLOBALS: Table = Table {
    valued: &["config", "context", "host", "log-level", "tlscacert", "tlscert", "tlskey"],
    short: "cHl",
    interspersed: false,
};

/// `docker build --help` of 20.10 to 28.5 and `docker buildx build --help` of 0.13 and 0.29,
/// experimental flags included.
#[rustfmt::skip]
pub(super) const BUILD: Table = Table {
    valued: &[
        "add-host", "allow", "annotation", "attest", "build-arg", "build-context", "builder",
        "cache-from", "cache-to", "call", "cgroup-parent", "cpu-period", "cpu-quota",
        "cpu-shares", "cpuset-cpus", "cpuset-mems", "file", "iidfile", "invoke", "isolation", "label",
        "memory", "memory-swap", "metadata-file", "network", "no-cache-filter", "output",
        "platform", "print", "progress", "provenance", "root", "sbom", "secret", "security-opt",
        "server-config", "shm-size", "ssh", "tag", "target", "ulimit",
    ],
    short: "cfmot",
    interspersed: true,
};

/// Subcommands' own level (`docker image …`), which has no flags with values.
pub(super) const NO_VALUES: Table = Table { valued: &[], short: "", interspersed: false };

pub(super) fn plan(typed: &Typed, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    let split = Split { typed, at: 0 };
    let Some((verb, split)) = verb(split, &GLOBALS) else {
        return Ok(Plan::idle(typed));
    };
    match verb.as_str() {
        "build" => build("docker build", split, lending, probe),
        "buildx" => buildx::plan("docker buildx", split, lending, probe),
        "compose" => compose::plan("docker compose", split, lending, probe),
        "image" | "builder" => match self::verb(split, &NO_VALUES) {
            Some((sub, split)) if sub == "build" => build(&format!("docker {verb} build"), split, lending, probe),
            _ => Ok(Plan::idle(typed)),
        },
        _ => Ok(Plan::idle(typed)),
    }
}

/// The next verb and where its arguments begin; None for help, version or nothing.
pub(super) fn verb<'a>(split: Split<'a>, globals: &Table) -> Option<(String, Split<'a>)> {
    let walk = flags::walk(split.rest(), globals);
    if walk.has(&["help", "h", "version", "v"]) {
        return None;
    }
    let at = *walk.positional.first()?;
    let verb = split.rest()[at].to_str()?.to_owned();
    Some((verb, split.further(at + 1)))
}

fn build(tool: &str, split: Split<'_>, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    let mut plan = image_build::plan(tool, split, &BUILD, lending, probe)?;
    if plan.tool == tool {
        plan.set_env.extend(buildkit(tool, probe)?);
    }
    Ok(plan)
}

/// `DOCKER_BUILDKIT=1` where nothing is said: CLI 20.10 builds with the legacy builder otherwise.
/// Later versions use BuildKit anyway.
fn buildkit(tool: &str, probe: &dyn Probe) -> Result<Option<(OsString, OsString)>, BuilderError> {
    refuse_legacy(tool, probe)?;
    Ok(match probe.var("DOCKER_BUILDKIT").filter(|value| !value.is_empty()) {
        Some(_) => None,
        None => Some(("DOCKER_BUILDKIT".into(), "1".into())),
    })
}

/// Stops where `DOCKER_BUILDKIT=0` asks docker or Compose for the builder that forwards nothing.
pub(super) fn refuse_legacy(tool: &str, probe: &dyn Probe) -> Result<(), BuilderError> {
    match probe.var("DOCKER_BUILDKIT") {
        Some(value) if flags::is_false(&value) => {
            Err(BuilderError::LegacyBuilder { tool: tool.into(), value: value.to_string_lossy().into_owned() })
        }
        _ => Ok(()),
    }
}
