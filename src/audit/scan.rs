//! One pass over the bytes, for all rules.
//!
//! Four searches: a packed one for the families' literals ([`literals`]), and three that look at
//! some bytes of each 20 or 32 only, because what they look for cannot hide between two looks:
//! runs of base64-like characters ([`run`]), UTF-16, lists of numbers. All are far faster than a
//! digest of the same bytes, which an audit takes as well. What is encoded is taken out by
//! [`super::encoded`], and scanned in turn.

mod literals;
mod run;

use std::ops::Range;

use self::literals::Literals;
pub use self::run::{MIN_RUN, in_run, runs};
use super::encoded::{self, Budget, Hint, Hinted, Level, MAX_DECODED};
use super::exact::Named;
use super::finding::Found;
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
            encoded::literals().into_iter().map(|(literal, hint)| (literal, Owner::Encoded(hint))).collect();
        for (family, rules) in families.iter().enumerate() {
            let fixed = rules.literals().iter().map(|literal| literal.to_vec());
            let all = fixed.chain(rules.made_literals()).enumerate();
            literals.extend(all.map(|(index, literal)| (literal, Owner::Family(family, index))));
        }
        Self { families, literals: Literals::new(literals), named: Named::default() }
    }

    /// With findings of these keys marked as what they are.
    #[must_use]
    pub fn naming(self, named: Named) -> Self {
        Self { named, ..self }
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
        self.literals.each(text.bytes, fresh.start..near, |owner, at| match owner {
            Owner::Family(family, index) if at < fresh.end => {
                self.families[family].at_literal(index, at, text, found);
            }
            Owner::Encoded(hint) if deeper => level.hint(hint, at, &mut hinted, found),
            Owner::Family(..) | Owner::Encoded(_) => {}
        });
        let mut covered = 0;
        // From the beginning of what is shown: a text that goes on in the fresh part may begin
        // before it.
        runs(text.bytes, 0..near, |run| {
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
            level.rest(found);
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
