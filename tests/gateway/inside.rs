//! The gateway without its socket, in this process: frames in, answers out, and time limits that
//! a test can wait for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::frame_client::{Answer, answer, bytes, fetch, take};
use super::place::Place;
use crate::agent::server::me;
use valetkey::agent::service::Shared;
use valetkey::decision_log::{DecisionLog, Tally};
use valetkey::gateway::{TimeLimits, Tunnel, Upstreams};
use valetkey::hosts::{HostName, HostScope, Hosts};
use valetkey::keys::{LoadEnv, load};
use valetkey::policy::{Access, Grant, Limits, Standing};
use valetkey::wire::tunnel::{Exec, MAX_WRITE, Request, Token};

/// How long anything may take; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(60);
const TOKEN: Token = *b"0123456789abcdef";

pub(crate) struct Inside {
    tunnel: Tunnel,
    upstreams: Arc<Upstreams>,
    log: Arc<DecisionLog>,
    port: u16,
    pub(crate) folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
    pub(crate) exit: u32,
    pub(crate) took: Duration,
}

impl Inside {
    /// A lease of the place's key for all that its server has, by way of this port.
    pub(crate) fn new(place: &Place, pins: &str, port: u16, limits: TimeLimits) -> Self {
        let source = format!("file:{}", place.keys.path("key").display()).parse().unwrap();
        let loaded = LoadEnv::with_process(None, |env| load(&source, env)).unwrap();
        let host: HostName = format!("127.0.0.1:{port}").parse().unwrap();
        let mut hosts = Hosts::empty();
        let own = format!(":{}", place.server.0.port());
        hosts.add_known_hosts(&pins.replace(&own, &format!(":{port}")), "test").unwrap();
        let hosts = Arc::new(hosts);
        let log = Arc::new(DecisionLog::new(Vec::new(), None));
        let grant = Grant {
            keys: loaded.identities.iter().map(|identity| identity.blob.clone()).collect(),
            scope: HostScope::Only(vec![host]),
            unbound: Vec::new(),
            user: me(),
            repos: Vec::new(),
            access: Access::Write,
            limits: Limits::default(),
        };
        let shared = Arc::new(Shared {
            grants: vec![grant],
            hosts: hosts.clone(),
            standing: Mutex::new(Standing::new(1)),
            log: Arc::clone(&log),
            started: Instant::now(),
        });
        let folder = tempfile::tempdir().unwrap();
        let upstreams = Arc::new(Upstreams::new(hosts, Arc::clone(&log), Vec::new(), limits, folder.path().to_owned()));
        let held = loaded.identities.into_iter().map(|identity| (0, identity)).collect();
        let tunnel = Tunnel::new(shared, "default".into(), vec![0], held, Arc::clone(&upstreams), [7; 16]);
        Self { tunnel, upstreams, log, port, folder }
    }

    pub(crate) fn ask(&self, request: &Request<'_>) -> Answer {
        let mut blob = Vec::new();
        self.tunnel.answer(0, &bytes(request), &mut blob);
        answer(&blob)
    }

    pub(crate) fn open(&self) {
        let (user, command) = (me(), fetch("/org/repo.git"));
        let (user, command, port) = (user.as_bytes(), command.as_bytes(), u32::from(self.port));
        let exec = Exec { user, host: b"127.0.0.1", port, command, protocol: b"version=2" };
        assert_eq!(self.ask(&Request::Open { token: TOKEN, exec }), Answer::Opened);
    }

    pub(crate) fn read(&self, ack: u64, hold: u32) -> Answer {
        self.ask(&Request::Read { token: TOKEN, ack, piece: ack, hold })
    }

    /// Sends stdin to its end; what comes out meanwhile stays there.
    pub(crate) fn send(&self, stdin: &[u8]) {
        let (mut at, began) = (0, Instant::now());
        while at < stdin.len() {
            assert!(began.elapsed() < PATIENCE, "{at} of {}", stdin.len());
            let end = stdin.len().min(at + MAX_WRITE);
            let write =
                Request::Write { token: TOKEN, offset: at as u64, eof: end == stdin.len(), bytes: &stdin[at..end] };
            match self.ask(&write) {
                Answer::Wrote(taken) => at = usize::try_from(taken).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until the end.
    pub(crate) fn finish(&self) -> Finished {
        let (mut out, mut err, mut ack) = (Vec::new(), Vec::new(), 0);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let Answer::Data(_, chunks) = self.read(ack, 200) else { break };
            ack += u64::from(!chunks.is_empty());
            if let Some(exit) = take(&chunks, &mut out, &mut err) {
                let err = String::from_utf8_lossy(&err).into_owned();
                return Finished { out, err, exit, took: began.elapsed() };
            }
        }
        panic!("it did not end: {}", String::from_utf8_lossy(&err));
    }

    pub(crate) fn tally(&self) -> Tally {
        self.log.tally()
    }

    /// Waits until the decision log tells of the session's end.
    pub(crate) fn carried(&self) -> Option<u32> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(carried) = self.tally().carried.first() {
                return carried.exit;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not end");
    }

    /// What the sessions left in the folder of the lease.
    pub(crate) fn left(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().count()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.tunnel.stop();
        self.upstreams.stop();
    }
}
