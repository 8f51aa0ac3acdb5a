//! `podman build` and its other names. `podman compose` runs a program of the person's choice,
//! which builds through podman's Docker-compatible service: that forwards no agent, so all that
//! can be lent there is SSH_AUTH_SOCK (podman-compose hands it on; docker-compose cannot).

use std::ffi::OsString;

use super::docker::{NO_VALUES, verb};
use super::flags::{self, Table};
use super::{BuilderError, Lending, Plan, Probe, Split, Typed, image_build};

/// `podman --help` of 4.3 and 5.8.
#[rustfmt::skip]
pub(super) const GLOBALS: Table = Table {
    valued: &[
        "cdi-spec-dir", "cgroup-manager", "config", "conmon", "connection", "context", "events-backend",
        "hooks-dir", "host", "identity", "imagestore", "log-level", "module", "namespace", "network-cmd-path",
        "network-config-dir", "out", "root", "runroot", "runtime", "runtime-flag", "ssh",
        "storage-driver", "storage-opt", "tls-ca", "tls-cert", "tls-key", "tmpdir", "url", "volumepath",
    ],
    short: "cH",
    interspersed: false,
};

/// `podman build --help` of 4.3 and 5.8, `buildah build --help` of 1.28 and 1.43.
#[rustfmt::skip]
pub(super) const BUILD: Table = Table {
    valued: &[
        "add-host", "annotation", "arch", "authfile", "build-arg", "build-arg-file",
        "build-context", "cache-from", "cache-to", "cache-ttl", "cap-add", "cap-drop", "cert-dir",
        "cgroup-parent", "cgroupns", "cpp-flag", "cpu-period", "cpu-quota", "cpu-shares",
        "cpuset-cpus", "cpuset-mems", "creds", "cw", "decryption-key", "device", "dns",
        "dns-option", "dns-search", "env", "file", "format", "from", "group-add", "hooks-dir",
        "ignorefile", "iidfile", "ipc", "isolation", "jobs", "label", "layer-label", "logfile",
        "manifest", "memory", "memory-swap", "network", "os", "os-feature", "os-version",
        "output", "pid", "platform", "retry", "retry-delay", "runtime", "runtime-flag", "sbom",
        "sbom-image-output", "sbom-image-purl-output", "sbom-merge-strategy", "sbom-output",
        "sbom-purl-output", "sbom-scanner-command", "sbom-scanner-image", "secret",
        "security-opt", "shm-size", "sign-by", "source-date-epoch", "ssh", "tag", "target",
        "timestamp", "ulimit", "unsetannotation", "unsetenv", "unsetlabel", "userns",
        "userns-gid-map", "userns-gid-map-group", "userns-uid-map", "userns-uid-map-user", "uts",
        "variant", "volume",
    ],
    short: "cfmotv",
    interspersed: true,
};

/// Flags and variables that send a build to podman's service instead of running it here.
const REMOTE: [&str; 5] = ["remote", "r", "url", "connection", "c"];
const REMOTE_VARIABLES: [&str; 2] = ["CONTAINER_HOST", "CONTAINER_CONNECTION"];

pub(super) fn plan(typed: &Typed, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    let split = Split { typed, at: 0 };
    let Some((command, split_command)) = verb(split, &GLOBALS) else {
        return Ok(Plan::idle(typed));
    };
    let (tool, split_build) = match command.as_str() {
        "build" => ("podman build".to_owned(), split_command),
        "compose" => return Ok(compose(typed)),
        "image" | "buildx" | "builder" => match verb(split_command, &NO_VALUES) {
            Some((sub, split)) if sub == "build" => (format!("podman {command} build"), split),
            _ => return Ok(Plan::idle(typed)),
        },
        _ => return Ok(Plan::idle(typed)),
    };
    let mut plan = image_build::plan(&tool, split_build, &BUILD, lending, probe)?;
    if plan.tool == tool && is_remote(typed, probe) {
        plan.warnings.push(format!(
            "{tool}: podman does not forward an agent to a remote service; steps with an ssh mount will fail"
        ));
    }
    Ok(plan)
}

fn is_remote(typed: &Typed, probe: &dyn Probe) -> bool {
    flags::walk(&typed.args, &GLOBALS).has(&REMOTE)
        || super::base_name(&typed.program) == "podman-remote"
        || REMOTE_VARIABLES.iter().any(|name| probe.var(name).is_some_and(|value| value != OsString::new()))
}

/// `podman compose` and `podman-compose`.
pub(super) fn compose(typed: &Typed) -> Plan {
    let warning = "podman compose: only SSH_AUTH_SOCK is lent, for services with `build: {ssh: [default]}` and a \
                   provider that builds with podman itself (podman-compose); no secret";
    Plan { tool: "podman compose".into(), warnings: vec![warning.into()], ..Plan::other(typed) }
}
