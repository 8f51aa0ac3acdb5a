//! The step that fetches has no ssh mount.

use super::super::scene::{Place, Reach, Scene, reach};
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};

/// What a step says that has no agent.
const WITHOUT_AGENT: &[Kind] = &[
    Kind::LoginRefused,
    Kind::HostUnknown,
    Kind::NoAgent,
    Kind::CargoGit,
    Kind::CargoHost,
    Kind::NoSsh,
    Kind::GuestWithoutMount,
];
/// Steps that are named without a sign.
const MAX_NAMED: usize = 3;

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let facts = scene.facts;
    let mut told = Vec::new();
    for (sign, place) in scene.signs(WITHOUT_AGENT) {
        match (reach(place), sign.kind) {
            (Reach::NoMount(place), _) => {
                told.push(of_step(place, Certainty::Certain, vec![sign.kind.seen().into()]));
            }
            (Reach::Unknown, Kind::GuestWithoutMount) => told.push(Diagnosis {
                id: "no-mount",
                certainty: Certainty::Certain,
                says: "a step that runs ssh has no ssh mount".into(),
                seen: vec![sign.kind.seen().into()],
                remedy: REMEDY.into(),
            }),
            _ => {}
        }
    }
    if !told.is_empty() || !facts.failed() || !facts.is_silent() || facts.asked > 0 {
        return told;
    }
    for (sign, place) in scene.signs(&[Kind::StepFailed]) {
        if let Reach::NoMount(place) = reach(place)
            && !place.step.tools.is_empty()
            && !scene.has_access_sign()
        {
            told.push(of_step(place, Certainty::Possible, vec![sign.kind.seen().into(), super::asked(scene)]));
        }
    }
    // Nothing was seen: what the Dockerfiles say alone.
    if told.is_empty() && facts.signs.is_empty() {
        let bare = scene.steps().filter(|place| place.step.ssh.is_empty() && !place.step.tools.is_empty());
        let none_has = scene.steps().all(|place| place.step.ssh.is_empty());
        let certainty = if none_has { Certainty::Likely } else { Certainty::Possible };
        told.extend(bare.take(MAX_NAMED).map(|place| of_step(place, certainty, vec![super::asked(scene)])));
    }
    told
}

const REMEDY: &str = "begin it with RUN --mount=type=ssh,required=true";

fn of_step(place: Place<'_>, certainty: Certainty, mut seen: Vec<String>) -> Diagnosis {
    seen.push(format!("the RUN on {place} has no --mount=type=ssh"));
    Diagnosis {
        id: "no-mount",
        certainty,
        says: format!("the step on {place} has no ssh mount"),
        seen,
        remedy: REMEDY.into(),
    }
}
