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

/// Whether this is `buildx bake`, behind `docker` or on its own.
pub(super) fn is_bake(typed: &Typed, behind_docker: bool) -> bool {
    let split = Split { typed, at: 0 };
    let split = match verb(split, &docker::GLOBALS).filter(|_| behind_docker) {
        Some((plugin, split)) if plugin == "buildx" => split,
        None if !behind_docker => split,
        _ => return false,
    };
    verb(split, &GLOBALS).is_some_and(|(verb, _)| matches!(verb.as_str(), "bake" | "f"))
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

#[cfg(test)]
mod tests {
    use super::super::reads_files_alone;
    use super::*;

    #[test]
    fn bake_reads_files_alone_and_so_do_podman_and_buildah_of_a_user() {
        for (line, root, user) in [
            ("docker buildx bake", true, true),
            ("docker --context x buildx --builder y f app", true, true),
            ("docker-buildx bake", true, true),
            ("docker buildx build .", false, false),
            ("docker build bake", false, false),
            ("docker-buildx build bake", false, false),
            ("docker buildx --help", false, false),
            ("docker compose build", false, false),
            ("podman build .", false, true),
            ("/usr/bin/buildah bud .", false, true),
            ("podman-remote build .", false, false),
            ("docker", false, false),
        ] {
            let mut words = line.split(' ').map(std::ffi::OsString::from);
            let typed = Typed { program: words.next().unwrap(), args: words.collect() };
            assert_eq!((reads_files_alone(&typed, true), reads_files_alone(&typed, false)), (root, user), "{line}");
        }
    }
}
