//! The step was cached, so it asked for nothing.

use super::super::scene::{Place, Scene};
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis, Watched};

/// Its id.
pub(in super::super) const CACHED: &str = "cached";

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let facts = scene.facts;
    // Of a build that failed it may be a part of the cause at most.
    let certainty = if facts.failed() { Certainty::Possible } else { Certainty::Certain };
    let signs = scene.signs(&[Kind::StepCached]);
    let mut told: Vec<Diagnosis> =
        signs.map(|(sign, place)| diagnosis(place, certainty, vec![sign.kind.seen().into()])).collect();
    // What nobody saw: a build that did well, has steps for what was lent, and used nothing.
    let is_unused = facts.exit_code == Some(0) && facts.is_silent() && facts.asked == 0 && facts.lends;
    if facts.signs.is_empty() && is_unused {
        let certainty = if facts.watched == Watched::All { Certainty::Possible } else { Certainty::Likely };
        let mounted = scene.steps().filter(|place| !place.step.ssh.is_empty());
        let seen = || vec!["the command did well".into(), super::asked(scene)];
        told.extend(mounted.map(|place| diagnosis(Some(place), certainty, seen())));
    }
    told
}

fn diagnosis(place: Option<Place<'_>>, certainty: Certainty, seen: Vec<String>) -> Diagnosis {
    let step = place.map_or_else(|| "a step with an ssh mount".into(), |place| format!("the step on {place}"));
    Diagnosis {
        id: CACHED,
        certainty,
        says: format!("{step} came from the build cache, and asked for nothing"),
        seen,
        remedy: "nothing is wrong with that; where it should fetch anew, build with --no-cache, or let an ARG in front of it change".into(),
    }
}
