//! `cert = { ca = …, principals = […] }`: a key that is made for one lease, and a certificate for
//! it from an authority whose key is read, used once and dropped.
//!
//! Owns the fresh key and what the certificate says. Refuses to issue one for everybody (no
//! principals) or for longer than a day. Only the certificate is offered: the key by itself is
//! let in nowhere.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::exit::Code;
use crate::signer::{self, Identity, Parts, RSA_SHA2_512, SignError};
use crate::ui::Explain;
use crate::wire::certificate::Unsigned;
use crate::wire::key_type;

use super::certificate::plain;
use super::{KeySource, LoadEnv, Loaded, Reason, load};

/// How long a certificate is valid where nothing was said.
pub const DEFAULT_VALID: Duration = Duration::from_secs(10 * 60);
/// How long it may be valid at most: no lease is longer.
pub const MAX_VALID: Duration = Duration::from_secs(24 * 60 * 60);
/// How far it begins in the past: a server's clock may be behind ours.
pub const SKEW: Duration = Duration::from_secs(60);
/// The most names that one is for.
pub const MAX_PRINCIPALS: usize = 16;
/// The most extensions in one.
pub const MAX_EXTENSIONS: usize = 16;
/// The most bytes of a name or a value in one.
pub const MAX_TEXT: usize = 255;

/// A certificate as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    ca: KeySource,
    principals: Vec<String>,
    valid: Duration,
    extensions: BTreeMap<String, String>,
}

/// Why a certificate is not issued, or was asked for in vain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// None, or more than [`MAX_PRINCIPALS`].
    #[error("a certificate is for 1 to {MAX_PRINCIPALS} principals")]
    Principals,
    /// More than [`MAX_EXTENSIONS`].
    #[error("a certificate has at most {MAX_EXTENSIONS} extensions")]
    Extensions,
    /// Empty, too long, or with control characters.
    #[error("the names and values in a certificate have 1 to {MAX_TEXT} bytes and no control characters")]
    Text,
    /// Longer than [`MAX_VALID`].
    #[error("a certificate is valid for at most {} hours", MAX_VALID.as_secs() / 3600)]
    Valid,
    /// Not one key (how many).
    #[error("the authority is one key, and {0} are there")]
    Keys(usize),
    /// It did not sign.
    #[error("the authority's key did not sign: {0}")]
    Sign(#[from] SignError),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// The clock is before 1970, or the end of the certificate is past all time.
    #[error("the clock of this machine is wrong")]
    Clock,
}

impl Explain for IssueError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Principals | Self::Extensions | Self::Text | Self::Valid => {
                    "cert = { ca = \"keychain:ca\", principals = [\"git\"], valid = \"10m\" }"
                }
                Self::Keys(_) => "name the one that signs: agent:SHA256:… or a file of its own",
                Self::Sign(_) => "check that the agent may sign with it without a question",
                Self::Random | Self::Clock => "check this machine",
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

impl Issue {
    /// A certificate by the key that `ca` names.
    ///
    /// # Errors
    /// When it would be for nobody in particular, for too long, or hold what no server takes.
    pub fn new(
        ca: KeySource,
        principals: Vec<String>,
        valid: Duration,
        extensions: BTreeMap<String, String>,
    ) -> Result<Self, IssueError> {
        let is_text = |text: &String| text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
        let is_name = |text: &String| !text.is_empty() && is_text(text);
        if principals.is_empty() || principals.len() > MAX_PRINCIPALS {
            return Err(IssueError::Principals);
        }
        if extensions.len() > MAX_EXTENSIONS {
            return Err(IssueError::Extensions);
        }
        let named = principals.iter().chain(extensions.keys()).all(is_name);
        if !named || !extensions.values().all(is_text) {
            return Err(IssueError::Text);
        }
        if valid > MAX_VALID {
            return Err(IssueError::Valid);
        }
        Ok(Self { ca, principals, valid, extensions })
    }

    /// Where the authority's key is.
    #[must_use]
    pub fn ca(&self) -> &KeySource {
        &self.ca
    }

    /// Makes a key, and has the authority's sign for it.
    pub(super) fn load(&self, env: &mut LoadEnv<'_>) -> Result<Loaded, Reason> {
        let loaded = load::from(&self.ca, env)?;
        // A certificate beside the authority's key is for its own logins.
        let mut keys = loaded.identities.into_iter().filter(|identity| plain(&identity.blob).is_none());
        let authority = match (keys.next(), keys.count()) {
            (Some(authority), 0) => authority,
            (first, more) => return Err(IssueError::Keys(usize::from(first.is_some()) + more).into()),
        };
        let identity = self.issue(&authority, env)?;
        Ok(Loaded { identities: vec![identity], warnings: Vec::new() })
    }

    fn issue(&self, authority: &Identity, env: &mut LoadEnv<'_>) -> Result<Identity, Reason> {
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut *seed)?;
        let parts = Parts::Ed25519 { seed, public: None };
        let key = signer::build(&parts).map_err(super::Rejected::from)?;
        if let Some(kept) = &mut env.kept {
            kept.push(parts);
        }
        // Behind the name of its type and two lengths.
        let public = key.blob.last_chunk().copied().ok_or(IssueError::Random)?;
        let (mut nonce, mut serial) = ([0; 32], [0; 8]);
        random(&mut nonce)?;
        random(&mut serial)?;
        let now = (env.clock)();
        let seconds = |time: Option<SystemTime>| {
            let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            since.map(|since| since.as_secs()).ok_or(IssueError::Clock)
        };
        let principals = self.principals.join(", ");
        let comment = format!("valetkey: {principals}");
        let unsigned = Unsigned {
            nonce,
            public,
            serial: u64::from_be_bytes(serial),
            key_id: &comment,
            principals: &self.principals,
            after: seconds(now.checked_sub(SKEW))?,
            before: seconds(now.checked_add(self.valid))?,
            extensions: &self.extensions,
            authority: &authority.blob,
        };
        let flags = if key_type(&authority.blob) == Some("ssh-rsa") { RSA_SHA2_512 } else { 0 };
        let blob = unsigned.signed(|bytes| authority.signer.sign(bytes, flags)).map_err(IssueError::Sign)?;
        Ok(Identity { blob, comment, signer: key.signer })
    }
}

impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a certificate by {}", self.ca)
    }
}

fn random(bytes: &mut [u8]) -> Result<(), IssueError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| IssueError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(principals: usize, name: usize, valid: u64, extensions: usize, value: usize) -> Result<Issue, IssueError> {
        let principals = vec!["n".repeat(name); principals];
        let extensions = (0..extensions).map(|at| (format!("e{at}"), "v".repeat(value))).collect();
        Issue::new(KeySource::Stdin, principals, Duration::from_secs(valid), extensions)
    }

    #[test]
    fn what_is_in_a_certificate_ends_at_its_limits() {
        let most = MAX_VALID.as_secs();
        assert!(issue(MAX_PRINCIPALS, MAX_TEXT, most, MAX_EXTENSIONS, MAX_TEXT).is_ok());
        assert!(issue(1, 1, 1, 1, 0).is_ok());
        assert_eq!(issue(0, 1, 1, 0, 0), Err(IssueError::Principals));
        assert_eq!(issue(MAX_PRINCIPALS + 1, 1, 1, 0, 0), Err(IssueError::Principals));
        assert_eq!(issue(1, 0, 1, 0, 0), Err(IssueError::Text));
        assert_eq!(issue(1, MAX_TEXT + 1, 1, 0, 0), Err(IssueError::Text));
        assert_eq!(issue(1, 1, most + 1, 0, 0), Err(IssueError::Valid));
        assert_eq!(issue(1, 1, 1, MAX_EXTENSIONS + 1, 0), Err(IssueError::Extensions));
        assert_eq!(issue(1, 1, 1, 1, MAX_TEXT + 1), Err(IssueError::Text));
        for text in ["a\nb", "a\0", "\u{1b}[2J"] {
            let made = Issue::new(KeySource::Stdin, vec![text.to_owned()], DEFAULT_VALID, BTreeMap::new());
            assert_eq!(made, Err(IssueError::Text), "{text:?}");
        }
    }
}
