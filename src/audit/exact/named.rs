//! Keys of which only the public half is known (`--for SHA256:…`): what other rules found and
//! could tell the fingerprint of is marked.

use std::collections::BTreeSet;

use super::RULE;
use crate::audit::finding::{Found, Severity};

/// Fingerprints that were named.
#[derive(Clone, Debug, Default)]
pub struct Named(BTreeSet<String>);

impl Named {
    /// Of these, as `ssh-add -l` prints them: `SHA256:…`.
    #[must_use]
    pub fn new(fingerprints: impl IntoIterator<Item = String>) -> Self {
        Self(fingerprints.into_iter().map(|one| one.trim_end_matches('=').to_owned()).collect())
    }

    /// Makes a finding of a named key one of the rule `lent-key`. Gives whether it is one. An
    /// encrypted key is one as well: its public half tells.
    pub fn mark(&self, found: &mut Found) -> bool {
        let Some(key) = &found.key else { return false };
        let Some(fingerprint) = key.fingerprint.as_deref().map(|one| one.trim_end_matches('=')) else { return false };
        if !self.0.contains(fingerprint) {
            return false;
        }
        if found.rule != RULE {
            let encrypted = if key.encrypted { ", encrypted with a passphrase" } else { "" };
            found.message = format!("this is {fingerprint}, a key that was lent or named{encrypted}");
            found.rule = RULE;
            found.severity = Severity::Error;
        }
        true
    }
}
