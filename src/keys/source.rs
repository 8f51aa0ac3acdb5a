//! What a person types to name a key: `keychain:NAME`, `env:NAME`, `file:PATH`, `stdin`,
//! `agent`, `agent:SHA256:…` or `agent:COMMENT`.

use std::path::PathBuf;

/// Which identity of the user's own agent is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentSelector {
    /// Every identity that the upstream agent lists.
    All,
    /// The one with this fingerprint (`SHA256:` and unpadded base64, as `ssh-add -l` prints it).
    Fingerprint(String),
    /// Those with exactly this comment.
    Comment(String),
}

/// Where a private key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// An entry of the OS keychain.
    Keychain(String),
    /// An environment variable; it is removed from the child's environment.
    Env(String),
    /// A file; a leading `~/` is the home folder.
    File(PathBuf),
    /// Standard input, read to its end before the child starts.
    Stdin,
    /// The user's own agent behind our policy.
    Agent(AgentSelector),
}
