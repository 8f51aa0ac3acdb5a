//! PURE: what the Go program that carries the tunnel, docker's client, is told about itself.
//!
//! Every answer of the gateway passes through it whole. With two processors its threads and its
//! collection of garbage take the time that git and the engine need: a 200 MB clone takes a tenth
//! less time with these two.

use std::ffi::OsString;

use super::flags::Walk;
use super::{Lending, Probe};

/// Where there are more processors, the client has one for itself.
const FEW_PROCESSORS: usize = 2;
/// <https://pkg.go.dev/runtime#hdr-Environment_Variables>
const SETTINGS: [(&str, &str); 2] = [("GOMAXPROCS", "1"), ("GOGC", "400")];

/// The variables to set for a `docker build` through the gateway. None where the person set one,
/// or where the build takes its own argument of that name out of the environment. Not for
/// Compose, which can hand its environment on to containers.
pub(super) fn settings(walk: &Walk, lending: &Lending, probe: &dyn Probe) -> Vec<(OsString, OsString)> {
    let own = |name: &str| {
        let flags = walk.named(&["build-arg"]);
        let mut arguments = flags.filter_map(|flag| flag.value.as_deref());
        probe.var(name).is_some() || arguments.any(|argument| argument.to_str() == Some(name))
    };
    if lending.guest.is_none() || probe.processors() > FEW_PROCESSORS || SETTINGS.iter().any(|(name, _)| own(name)) {
        return Vec::new();
    }
    SETTINGS.map(|(name, value)| (name.into(), value.into())).to_vec()
}
