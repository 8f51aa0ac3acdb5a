//! What is there on this machine and could be a key: identities of the user's own agent, names in
//! the keychain. Public halves and names only.

use std::time::Duration;

use crate::agent::upstream::Upstream;
use crate::keys::keychain::{Keychain as _, OsKeychain};
use crate::project::{Place, Reading};
use crate::signer::fingerprint;

/// How long the agent and the keychain may take each: they are asked for a proposal alone.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// What could be a key's source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Fingerprint and comment of each identity in the user's own agent.
    pub(super) identities: Vec<(String, String)>,
    /// Names of the entries that valetkey has in the keychain.
    pub(super) keychain: Vec<String>,
    /// Names of CI secrets, and where they stand.
    pub(super) ci_secrets: Vec<(Place, String)>,
}

/// Looks; nothing but CI secrets where a source was named. What does not answer has nothing.
pub(super) fn look(is_named: bool, reading: &Reading) -> Seen {
    if is_named {
        return Seen::default();
    }
    let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
    let agent = agent.map(|socket| Upstream::new(socket).with_time_limit(TIME_LIMIT));
    let identities = agent.and_then(|agent| agent.identities().ok()).unwrap_or_default();
    Seen {
        identities: identities.into_iter().map(|one| (fingerprint(&one.blob), one.comment)).collect(),
        // A list of names opens nothing, so nobody is asked to unlock it.
        keychain: OsKeychain::with_limit(TIME_LIMIT).list().unwrap_or_default(),
        ci_secrets: reading.ci_secrets.clone(),
    }
}
