//! The build asked for something that no grant names.

use super::super::scene::Scene;
use super::super::{Certainty, Diagnosis};
use crate::decision_log::Cause;

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let told = scene.facts.refusals.iter().filter_map(|refusal| {
        let (id, certainty, says) = match refusal.cause {
            Cause::NotGranted => (
                "not-granted",
                Certainty::Certain,
                "the build asked for a host, account or repository that is not granted",
            ),
            Cause::Unbound => {
                ("unbound", Certainty::Certain, "a login did not show to which host it goes, and was not signed")
            }
            Cause::Stranger => {
                ("stranger", Certainty::Likely, "a process that the lease is not for asked for what was lent")
            }
            // Clients send what valetkey does not answer, and go on without it.
            Cause::Other => ("refused", Certainty::Possible, "the build asked for something that is never answered"),
            _ => return None,
        };
        Some(Diagnosis {
            id,
            certainty,
            says: says.into(),
            seen: vec![refusal.seen()],
            remedy: refusal.hint.clone().unwrap_or_else(|| {
                "look at what asked for it: nothing that a clone needs is refused in this way".into()
            }),
        })
    });
    told.collect()
}
