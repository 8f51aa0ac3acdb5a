//! What a rule is: a family of things to look for, told when something of its kind may be there.
//!
//! Rules do not search: [`super::scan`] goes over the bytes once and says where a literal of
//! theirs begins, or where a long run of base64-like characters is. So adding a rule costs no
//! pass. Nor do they decode: what is wrapped in base64, hex, UTF-16, an array, a dump is taken
//! out by [`super::encoded`] and shown to every family as text of its own, one level deeper.
//! A family must say nothing about what it could not verify.

use std::ops::Range;

use super::finding::{Found, RuleInfo};

/// What a rule may look at.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// Bytes around the event, at least 64 KiB behind it where the stream has them.
    pub bytes: &'a [u8],
    /// Name of the file they are in, without folders; empty if not known.
    pub name: &'a [u8],
    /// How many encodings these bytes were taken out of: 0 in the file itself.
    pub depth: usize,
}

/// A family of rules.
pub trait Family: Send + Sync {
    /// Every rule of the family, for reports that list them all.
    fn rules(&self) -> Vec<RuleInfo> {
        Vec::new()
    }

    /// Byte strings of 3 bytes or more that begin (or are near) what it looks for. Few, and
    /// rare in ordinary files: up to 32 that are text are one fast search, and up to 32 with a
    /// control byte. Different in their first 4 bytes from what is common, because the search looks
    /// at those first. One that is nothing but text (printable ASCII, tabs, ends of lines) is looked
    /// for in text of 15 bytes or more alone: if it is shorter, what it stands for is longer.
    fn literals(&self) -> &[&[u8]] {
        &[]
    }

    /// Literals that are made at run time, and looked for everywhere; their indexes follow those
    /// of [`Self::literals`].
    /// Nothing that wipes itself keeps them: no more of a secret than a few bytes.
    fn made_literals(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// The literal with that index begins at `at`. Literals may lie inside of one another:
    /// each is told of.
    fn at_literal(&self, _index: usize, _at: usize, _text: &Text<'_>, _found: &mut Vec<Found>) {}

    /// A run of [`super::scan::MIN_RUN`] or more of the characters `A-Z a-z 0-9 + / = _ -`,
    /// whole unless it is cut by the end of `text`.
    fn at_run(&self, _run: Range<usize>, _text: &Text<'_>, _found: &mut Vec<Found>) {}

    /// `text` was taken out of an encoding and begins where that began: a key that has no
    /// literal of its own is told by its first bytes. What lies behind it may be no part of it.
    fn at_decoded(&self, _text: &Text<'_>, _found: &mut Vec<Found>) {}

    /// A whole file of up to 64 KiB, or the first 64 KiB of a longer one, whose name the family
    /// asked for in [`Self::names`].
    fn at_file(&self, _text: &Text<'_>, _found: &mut Vec<Found>) {}

    /// Whether it wants to see a file with that path (no leading slash).
    fn names(&self, _path: &[u8]) -> bool {
        false
    }
}

/// A family of one function that says which key begins a decoded buffer.
pub struct Recognise<F>(pub F);

impl<F: Fn(&[u8], &mut Vec<Found>) + Send + Sync> Family for Recognise<F> {
    fn at_decoded(&self, text: &Text<'_>, found: &mut Vec<Found>) {
        (self.0)(text.bytes, found);
    }
}
