//! `docker buildx …`, and `docker-buildx` on its own.

use super::docker::{BUILD, verb};
use super::flags::Table;
use super::{BuilderError, Lending, Plan, Probe, Split, Typed, bake, docker, image_build};

/// `docker buildx --help`, and the global flags that the docker command gives its plugins.
const GLOBALS: Table = Table {
    valued: &["builder", "config", "context", "host", "log-level", "tlscacert", "tlscert", "tlskey"],
    ..docker::GLOBALS
};

pub(super) fn standalone(typed: &Typed, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    plan("buildx", Split { typed, at: 0 }, lending, probe)
}

/// `split` is behind `buildx`.
pub(super) fn plan(
    tool: &str,
    split: Split<'_>,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Plan, BuilderError> {
    let Some((verb, split_verb)) = verb(split, &GLOBALS) else {
        return Ok(Plan::idle(split.typed));
    };
    match verb.as_str() {
        "build" | "b" => image_build::plan(&format!("{tool} build"), split_verb, &BUILD, lending, probe),
        "bake" | "f" => bake::plan(&format!("{tool} bake"), split_verb, lending, probe),
        _ => Ok(Plan::idle(split.typed)),
    }
}
