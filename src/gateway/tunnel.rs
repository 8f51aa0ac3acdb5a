//! The host's end of the tunnel: requests in, answers out, and the channels of one socket.
//!
//! Owns the order of things for one clone: understand the exec request, judge it, take from
//! the budget, open the session. Knows no stream: [`crate::agent::service`] hands it the data
//! of sign requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::channel::{Broken, Channel};
use super::exec_request::ExecRequest;
use super::upstream::{Session, Upstreams};
use crate::agent::service::Shared;
use crate::decision_log::Decision;
use crate::hosts::HostName;
use crate::policy::Grant;
use crate::policy::judge_exec::{ExecReason, Target, judge_exec};
use crate::signer::Identity;
use crate::wire::tunnel::{Exec, KEY_TYPE, MAGIC, Request, Response, Token};

/// Channels that one socket has open at most.
pub const MAX_CHANNELS: usize = 64;

struct Open {
    /// The request that opened it, to know it again.
    request: Vec<u8>,
    channel: Arc<Channel>,
}

/// The gateway behind one socket.
pub struct Tunnel {
    shared: Arc<Shared>,
    id: String,
    /// The pseudo-identity's key blob.
    key: Vec<u8>,
    /// Indices of the grants of this socket, and the identities of each.
    grants: Vec<usize>,
    identities: Vec<(usize, Identity)>,
    upstreams: Arc<Upstreams>,
    open: Mutex<HashMap<Token, Open>>,
}

impl Tunnel {
    /// A gateway for the grants of these indices, with the identities of each. `nonce` makes
    /// its pseudo-identity another one than every other lease's.
    #[must_use]
    pub fn new(
        shared: Arc<Shared>,
        id: String,
        grants: Vec<usize>,
        identities: Vec<(usize, Identity)>,
        upstreams: Arc<Upstreams>,
        nonce: [u8; 16],
    ) -> Self {
        let mut key = Vec::new();
        crate::wire::put_string(&mut key, KEY_TYPE);
        crate::wire::put_string(&mut key, &nonce);
        Self { shared, id, key, grants, identities, upstreams, open: Mutex::default() }
    }

    /// The key blob of the pseudo-identity.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether the data of a sign request is meant for the tunnel at all.
    #[must_use]
    pub fn is_frame(data: &[u8]) -> bool {
        data.starts_with(&MAGIC)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Token, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request that came over connection number `client`, with a signature blob
    /// behind what is in `reply`.
    pub fn answer(&self, client: u64, data: &[u8], reply: &mut Vec<u8>) {
        crate::wire::put_string(reply, KEY_TYPE);
        crate::wire::put_string_of(reply, |reply| self.respond(client, data, reply));
    }

    fn respond(&self, client: u64, data: &[u8], out: &mut Vec<u8>) {
        let Ok(request) = Request::parse(data) else {
            self.shared.log.record(Decision::BadFrame);
            return say(out, &Response::Refused(b"a tunnel frame is damaged, too long or of another version"));
        };
        match request {
            Request::Ping => say(out, &Response::Pong(client)),
            Request::Open { token, exec } => match self.open(token, data, &exec) {
                Ok(()) => say(out, &Response::Opened),
                Err(reason) => say(out, &Response::Refused(reason.as_bytes())),
            },
            Request::Close { token } => {
                if let Some(open) = self.lock().remove(&token) {
                    open.channel.close("the build step closed it");
                }
                say(out, &Response::Closed);
            }
            Request::Write { token, offset, eof, bytes } => {
                let taken = self.channel(&token).and_then(|channel| channel.write(offset, eof, bytes));
                match taken {
                    Ok(offset) => say(out, &Response::Wrote(offset)),
                    Err(broken) => self.broken(&token, &broken, out),
                }
            }
            Request::Read { token, ack, piece, hold } => {
                // The chunks go straight into the answer, behind their kind and number.
                let begin = out.len();
                say(out, &Response::Data { piece, chunks: &[] });
                if let Err(broken) = self.channel(&token).and_then(|channel| channel.read(ack, piece, hold, out)) {
                    out.truncate(begin);
                    self.broken(&token, &broken, out);
                }
            }
        }
    }

    /// A channel that goes wrong is over: there is no way back into step.
    fn broken(&self, token: &Token, broken: &Broken, out: &mut Vec<u8>) {
        if let Some(open) = self.lock().remove(token) {
            open.channel.close(&broken.to_string());
            if !matches!(broken, Broken::Closed(_)) {
                self.shared.log.record(Decision::BadFrame);
            }
        }
        say(out, &Response::Refused(broken.to_string().as_bytes()));
    }

    fn channel(&self, token: &Token) -> Result<Arc<Channel>, Broken> {
        let found = self.lock().get(token).map(|open| Arc::clone(&open.channel));
        found.ok_or_else(|| Broken::Closed("there is no such channel in this lease".into()))
    }

    /// Opens a channel, or says why not.
    fn open(&self, token: Token, request: &[u8], exec: &Exec<'_>) -> Result<(), String> {
        {
            let mut open = self.lock();
            if let Some(known) = open.get(&token) {
                return if known.request == request { Ok(()) } else { Err("the channel is open already".into()) };
            }
            // Those whose guest is gone, and those that are over and were never closed.
            let limit = self.upstreams.limits().silence;
            open.retain(|_, open| {
                let lives = !open.channel.is_closed() && open.channel.silence() < limit;
                if !lives {
                    open.channel.close("the build step is gone");
                }
                lives
            });
            if open.len() >= MAX_CHANNELS {
                drop(open);
                self.shared.log.record(Decision::TooManyChannels);
                return Err(format!("{MAX_CHANNELS} commands run already; wait for one to end"));
            }
            // Taken under the lock, so that no two requests share the last place.
            open.insert(token, Open { request: request.to_vec(), channel: Arc::default() });
        }
        let opened = self.judge(exec).and_then(|(session, grant, identities)| {
            let channel = self.channel(&token).map_err(|_| ExecReason::HostName)?;
            self.upstreams.run(session, grant, identities, channel);
            Ok(())
        });
        opened.map_err(|reason| {
            self.lock().remove(&token);
            let told = reason.to_string();
            self.shared.log.record(Decision::ExecRefused { id: &self.id, reason });
            told
        })
    }

    /// Judges and, where it is allowed, takes the login from the budget, both under one lock.
    fn judge(&self, exec: &Exec<'_>) -> Result<(Session, Grant, Vec<Identity>), ExecReason> {
        let request = ExecRequest::parse(exec.command)?;
        let host = std::str::from_utf8(exec.host).ok().zip(u16::try_from(exec.port).ok());
        let host = host.and_then(|(host, port)| HostName::new(host, port).ok()).ok_or(ExecReason::HostName)?;
        let user = std::str::from_utf8(exec.user).map_err(|_| ExecReason::HostName)?;
        let target = Target { user, host: &host, exec: &request };
        let mut standing = self.shared.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.elapsed = self.shared.started.elapsed();
        let grants = self.grants.iter().filter_map(|&index| Some((index, self.shared.grants.get(index)?)));
        let hosts = self.upstreams.hosts();
        let grant = judge_exec(grants, &|name| hosts.has_pins(name), &standing, target)?;
        standing.take(grant);
        drop(standing);
        let of_it = self.shared.grants.get(grant).cloned().ok_or(ExecReason::HostName)?;
        let of_grant = self.identities.iter().filter(|(of, _)| *of == grant);
        let identities = of_grant.map(|(_, identity)| identity.clone()).collect();
        // Only the version of Git's protocol is passed on, and only as Git writes it.
        let version = exec.protocol.strip_prefix(b"version=").filter(|rest| matches!(rest, [b'0'..=b'2']));
        let session = Session {
            id: self.id.clone(),
            grant,
            user: user.to_owned(),
            host,
            exec: request,
            protocol: version.map(|_| String::from_utf8_lossy(exec.protocol).into_owned()),
            started: Instant::now(),
        };
        Ok((session, of_it, identities))
    }

    /// Ends every channel.
    pub fn stop(&self) {
        for (_, open) in self.lock().drain() {
            open.channel.close("the lease is over");
        }
    }
}

fn say(out: &mut Vec<u8>, response: &Response<'_>) {
    response.write(&mut |bytes| out.extend_from_slice(bytes));
}
