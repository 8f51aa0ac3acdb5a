//! What a refusal comes down to, for whoever explains a lease afterwards: a text is for people.

use serde::{Deserialize, Serialize};

use super::Decision;
use crate::gateway::upstream::UpstreamError;
use crate::policy::Reason;
use crate::policy::judge_exec::ExecReason;

/// The kind of thing that would have to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The budget of signatures or sessions.
    Budget,
    /// The time limit.
    TimeLimit,
    /// A host, account, repository or way to write that no grant names.
    NotGranted,
    /// A login that does not show its host, though it could.
    Unbound,
    /// A host key that is pinned nowhere.
    HostUnknown,
    /// Another host key than the pinned ones, or a revoked one.
    HostKeyChanged,
    /// The server did not take the lent key.
    LoginRefused,
    /// The server could not be reached, or the connection broke.
    Unreachable,
    /// A program asked a gateway's socket for keys.
    AskedForKeys,
    /// A process that the lease is not for.
    Stranger,
    /// Everything else.
    Other,
}

impl Cause {
    /// Of a decision that is no refusal, [`Cause::Other`].
    #[must_use]
    pub fn of(decision: &Decision<'_>) -> Self {
        match decision {
            Decision::Refused { reason, .. } => Self::of_login(reason),
            Decision::ExecRefused { reason, .. } => Self::of_exec(reason),
            Decision::UpstreamFailed { error, .. } => Self::of_upstream(error),
            Decision::NoIdentity => Self::AskedForKeys,
            Decision::Stranger(_) => Self::Stranger,
            _ => Self::Other,
        }
    }

    fn of_login(reason: &Reason) -> Self {
        match reason {
            Reason::Budget(_) => Self::Budget,
            Reason::Expired(_) => Self::TimeLimit,
            Reason::User { .. } | Reason::OtherHost(_) => Self::NotGranted,
            Reason::UnknownHost(_) => Self::HostUnknown,
            Reason::RevokedHostKey(_) => Self::HostKeyChanged,
            Reason::Unbound => Self::Unbound,
            Reason::KeyNotLent
            | Reason::NotALogin(_)
            | Reason::KeyMismatch
            | Reason::Service(_)
            | Reason::Algorithm(_) => Self::Other,
        }
    }

    fn of_exec(reason: &ExecReason) -> Self {
        match reason {
            ExecReason::Budget(_) => Self::Budget,
            ExecReason::Expired(_) => Self::TimeLimit,
            ExecReason::Host { .. }
            | ExecReason::User { .. }
            | ExecReason::Repository { .. }
            | ExecReason::Write { .. } => Self::NotGranted,
            ExecReason::Exec(_) | ExecReason::HostName => Self::Other,
        }
    }

    fn of_upstream(error: &UpstreamError) -> Self {
        match error {
            UpstreamError::Unpinned(..) => Self::HostUnknown,
            UpstreamError::Changed(..) | UpstreamError::Revoked(..) => Self::HostKeyChanged,
            UpstreamError::Login(..) => Self::LoginRefused,
            UpstreamError::Route(..)
            | UpstreamError::NoSsh(_)
            | UpstreamError::Hop(..)
            | UpstreamError::Connect(..)
            | UpstreamError::Broken(..)
            | UpstreamError::Stalled(..) => Self::Unreachable,
        }
    }
}
