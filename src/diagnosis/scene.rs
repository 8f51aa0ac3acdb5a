//! PURE: the facts, with each sign beside the step that it came from.

use super::facts::{Facts, Recipe};
use super::sign::{Kind, Sign};
use crate::builder::steps::Step;

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) step: &'a Step,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of {}", self.step.line, self.recipe.path)
    }
}

/// How a step stands to the agent's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach<'a> {
    /// It has no ssh mount.
    NoMount(Place<'a>),
    /// It has one that its user cannot connect to.
    Closed(Place<'a>),
    /// It has one.
    Open(Place<'a>),
    /// Which step it is cannot be told.
    Unknown,
}

/// What the rules look at.
pub(super) struct Scene<'a> {
    pub(super) facts: &'a Facts,
    signs: Vec<(&'a Sign, Option<Place<'a>>)>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        let signs = facts.signs.iter().map(|sign| (sign, place_of(sign, &facts.recipes)));
        Self { facts, signs: signs.collect() }
    }

    /// The signs of these kinds, with their steps.
    pub(super) fn signs(&self, kinds: &'static [Kind]) -> impl Iterator<Item = (&'a Sign, Option<Place<'a>>)> + '_ {
        self.signs.iter().filter(|(sign, _)| kinds.contains(&sign.kind)).copied()
    }

    /// Whether there is one of these kinds.
    pub(super) fn has(&self, kinds: &'static [Kind]) -> bool {
        self.signs(kinds).next().is_some()
    }

    /// Whether no sign of another kind is about access.
    pub(super) fn has_no_other(&self, kind: Kind) -> bool {
        self.signs.iter().all(|(sign, _)| sign.kind == kind || !sign.kind.is_access())
    }

    /// Whether any sign is about access to a server.
    pub(super) fn has_access_sign(&self) -> bool {
        self.signs.iter().any(|(sign, _)| sign.kind.is_access())
    }

    /// All steps, with their Dockerfiles.
    pub(super) fn steps(&self) -> impl Iterator<Item = Place<'a>> + '_ {
        let recipes = self.facts.recipes.iter();
        recipes.flat_map(|recipe| recipe.steps.steps.iter().map(move |step| Place { recipe, step }))
    }

    /// Whether all that was lent goes through the gateway.
    pub(super) fn by_gateway(&self) -> bool {
        self.facts.lending == "gateway"
    }
}

/// How the step stands to the socket.
pub(super) fn reach(place: Option<Place<'_>>) -> Reach<'_> {
    match place {
        None => Reach::Unknown,
        Some(place) if place.step.ssh.is_empty() => Reach::NoMount(place),
        Some(place) if place.step.is_closed() => Reach::Closed(place),
        Some(place) => Reach::Open(place),
    }
}

/// The one step that a sign may be from; none where several may be.
fn place_of<'a>(sign: &Sign, recipes: &'a [Recipe]) -> Option<Place<'a>> {
    let all = recipes.iter().flat_map(|recipe| recipe.steps.steps.iter().map(move |step| Place { recipe, step }));
    let mut found: Vec<Place<'a>> = if let Some((name, line)) = &sign.line {
        all.filter(|place| place.step.line == *line && is_file(&place.recipe.path, name)).collect()
    } else {
        let name = sign.step.as_ref()?;
        let numbers = |step: &Step| if name.counts_all { step.instruction } else { step.layer };
        // Builds at the same time share steps in BuildKit, and the first one's numbers with them.
        let fits = |step: &Step| numbers(step) == (name.at, name.of) && step.ssh.is_empty() != name.has_ssh;
        let mut found: Vec<Place<'a>> = all.filter(|place| fits(place.step)).collect();
        // Each word may be a service's, a platform's or a stage's: where one fits, it tells.
        let mut hold = |fits: &dyn Fn(&Place<'_>) -> bool| {
            if found.iter().any(fits) {
                found.retain(|place| fits(place));
            }
        };
        if let Some(first) = name.stage.first() {
            hold(&|place| place.recipe.target.as_ref() == Some(first));
        }
        if let Some(last) = name.stage.last() {
            hold(&|place| place.step.stage.eq_ignore_ascii_case(last));
        }
        found
    };
    // Two services may have one Dockerfile.
    found.dedup_by(|a, b| a.recipe.path == b.recipe.path && a.step.line == b.step.line);
    match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Whether a builder that shows `name` means the Dockerfile at `path`. A copy with the guest has its
/// number in front of its name.
fn is_file(path: &str, name: &str) -> bool {
    let base = path.rsplit('/').next().unwrap_or(path);
    let bare = name.split_once('.').filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    base == name || bare.is_some_and(|(_, bare)| bare == base)
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::facts;
    use super::super::watch::Watch;
    use super::*;

    fn line_of(facts: &Facts, output: &str) -> Vec<Option<usize>> {
        let mut watch = Watch::default();
        watch.see(output.as_bytes());
        watch.finish().all.iter().map(|sign| place_of(sign, &facts.recipes).map(|place| place.step.line)).collect()
    }

    #[test]
    fn a_sign_is_traced_to_the_line_of_its_step() {
        let facts = facts("FROM x AS base\nRUN a\nFROM base\nUSER app\nRUN b\nRUN c\n");
        for (output, lines) in [
            ("#7 [base 2/2] RUN a\n#7 0.1 ssh: not found", vec![Some(2)]),
            ("#7 [stage-1 2/2] RUN c\n#7 0.1 ssh: not found", vec![Some(6)]),
            ("#7 [app stage-1 1/2] RUN b\n#7 0.1 ssh: not found", vec![Some(5)]),
            // An ONBUILD of the base image makes other numbers.
            ("#7 [stage-1 2/3] RUN c\n#7 0.1 ssh: not found", vec![None]),
            // Of another build, which has the step in another place.
            ("#7 [base 2/2] RUN --mount=type=ssh a\n#7 0.1 ssh: not found", vec![None]),
            ("ssh: not found", vec![None]),
            ("0.Dockerfile:5\n--------------------\n", vec![Some(5)]),
            ("Dockerfile:6\n--------------------\n", vec![Some(6)]),
            ("other.Dockerfile:5\n--------------------\n", vec![None]),
            ("[2/2] STEP 3/4: RUN b\nssh: not found", vec![Some(5)]),
        ] {
            assert_eq!(line_of(&facts, output), lines, "{output}");
        }
    }

    #[test]
    fn a_number_that_two_dockerfiles_have_tells_nothing() {
        let mut facts = facts("FROM x\nRUN a\n");
        let output = "#7 [app 2/2] RUN a\n#7 0.1 ssh: not found";
        assert_eq!(line_of(&facts, output), [Some(2)]);
        let mut second = facts.recipes[0].clone();
        second.path = "other/Dockerfile".into();
        second.target = Some("lib".into());
        facts.recipes.push(second.clone());
        assert_eq!(line_of(&facts, output), [None]);
        // But for a name, or where both are one.
        facts.recipes[0].target = Some("app".into());
        assert_eq!(line_of(&facts, output), [Some(2)]);
        second.path = "Dockerfile".into();
        (facts.recipes[1], facts.recipes[0].target) = (second, None);
        assert_eq!(line_of(&facts, output), [Some(2)]);
    }
}
