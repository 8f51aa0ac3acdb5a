//! What an agent socket answers: the identities that its grants list, and the verdicts.
//!
//! Shared by every connection of one socket; knows no stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::decision_log::{Decision, DecisionLog};
use crate::gateway::Tunnel;
use crate::policy::{Grant, HostKeys, Reason, Standing, Verdict, judge};
use crate::signer::Identity;
use crate::wire::agent::{Request, SignRequest, failure, identities_answer, sign_response, sign_response_of};

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

/// What is known of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client {
    /// Its number on this socket.
    pub number: u64,
    listed: bool,
    tunnelled: bool,
}

impl Client {
    /// A connection that has asked for nothing yet.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }
}

/// One socket's view of the lease.
pub struct Service {
    shared: Arc<Shared>,
    id: String,
    grants: Vec<usize>,
    identities: Vec<Identity>,
    tunnel: Option<Tunnel>,
}

impl Service {
    /// The service of the ssh id `id`, with the grants of these indices and the identities to
    /// list, in order.
    #[must_use]
    pub fn new(shared: Arc<Shared>, id: String, grants: Vec<usize>, identities: Vec<Identity>) -> Self {
        Self { shared, id, grants, identities, tunnel: None }
    }

    /// A service that lists and signs nothing: it is the gateway's end of the tunnel.
    #[must_use]
    pub fn gateway(shared: Arc<Shared>, id: String, tunnel: Tunnel) -> Self {
        Self { shared, id, grants: Vec::new(), identities: Vec::new(), tunnel: Some(tunnel) }
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
    pub fn answer(&self, client: &mut Client, frame: &[u8], reply: &mut Vec<u8>) {
        match Request::parse(frame) {
            Ok(Request::Identities) => {
                client.listed = true;
                self.shared.log.asked();
                let own = self.identities.iter().map(|identity| (identity.blob.as_slice(), identity.comment.as_str()));
                let tunnel = self.tunnel.iter().map(|tunnel| (tunnel.key(), "valetkey gateway"));
                identities_answer(reply, tunnel.chain(own));
            }
            Ok(Request::Sign(request)) => match &self.tunnel {
                Some(tunnel) if request.key == tunnel.key() && Tunnel::is_frame(request.data) => {
                    client.tunnelled = true;
                    sign_response_of(reply, |reply| tunnel.answer(client.number, request.data, reply));
                }
                _ => self.sign(&request, reply),
            },
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

    /// A connection has ended.
    pub fn gone(&self, client: &Client) {
        // An agent's client that found nothing it could use goes without a word; the guest
        // goes on to the tunnel on the same connection.
        if self.tunnel.is_some() && client.listed && !client.tunnelled {
            self.shared.log.record(Decision::NoIdentity);
        }
    }

    /// No channel goes on.
    pub fn stop(&self) {
        if let Some(tunnel) = &self.tunnel {
            tunnel.stop();
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
