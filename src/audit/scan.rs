//! One pass over the bytes, for all rules.
//!
//! A first look ([`survey`]) says what kinds of bytes are where; then the families' literals are
//! searched for where they may be ([`literals`]), and runs of base64-like characters ([`run`]),
//! UTF-16 and lists of numbers are taken out of what was seen. All together take about as long as
//! a digest of the same bytes, which an audit takes as well. What is encoded is taken out by
//! [`super::encoded`], and scanned in turn.

mod literals;
mod run;
pub(crate) mod survey;

use std::ops::Range;

use self::literals::{Literal, Literals, Place};
use self::run::runs;
pub use self::run::{MIN_RUN, in_run};
use self::survey::{BLOCK, Survey};
use super::encoded::{self, Budget, Hint, Hinted, Level, MAX_DECODED};
use super::exact::Named;
use super::finding::{Found, RuleInfo};
use super::rule::{Family, Text};

/// All rules of an audit.
pub struct Scanner {
    families: Vec<Box<dyn Family>>,
    literals: Literals<Owner>,
    named: Named,
}

/// Whose a literal is.
#[derive(Clone, Copy)]
enum Owner {
    /// A family's, and which of its literals.
    Family(usize, usize),
    /// That of the encodings.
    Encoded(Hint),
}

impl Scanner {
    /// Of these families.
    #[must_use]
    pub fn new(families: Vec<Box<dyn Family>>) -> Self {
        let mut literals: Vec<_> =
            encoded::literals().into_iter().map(|(literal, hint)| Literal::of(literal, Owner::Encoded(hint))).collect();
        for (family, rules) in families.iter().enumerate() {
            let fixed = rules.literals().iter().enumerate();
            let fixed = fixed.map(|(index, literal)| Literal::of(literal.to_vec(), Owner::Family(family, index)));
            let behind = rules.literals().len();
            let made = rules.made_literals().into_iter().enumerate();
            let made = made.map(|(index, bytes)| Literal {
                bytes,
                tag: Owner::Family(family, behind + index),
                place: Place::Anywhere,
            });
            literals.extend(fixed.chain(made));
        }
        Self { families, literals: Literals::new(literals), named: Named::default() }
    }

    /// With findings of these keys marked as what they are.
    #[must_use]
    pub fn naming(self, named: Named) -> Self {
        Self { named, ..self }
    }

    /// Every rule, in the order of the families.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleInfo> {
        self.families.iter().flat_map(|family| family.rules()).collect()
    }

    /// Everything that begins in the `fresh` part of `text`.
    pub fn scan(&self, text: &Text<'_>, fresh: Range<usize>, found: &mut Vec<Found>) {
        let budget = Budget::new(MAX_DECODED);
        let mut new = Vec::new();
        let start = fresh.start;
        Level { scanner: self, text, cut: start > 0, fresh, budget: &budget }.scan(&mut new);
        encoded::deduplicate(&mut new);
        new.extend(budget.finding(start));
        for found in &mut new {
            self.named.mark(found);
        }
        found.append(&mut new);
    }

    /// One level of [`Self::scan`].
    pub(super) fn level(&self, level: &Level<'_>, found: &mut Vec<Found>) {
        let (text, fresh) = (level.text, &level.fresh);
        let deeper = level.deeper();
        let mut hinted = Hinted::default();
        // What begins here may be told by what stands a little behind it, in another window's part.
        let near = (fresh.end + encoded::NEAR).min(text.bytes.len());
        let survey = Survey::of(text.bytes, near.saturating_add(2 * BLOCK));
        self.literals.each(text.bytes, fresh.start..near, &survey, |owner, at| match owner {
            Owner::Family(family, index) if at < fresh.end => {
                self.families[family].at_literal(index, at, text, found);
            }
            Owner::Encoded(hint) if deeper => level.hint(hint, at, &mut hinted, found),
            Owner::Family(..) | Owner::Encoded(_) => {}
        });
        let mut covered = 0;
        // From the beginning of what is shown: a text that goes on in the fresh part may begin
        // before it.
        runs(text.bytes, 0..near, &survey, |run| {
            if fresh.contains(&run.start) {
                for family in &self.families {
                    family.at_run(run.clone(), text, found);
                }
            }
            if deeper && run.end > covered {
                covered = level.run(&run, covered, found);
            }
        });
        if deeper {
            level.rest(&survey, found);
        }
    }

    /// Shows every family what begins a decoded text.
    pub(super) fn decoded(&self, text: &Text<'_>, found: &mut Vec<Found>) {
        for family in &self.families {
            family.at_decoded(text, found);
        }
    }

    /// Shows a file to the families that ask for its path.
    pub fn file(&self, path: &[u8], text: &Text<'_>, found: &mut Vec<Found>) {
        for family in &self.families {
            if family.names(path) {
                family.at_file(text, found);
            }
        }
    }
}
