//! A step asks for an ssh id under which nothing was lent.

use super::super::scene::Scene;
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let signs = scene.signs(&[Kind::NotForwarded]);
    let told = signs.map(|(sign, _)| {
        let id = sign.about.as_deref().unwrap_or("default");
        let mut ids: Vec<&str> = scene.facts.ids.iter().map(String::as_str).collect();
        ids.dedup();
        let lent = if ids.is_empty() { "nothing".into() } else { format!("lent was {}", ids.join(", ")) };
        Diagnosis {
            id: "not-forwarded",
            certainty: Certainty::Certain,
            says: format!("a step asks for the ssh id {id:?}, under which nothing was lent"),
            seen: vec![sign.kind.seen().into(), lent],
            remedy: format!("lend a key under it (--key {id}=SOURCE, or id = {id:?} in its [[grant]]), or take id={id} out of the step's mount"),
        }
    });
    told.collect()
}
