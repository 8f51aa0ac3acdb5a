//! The server could not be reached: nothing that was lent has to do with it.

use super::super::scene::Scene;
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};
use crate::decision_log::Cause;

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let refusals = scene.facts.refusals.iter().filter(|refusal| refusal.cause == Cause::Unreachable);
    let refused = refusals.map(|refusal| diagnosis("the server", refusal.reason.clone(), refusal.hint.clone()));
    let signs = scene.signs(&[Kind::Unreachable]);
    let seen =
        signs.map(|(sign, _)| diagnosis(sign.about.as_deref().unwrap_or("the server"), sign.kind.seen().into(), None));
    refused.chain(seen).collect()
}

fn diagnosis(server: &str, seen: String, remedy: Option<String>) -> Diagnosis {
    Diagnosis {
        id: "unreachable",
        certainty: Certainty::Certain,
        says: format!("{server} could not be reached"),
        seen: vec![seen],
        remedy: remedy.unwrap_or_else(|| "check its name and port, and that the build has a network to it".into()),
    }
}
