//! Host keys: pins, known_hosts lines, the status of a key that a server showed.
//!
//! Everything a decision needs is pure: [`name`], [`pattern`], [`known_hosts`], [`fingerprint`],
//! [`certificate`], [`signature`] and [`pins`] know no clock, file or socket; time comes in as
//! unix seconds. Files are [`load`]'s and [`store`]'s, connections are [`probe`]'s and [`transport`]'s.
//!
//! Refuses to decode a key blob that a client sent: blobs are compared byte for byte, and the
//! one format that has to be looked into (a host certificate) has a bounded parser of its own.

pub mod certificate;
pub mod entry;
pub mod fingerprint;
pub mod known_hosts;
pub mod listed;
pub mod load;
pub mod name;
pub mod pattern;
pub mod pins;
pub mod probe;
mod render;
pub mod signature;
pub mod store;
pub mod stored;
pub mod transport;

pub use entry::{PinEntry, PinError, PinnedKey};
pub use fingerprint::Fingerprint;
pub use listed::Listed;
pub use load::{LoadError, load};
pub use name::{HostName, NameError};
pub use pins::{Hosts, Source};

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

/// Whether a host can put its key into the data that a login signs
/// (`publickey-hostbound-v00@openssh.com`, OpenSSH's PROTOCOL section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binds {
    /// It announces the extension, so an unbound login is refused.
    Yes,
    /// It cannot: a login at this host never shows which host it is for.
    No,
    /// Nobody looked. Treated as `Yes`: the safe reading.
    #[default]
    Unknown,
}

impl Binds {
    /// The word used in a pin's comment (`binds=yes`) and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// Reads `binds=yes|no` out of a known_hosts comment; anything else is `Unknown`.
    #[must_use]
    pub fn of_comment(comment: &str) -> Self {
        let word = comment.split_ascii_whitespace().find_map(|word| word.strip_prefix("binds="));
        match word {
            Some("yes") => Self::Yes,
            Some("no") => Self::No,
            _ => Self::Unknown,
        }
    }
}
