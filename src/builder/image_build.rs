//! What `docker build`, `docker buildx build`, `podman build` and `buildah build` have in
//! common: `--ssh` for each id of the lease, and the known_hosts lines as a secret.
//!
//! Ours go directly behind the verb, before whatever was typed, so that a typed `--` cannot
//! turn them into positional arguments.

use std::ffi::{OsStr, OsString};

use super::flags::{self, Table};
use super::{BuilderError, Lending, Plan, Split, specs};

/// The plan of an image build; one that lends nothing where only help was asked for.
pub(super) fn plan(tool: &str, split: Split<'_>, table: &Table, lending: &Lending) -> Result<Plan, BuilderError> {
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
    plan.args = split.before().to_vec();
    for value in specs::missing(lending, &ids)? {
        plan.args.extend([OsString::from("--ssh"), value.into()]);
    }
    if !typed_known_hosts {
        plan.args.extend([OsString::from("--secret"), specs::known_hosts(lending).into()]);
    }
    plan.args.append(&mut rest);
    Ok(plan)
}
