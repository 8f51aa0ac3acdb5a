//! How much the encodings of one window may decode to. What is over it is not looked at, and a
//! finding says so.

use std::cell::Cell;

use super::MAX_DECODED;
use crate::audit::finding::{Found, Severity};

/// The rule's id of what was not decoded, which is nothing found, and not all read.
pub(in crate::audit) const LIMIT_RULE: &str = "encoded-limit";

/// What the encodings of one window have decoded to.
pub(in crate::audit) struct Budget {
    left: Cell<usize>,
    cut: Cell<bool>,
}

impl Budget {
    /// Of so many bytes.
    pub(in crate::audit) fn new(bytes: usize) -> Self {
        Self { left: Cell::new(bytes), cut: Cell::new(false) }
    }

    /// Whether so many bytes more may be looked at.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or_default());
        self.cut.set(self.cut.get() || left.is_none());
        left.is_some()
    }

    /// Says that something was cut off.
    pub(super) fn exceed(&self) {
        self.cut.set(true);
    }

    /// The finding that says so, if something was not decoded.
    pub(in crate::audit) fn finding(&self, at: usize) -> Option<Found> {
        self.cut.get().then(|| Found {
            rule: LIMIT_RULE,
            severity: Severity::Warning,
            message: format!(
                "what is encoded here decodes to more than {} MiB and was not all read",
                MAX_DECODED >> 20
            ),
            remedy: "take this file out of the image, or look at what it decodes to",
            at,
            length: 0,
            wrapped: Vec::new(),
            key: None,
        })
    }
}
