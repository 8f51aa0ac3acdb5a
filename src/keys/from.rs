//! What a grant's key comes from: one source, several that are tried in order, or a certificate
//! that is issued for the lease.
//!
//! Owns the order. The next one is tried only where a source is not there at all; one that is
//! there and of no use stops everything, so that a wrong passphrase or a locked keychain never
//! has another key lent in silence.

use super::issue::Issue;
use super::{KeyError, KeySource, LoadEnv, Loaded, Reason, load};

/// The most sources of one key.
pub const MAX_SOURCES: usize = 8;

/// What a grant's key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// The first of these that is there. Never empty.
    Sources(Vec<KeySource>),
    /// A key of its own with a certificate.
    Certificate(Issue),
}

impl From<KeySource> for KeyFrom {
    fn from(source: KeySource) -> Self {
        Self::Sources(vec![source])
    }
}

impl std::fmt::Display for KeyFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sources(sources) => {
                let words: Vec<String> = sources.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(" or "))
            }
            Self::Certificate(issue) => issue.fmt(f),
        }
    }
}

impl KeyFrom {
    /// The environment variables to take from the child, whichever source is used.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Sources(sources) => sources.iter().flat_map(KeySource::variables).collect(),
            Self::Certificate(issue) => issue.ca().variables(),
        }
    }

    /// Loads what is lent, and says from where it came.
    ///
    /// # Errors
    /// When none of the sources is there, or the first that is there holds no usable key.
    pub fn load(&self, env: &mut LoadEnv<'_>) -> Result<(Loaded, String), KeyError> {
        match self {
            Self::Sources(sources) => first(sources, env),
            Self::Certificate(issue) => match issue.load(env) {
                Ok(loaded) => Ok((loaded, self.to_string())),
                Err(reason) => Err(KeyError { from: issue.ca().to_string(), reason }),
            },
        }
    }
}

fn first(sources: &[KeySource], env: &mut LoadEnv<'_>) -> Result<(Loaded, String), KeyError> {
    let mut absent = Vec::new();
    for source in sources {
        match load(source, env) {
            Ok(loaded) => return Ok((loaded, source.to_string())),
            Err(error) if error.reason.is_absent() => absent.push(error),
            Err(error) => return Err(error),
        }
    }
    match absent.len() {
        1 => Err(absent.remove(0)),
        _ => Err(KeyError { from: KeyFrom::Sources(sources.to_vec()).to_string(), reason: Reason::NoneThere(absent) }),
    }
}
