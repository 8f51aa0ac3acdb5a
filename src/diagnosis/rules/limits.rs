//! The time limit or the budget was over before the build was.

use super::super::scene::Scene;
use super::super::{Certainty, Diagnosis};
use crate::decision_log::Cause;

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let facts = scene.facts;
    let mut told = Vec::new();
    let refused = |cause| facts.refusals.iter().find(|refusal| refusal.cause == cause);
    let expired = refused(Cause::TimeLimit);
    if expired.is_some() || facts.ended_early() {
        // A command that went on by itself and did well needed nothing more.
        let certainty = match (expired.is_some(), facts.failed()) {
            (true, _) => Certainty::Certain,
            (false, true) => Certainty::Likely,
            (false, false) => Certainty::Possible,
        };
        let mut seen = vec![format!("the lease took {} s", facts.duration_ms / 1000)];
        seen.extend(expired.map(super::super::Refused::seen));
        seen.extend(facts.ended_early().then(|| "it ended at its time limit, before the command did".into()));
        told.push(Diagnosis {
            id: "time-limit",
            certainty,
            says: "the time limit of the lease was over before the build was".into(),
            seen,
            remedy: "give it more time: --time-limit 2h, or `time_limit` in valetkey.toml".into(),
        });
    }
    if let Some(refusal) = refused(Cause::Budget) {
        told.push(Diagnosis {
            id: "budget",
            certainty: Certainty::Certain,
            says: "the build logged in more often than the grant allows".into(),
            seen: vec![refusal.seen()],
            remedy: "raise it with --max-signatures, or `max_signatures` in the [[grant]]; a build that clones each dependency by itself needs one for each".into(),
        });
    }
    told
}
