//! `buildah build`, `bud` and `build-using-dockerfile`.

use super::docker::verb;
use super::flags::Table;
use super::podman::BUILD;
use super::{BuilderError, Lending, Plan, Probe, Split, Typed, image_build};

/// `buildah --help` of 1.28 and 1.43.
#[rustfmt::skip]
pub(super) const GLOBALS: Table = Table {
    valued: &[
        "cgroup-manager", "imagestore", "log-level", "registries-conf", "registries-conf-dir", "root", "runroot",
        "short-name-alias-conf", "storage-driver", "storage-opt", "userns-gid-map", "userns-uid-map",
    ],
    short: "",
    interspersed: false,
};

pub(super) fn plan(typed: &Typed, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    match verb(Split { typed, at: 0 }, &GLOBALS) {
        Some((verb, split)) if matches!(verb.as_str(), "build" | "bud" | "build-using-dockerfile") => {
            image_build::plan("buildah build", split, &BUILD, lending, probe)
        }
        _ => Ok(Plan::idle(typed)),
    }
}
