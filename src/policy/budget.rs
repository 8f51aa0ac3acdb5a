//! What a lease has used up so far.

use std::time::Duration;

/// How much of its limits each grant has used. One value per lease, kept under one lock, so
/// that two requests cannot both take the last signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    signatures: Vec<u32>,
    /// Time since the lease began.
    pub elapsed: Duration,
}

impl Standing {
    /// Nothing used, for `grants` grants.
    #[must_use]
    pub fn new(grants: usize) -> Self {
        Self { signatures: vec![0; grants], elapsed: Duration::ZERO }
    }

    /// Signatures that the grant with this index has given.
    #[must_use]
    pub fn signatures(&self, grant: usize) -> u32 {
        self.signatures.get(grant).copied().unwrap_or(0)
    }

    /// Counts one signature, before it is made: a request that fails later is not refunded.
    pub fn take(&mut self, grant: usize) {
        if let Some(used) = self.signatures.get_mut(grant) {
            *used = used.saturating_add(1);
        }
    }
}
