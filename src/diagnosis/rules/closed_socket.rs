//! The step's user cannot connect to the socket: BuildKit gives it to root alone.

use super::super::scene::{Place, Reach, Scene, reach};
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};

/// What a step says that found no agent.
const WITHOUT_AGENT: &[Kind] = &[
    Kind::LoginRefused,
    Kind::HostUnknown,
    Kind::NoAgent,
    Kind::GuestAlone,
    Kind::CargoGit,
    Kind::CargoHost,
    Kind::NoSsh,
];

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let facts = scene.facts;
    let mut told = Vec::new();
    for (sign, place) in scene.signs(WITHOUT_AGENT) {
        let Reach::Closed(place) = reach(place) else { continue };
        let certainty = if facts.asked == 0 { Certainty::Certain } else { Certainty::Likely };
        told.push(diagnosis(place, certainty, vec![sign.kind.seen().into(), super::asked(scene)]));
    }
    if !told.is_empty() || !facts.failed() || facts.asked > 0 {
        return told;
    }
    // Without a sign: a step that failed and could not have asked, or might have.
    for (sign, place) in scene.signs(&[Kind::StepFailed]) {
        let Reach::Closed(place) = reach(place) else { continue };
        told.push(diagnosis(place, Certainty::Likely, vec![sign.kind.seen().into(), super::asked(scene)]));
    }
    if told.is_empty() && !scene.has(&[Kind::StepFailed]) {
        let closed = scene.steps().filter(|place| place.step.is_closed());
        told.extend(closed.map(|place| diagnosis(place, Certainty::Possible, vec![super::asked(scene)])));
    }
    told
}

fn diagnosis(place: Place<'_>, certainty: Certainty, mut seen: Vec<String>) -> Diagnosis {
    let user = place.step.user.as_deref().unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    seen.push(format!("the step runs as USER {user}, and its ssh mount is for others alone (mode 0600 of root, where it says nothing else)"));
    let uid = if name.parse::<u32>().is_ok() { name } else { "NUMBER" };
    Diagnosis {
        id: "closed-socket",
        certainty,
        says: format!("the step on {place} cannot open the agent's socket as user {name}"),
        seen,
        remedy: format!("mount it for that user: --mount=type=ssh,uid={uid},required=true"),
    }
}
