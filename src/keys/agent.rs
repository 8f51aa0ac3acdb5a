//! `agent`, `agent:SHA256:…`, `agent:COMMENT`: keys that stay in the user's own agent.
//!
//! Owns the choice among what the agent lists. Blobs are opaque here: whatever kind of key the
//! agent signs with, security keys and certificates included, is lent as it is.

use crate::agent::upstream::{Upstream, UpstreamError};
use crate::signer::{Identity, fingerprint};

use super::AgentSelector;

/// The identities that a selector means, in the agent's order.
///
/// # Errors
/// When the agent cannot be asked, holds nothing, or nothing that was meant.
pub fn identities(upstream: &Upstream, selector: &AgentSelector) -> Result<Vec<Identity>, UpstreamError> {
    let listed = upstream.identities()?;
    let count = listed.len();
    let chosen: Vec<Identity> = match selector {
        AgentSelector::All => listed,
        AgentSelector::Fingerprint(wanted) => listed.into_iter().filter(|identity| is(identity, wanted)).collect(),
        AgentSelector::Comment(wanted) => listed.into_iter().filter(|identity| identity.comment == *wanted).collect(),
    };
    if !chosen.is_empty() {
        Ok(chosen)
    } else if count == 0 {
        Err(UpstreamError::Empty)
    } else if matches!(selector, AgentSelector::Fingerprint(_)) {
        Err(UpstreamError::NoSuchFingerprint(count))
    } else {
        Err(UpstreamError::NoSuchComment(count))
    }
}

/// `ssh-add -l` prints the fingerprint of the key for its certificate too, so a certificate
/// goes with its key here as well.
fn is(identity: &Identity, wanted: &str) -> bool {
    fingerprint(&identity.blob) == wanted
        || super::certificate::plain(&identity.blob).is_some_and(|plain| fingerprint(&plain) == wanted)
}
