//! Host keys: pins, known_hosts lines, the status of a key that a server showed.

/// A host as known_hosts names it. Lower case; `port` is 22 where nothing was said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName {
    /// DNS name or address, lower case, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What a host key is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeyStatus {
    /// Pinned for this host.
    Match,
    /// Nothing is pinned for this host.
    New,
    /// Other keys are pinned for this host, and not this one.
    Changed,
    /// Never to be trusted again.
    Revoked,
}

/// The hosts that a grant covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostScope {
    /// Every host that is pinned: the built-in forges and what `--known-hosts` and `[[host]]` add.
    AllPinned,
    /// These hosts and no others.
    Only(Vec<HostName>),
}

/// Whose key a bound login's server key is, seen from a grant's scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    /// A pinned key of this host, which is in the scope. (For a hashed line that no name of
    /// the scope opens: the line's origin.)
    Granted(String),
    /// A pinned key of a host outside the scope.
    OtherHost(String),
    /// A revoked key, of this host where it is known.
    Revoked(String),
    /// No pin knows it.
    Unknown,
}
