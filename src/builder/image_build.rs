//! What `docker build`, `docker buildx build`, `podman build` and `buildah build` have in
//! common: `--ssh` for each id of the lease, and the known_hosts lines as a secret.
//!
//! Ours go directly behind the verb, before whatever was typed, so that a typed `--` cannot
//! turn them into positional arguments.

use std::ffi::{OsStr, OsString};

use super::dockerfile::CONTEXT;
use super::flags::{self, Flag, Table, Walk};
use super::guest_mount::{self, Mounted};
use super::{BuilderError, Lending, Plan, Probe, Split, specs};

/// The plan of an image build; one that lends nothing where only help was asked for.
pub(super) fn plan(
    tool: &str,
    split: Split<'_>,
    table: &Table,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Plan, BuilderError> {
    let walk = flags::walk(split.rest(), table);
    if walk.has(&["help", "h"]) {
        return Ok(Plan::idle(split.typed));
    }
    let mut plan = Plan { tool: tool.into(), ..Plan::default() };
    let mut rest = split.rest().to_vec();
    let mut ids = Vec::new();
    // From the back, so that an index stays right when a flag before it is retyped.
    for flag in walk.named(&["ssh"]).rev() {
        let Some(value) = flag.value.as_deref().and_then(OsStr::to_str) else {
            continue;
        };
        let spec = specs::ssh(value);
        ids.push(spec.id.to_owned());
        if let Some(paths) = spec.paths {
            plan.warnings.insert(0, specs::typed_stays(tool, spec.id, paths));
        } else if let Some(socket) = lending.socket_for(spec.id) {
            // It would mean SSH_AUTH_SOCK: the person's whole agent, lent to every step.
            let filled = flags::retyped(flag, &rest, OsStr::new(&specs::lent(spec.id, socket)));
            rest.splice(flag.at..flag.at + flag.width, filled);
        }
    }
    let typed_known_hosts = walk
        .named(&["secret"])
        .filter_map(|flag| flag.value.as_deref().and_then(OsStr::to_str))
        .any(specs::is_known_hosts);
    let mut guest = Vec::new();
    if let Some(folder) = lending.guest.as_deref() {
        let files = mount_guest(tool, &walk, &mut rest, lending, &mut plan, probe)?;
        if let Some(mut files) = files {
            guest_mount::check_contexts(tool, split, probe)?;
            let context = folder.to_str().ok_or_else(|| BuilderError::Path(folder.to_owned()))?;
            guest.extend([OsString::from("--build-context"), format!("{CONTEXT}={context}").into()]);
            guest.append(&mut files);
        }
    }
    plan.args = split.before().to_vec();
    plan.args.append(&mut guest);
    for value in specs::missing(lending, &ids)? {
        plan.args.extend([OsString::from("--ssh"), value.into()]);
    }
    if !typed_known_hosts {
        plan.args.extend([OsString::from("--secret"), specs::known_hosts(lending).into()]);
    }
    plan.args.append(&mut rest);
    Ok(plan)
}

/// Puts copies with the guest in the place of the Dockerfiles. Returns flags to add, or `None`
/// where no step needs the guest.
fn mount_guest(
    tool: &str,
    walk: &Walk,
    rest: &mut Vec<OsString>,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Option<Vec<OsString>>, BuilderError> {
    let context = |what| BuilderError::Context { place: tool.to_owned(), what };
    let folder = walk.positional.first().and_then(|&at| rest.get(at)).cloned().unwrap_or_else(|| ".".into());
    if folder == "-" {
        return Err(context("the context comes on stdin"));
    }
    if folder.to_str().is_some_and(guest_mount::is_remote) {
        return Err(context("the context is fetched by the builder itself, past the gateway"));
    }
    let folder = probe.cwd().join(&folder);
    let typed: Vec<&Flag> = walk.named(&["file", "f"]).filter(|flag| flag.value.is_some()).collect();
    if typed.is_empty() {
        // Each looks for the first of its two.
        let names: &[&str] = if tool.starts_with("docker") || tool.starts_with("buildx") {
            &["Dockerfile", "dockerfile"]
        } else {
            &["Containerfile", "Dockerfile"]
        };
        let found = names.iter().find(|name| probe.exists(&folder.join(name))).unwrap_or(&"Dockerfile");
        let path = folder.join(found);
        let (text, ignore) = (guest_mount::read(&path, probe)?, guest_mount::ignore_of(&path, probe)?);
        return Ok(match guest_mount::mount(tool, found, &text, ignore, lending, plan, true)? {
            Mounted::Nothing => {
                plan.warnings.push(nothing(tool));
                None
            }
            Mounted::AsWritten => Some(Vec::new()),
            Mounted::Copy(copy) => Some(vec!["--file".into(), copy.into()]),
        });
    }
    let mut any = false;
    // Docker reads the last `-f`, podman and buildah read all. From the back, as above.
    for flag in typed.into_iter().rev() {
        let value = flag.value.as_deref().unwrap_or_default();
        let name = value.to_string_lossy().into_owned();
        let (text, ignore) = if value == "-" {
            (probe.stdin().map_err(BuilderError::Stdin)?, None)
        } else if guest_mount::is_remote(&name) {
            return Err(context("the Dockerfile is fetched by the builder itself"));
        } else {
            let typed = probe.cwd().join(value);
            // podman and buildah look in the context too.
            let path = if probe.exists(&typed) { typed } else { folder.join(value) };
            (guest_mount::read(&path, probe)?, guest_mount::ignore_of(&path, probe)?)
        };
        let name = if value == "-" { "Dockerfile".to_owned() } else { name };
        let copy = match guest_mount::mount(tool, &name, &text, ignore, lending, plan, true)? {
            Mounted::Copy(copy) => Some(copy),
            Mounted::AsWritten => None,
            Mounted::Nothing => {
                keep_stdin(value, text, flag, rest, lending, plan);
                continue;
            }
        };
        any = true;
        match copy {
            Some(copy) => {
                let retyped = flags::retyped(flag, rest, copy.as_os_str());
                rest.splice(flag.at..flag.at + flag.width, retyped);
            }
            None => keep_stdin(value, text, flag, rest, lending, plan),
        }
    }
    if !any {
        plan.warnings.push(nothing(tool));
    }
    Ok(any.then(Vec::new))
}

/// A Dockerfile that was read from stdin and stays as it is goes on as a file.
fn keep_stdin(value: &OsStr, text: String, flag: &Flag, rest: &mut Vec<OsString>, lending: &Lending, plan: &mut Plan) {
    if value == "-" {
        let kept = lending.folder.join(format!("{}.Dockerfile", plan.files.len()));
        let retyped = flags::retyped(flag, rest, kept.as_os_str());
        rest.splice(flag.at..flag.at + flag.width, retyped);
        plan.files.push((kept, text));
    }
}

fn nothing(tool: &str) -> String {
    format!("{tool}: no step has --mount=type=ssh, so nothing is lent to any")
}
