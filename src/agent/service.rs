//! What an agent socket answers: the identities that its grants list, and the verdicts.
//!
//! Shared by every connection of one socket; knows no stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::decision_log::{Decision, DecisionLog};
use crate::policy::{Grant, HostKeys, Reason, Standing, Verdict, judge};
use crate::signer::Identity;
use crate::wire::agent::{Request, SignRequest, failure, identities_answer, sign_response};

/// What all sockets of a lease share.
pub struct Shared {
    /// All grants of the lease; a socket serves some of them, by index.
    pub grants: Vec<Grant>,
    /// The pins.
    pub hosts: Arc<dyn HostKeys + Send + Sync>,
    /// What has been used up.
    pub standing: Mutex<Standing>,
    /// One line per verdict.
    pub log: Arc<DecisionLog>,
    /// When the lease began.
    pub started: Instant,
}

/// One socket's view of the lease.
pub struct Service {
    shared: Arc<Shared>,
    id: String,
    grants: Vec<usize>,
    identities: Vec<Identity>,
}

impl Service {
    /// The service of the ssh id `id`, with the grants of these indices and the identities to
    /// list, in order.
    #[must_use]
    pub fn new(shared: Arc<Shared>, id: String, grants: Vec<usize>, identities: Vec<Identity>) -> Self {
        Self { shared, id, grants, identities }
    }

    /// The ssh id that it serves.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where decisions go.
    #[must_use]
    pub fn log(&self) -> &DecisionLog {
        &self.shared.log
    }

    /// Answers one frame: exactly one reply is in `reply` afterwards.
    pub fn answer(&self, frame: &[u8], reply: &mut Vec<u8>) {
        match Request::parse(frame) {
            Ok(Request::Identities) => identities_answer(reply, self.identities.iter()),
            Ok(Request::Sign(request)) => self.sign(&request, reply),
            Ok(Request::Extension(name)) => {
                self.shared.log.record(Decision::ExtensionRefused(crate::wire::text::shown(name)));
                failure(reply);
            }
            Ok(Request::Other(number)) => {
                self.shared.log.record(Decision::MessageRefused(number));
                failure(reply);
            }
            Err(error) => {
                self.shared.log.record(Decision::Malformed(error));
                failure(reply);
            }
        }
    }

    fn sign(&self, request: &SignRequest<'_>, reply: &mut Vec<u8>) {
        // A key outside of this socket is refused like one that was never lent: grants of
        // another id are not in `self.grants`.
        let identity = self.identities.iter().find(|identity| identity.blob == request.key);
        let verdict = self.judge(request);
        let (allowed, identity) = match (verdict, identity) {
            (Verdict::Allow(allowed), Some(identity)) => (allowed, identity),
            (Verdict::Allow(_), None) => {
                self.refuse(request, Reason::KeyNotLent);
                return failure(reply);
            }
            (Verdict::Refuse(reason), _) => {
                self.refuse(request, reason);
                return failure(reply);
            }
        };
        match identity.signer.sign(request.data, request.flags) {
            Ok(signature) => {
                self.shared.log.record(Decision::Signed {
                    id: &self.id,
                    key: request.key,
                    grant: allowed.grant,
                    host: &allowed.host,
                });
                sign_response(reply, &signature);
            }
            Err(error) => {
                self.shared.log.record(Decision::SigningFailed { key: request.key, error });
                failure(reply);
            }
        }
    }

    /// Judges and, where it is allowed, takes the signature from the budget, both under one
    /// lock: two connections cannot share the last one.
    fn judge(&self, request: &SignRequest<'_>) -> Verdict {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut standing = self.shared.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.elapsed = self.shared.started.elapsed();
        let grants = self.grants.iter().filter_map(|&index| Some((index, self.shared.grants.get(index)?)));
        let verdict = judge(grants, &*self.shared.hosts, &standing, now, request);
        if let Verdict::Allow(allowed) = &verdict {
            standing.take(allowed.grant);
        }
        verdict
    }

    fn refuse(&self, request: &SignRequest<'_>, reason: Reason) {
        self.shared.log.record(Decision::Refused { id: &self.id, key: request.key, reason });
    }
}
