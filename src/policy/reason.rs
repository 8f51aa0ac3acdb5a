//! Why a sign request was refused, as a person can act on it.

use crate::wire::userauth::NotALogin;

/// The reason for a refusal. `Display` is one line; [`Reason::hint`] says what to do. Text of
/// a client inside it is bounded and free of control characters ([`crate::wire::text::shown`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// No grant has this key.
    #[error("the key is not one that was lent")]
    KeyNotLent,
    /// The signed data is something else than a login.
    #[error("{0}")]
    NotALogin(NotALoginText),
    /// The login is made with another key than the one that was asked to sign.
    #[error("the login names another key than the one that was asked to sign")]
    KeyMismatch,
    /// A service other than `ssh-connection`.
    #[error("the login is for the service {0:?}, not for \"ssh-connection\"")]
    Service(String),
    /// SHA-1, or an algorithm that does not belong to the key.
    #[error("the signature algorithm {0:?} is not one that this key may use")]
    Algorithm(String),
    /// The login is as another user.
    #[error("the login is as user {user:?}; the grant is for {granted:?}")]
    User {
        /// The account that was asked for.
        user: String,
        /// The account of the grant.
        granted: String,
    },
    /// The login is to a host that is pinned and not granted.
    #[error("the login is to {0}, which is not granted")]
    OtherHost(String),
    /// The login is to a server whose host key nothing pins.
    #[error("the login is to a server with an unknown host key ({0})")]
    UnknownHost(String),
    /// The server showed a revoked host key.
    #[error("the server showed a revoked host key of {0}")]
    RevokedHostKey(String),
    /// The login does not say which host it is for, and the grant does not allow that.
    #[error("the login does not show its host, and every granted host can show it")]
    Unbound,
    /// All signatures are used up.
    #[error("the budget of {0} signatures is used up")]
    Budget(u32),
    /// The time limit is over.
    #[error("the time limit of {0} seconds is over")]
    Expired(u64),
}

/// [`NotALogin`] with what `Hash` and an owned reason need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotALoginText {
    /// See [`NotALogin::Sshsig`].
    #[error("a signature of a file or commit (SSHSIG) was asked for; only SSH logins are signed")]
    Sshsig,
    /// See [`NotALogin::Method`] and [`NotALogin::Malformed`].
    #[error("the data to sign is not an SSH login")]
    Other,
}

/// Whether a user's name can be typed as it is. It comes from inside the build, and a hint is
/// for a person to copy into a shell.
fn is_plain(user: &str) -> bool {
    !user.is_empty() && !user.starts_with('-') && user.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

impl From<NotALogin> for Reason {
    fn from(error: NotALogin) -> Self {
        Self::NotALogin(match error {
            NotALogin::Sshsig => NotALoginText::Sshsig,
            NotALogin::Method | NotALogin::Malformed(_) => NotALoginText::Other,
        })
    }
}

impl Reason {
    /// What a person can do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::User { user, .. } if is_plain(user) => {
                Some(format!("if the build should log in as {user}, run with --user {user}"))
            }
            Self::User { .. } => Some("if the build should log in as that user, name it with --user".into()),
            Self::OtherHost(host) => Some(format!("if the build needs it, run with --host {host}")),
            Self::UnknownHost(_) => {
                Some("pin the host once with `valetkey host add NAME`, then grant it with --host NAME".into())
            }
            Self::Unbound => Some(
                "if the server cannot bind logins to its host key, say so: `binds = false` in its [[host]] entry"
                    .into(),
            ),
            Self::Budget(_) => Some("raise it with --max-signatures".into()),
            Self::Expired(_) => Some("raise it with --time-limit".into()),
            Self::KeyNotLent
            | Self::NotALogin(_)
            | Self::KeyMismatch
            | Self::Service(_)
            | Self::Algorithm(_)
            | Self::RevokedHostKey(_) => None,
        }
    }

    /// How far into the decisions the request came: of several grants' refusals the one that
    /// came furthest is the one worth telling.
    #[must_use]
    pub(super) fn depth(&self) -> u8 {
        match self {
            Self::KeyNotLent | Self::NotALogin(_) | Self::KeyMismatch | Self::Service(_) | Self::Algorithm(_) => 0,
            Self::User { .. } => 1,
            Self::UnknownHost(_) => 2,
            Self::OtherHost(_) => 3,
            Self::Unbound => 4,
            Self::RevokedHostKey(_) => 5,
            Self::Expired(_) => 6,
            Self::Budget(_) => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_has_nothing_of_a_user_name_that_a_shell_would_run() {
        let hint = |user: &str| Reason::User { user: user.into(), granted: "git".into() }.hint().unwrap();
        assert!(hint("deploy-2.x_y").ends_with("run with --user deploy-2.x_y"));
        for user in ["$(reboot)", "a;b", "a b", "-x", "", "\u{fffd}"] {
            assert_eq!(hint(user), "if the build should log in as that user, name it with --user");
        }
    }
}
