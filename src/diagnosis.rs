//! Why a build did not get what it was lent: from facts of the last lease to diagnoses. PURE.
//!
//! Owns the facts, the signs that are looked for in a build's output, and the rules, a file for
//! each kind. Refuses to guess silently: every diagnosis says how certain it is and what was seen.

mod facts;
mod progress;
mod rules;
mod scene;
mod sign;
mod watch;

use serde::Serialize;

pub use facts::{Around, FORMAT, Facts, FactsError, MAX_RECIPES, MAX_RECORD, Recipe, Refused, Watched};
pub use progress::StepName;
pub use sign::{Kind, MAX_SIGNS, Sign};
pub use watch::{Signs, Watch};

use scene::Scene;

/// How certain a diagnosis is; the more certain is the lesser one, and comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// What was seen has no other cause.
    Certain,
    /// What was seen has other causes too, which are rarer.
    Likely,
    /// Nothing speaks against it.
    Possible,
}

impl std::fmt::Display for Certainty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        })
    }
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// A word for machines.
    pub id: &'static str,
    /// How certain it is.
    pub certainty: Certainty,
    /// One sentence, in lower case, without a full stop.
    pub says: String,
    /// What was seen.
    pub seen: Vec<String>,
    /// What to do.
    pub remedy: String,
}

/// Everything that the facts speak for, the most certain first.
#[must_use]
pub fn explain(facts: &Facts) -> Vec<Diagnosis> {
    let scene = Scene::new(facts);
    let mut found: Vec<Diagnosis> = Vec::new();
    for rule in rules::RULES {
        for diagnosis in rule(&scene) {
            if !found.iter().any(|known| known.id == diagnosis.id && known.says == diagnosis.says) {
                found.push(diagnosis);
            }
        }
    }
    if found.iter().all(|diagnosis| diagnosis.id == rules::CACHED) {
        found.extend(rules::nothing_asked(&scene));
    }
    found.sort_by_key(|diagnosis| diagnosis.certainty);
    found
}

/// The one line that `run` ends with where the command failed and what was lent may have to do with
/// it: after a refusal, a sign, or without a single login.
#[must_use]
pub fn line(facts: &Facts) -> Option<String> {
    let is_about_access =
        !facts.refusals.is_empty() || facts.is_silent() || Scene::new(facts).has_access_sign() || facts.ended_early();
    // A signal is somebody's will.
    let signals = crate::exit::of_signal(1)..=crate::exit::of_signal(64);
    let is_cancelled = facts.exit_code.is_some_and(|code| signals.contains(&code));
    if !(facts.lends && facts.failed() && is_about_access) || is_cancelled {
        return None;
    }
    let first = explain(facts).into_iter().find(|diagnosis| diagnosis.id != rules::CACHED)?;
    let perhaps =
        if first.certainty == Certainty::Possible && first.id != rules::NOTHING_ASKED { "perhaps " } else { "" };
    Some(format!("{perhaps}{}; \"valetkey doctor --last\" says more", first.says))
}

#[cfg(test)]
mod tests;
