//! A guest that says what no guest would: tunnel frames by hand, inside sign requests.

use std::time::{Duration, Instant};

use crate::agent::client::{Client, sign};
use valetkey::wire::agent::SIGN_RESPONSE;
use valetkey::wire::tunnel::{Chunks, Exec, KEY_TYPE, Kind, Request, Response, Token};
use valetkey::wire::{Fields, key_type};

/// How long a command may take to end; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Guest {
    client: Client,
    pub(crate) key: Vec<u8>,
}

/// An answer that outlives its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Opened,
    Refused(String),
    Wrote(u64),
    Data(u64, Vec<u8>),
    Closed,
    Pong(u64),
}

impl Guest {
    pub(crate) fn new() -> Self {
        let mut client = Client::connect();
        let listed = client.list().unwrap();
        let names: Vec<_> = listed.iter().map(|blob| key_type(blob).unwrap_or_default().to_owned()).collect();
        assert_eq!(names, ["valetkey-tunnel-1"], "the pseudo-identity and no other");
        Self { client, key: listed.into_iter().next().unwrap() }
    }

    /// What a sign request with this data gets; `None` for a failure.
    pub(crate) fn raw(&mut self, data: &[u8]) -> Option<Answer> {
        let reply = self.client.ask(&sign(&self.key, data)).expect("the connection stays");
        let mut fields = Fields::new(&reply);
        if fields.byte() != Ok(SIGN_RESPONSE) {
            return None;
        }
        Some(answer(fields.string().unwrap()))
    }

    pub(crate) fn ask(&mut self, request: &Request<'_>) -> Answer {
        self.raw(&bytes(request)).expect("an answer")
    }

    /// Opens a channel for this command at the server of the environment.
    pub(crate) fn open(&mut self, token: Token, command: &str) -> Answer {
        let (user, port) = (variable("USER_AT_SERVER"), variable("PORT").parse().unwrap());
        let exec = Exec { user: user.as_bytes(), host: b"127.0.0.1", port, command: command.as_bytes(), protocol: b"" };
        self.ask(&Request::Open { token, exec })
    }

    /// Reads until the end: stdout, stderr, exit status.
    pub(crate) fn finish(&mut self, token: Token) -> (Vec<u8>, Vec<u8>, u32) {
        let (mut out, mut err, mut ack) = (Vec::new(), Vec::new(), 0);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let read = Request::Read { token, ack, piece: ack, hold: 1000 };
            let Answer::Data(piece, chunks) = self.ask(&read) else { break };
            assert_eq!(piece, ack);
            ack += u64::from(!chunks.is_empty());
            if let Some(exit) = take(&chunks, &mut out, &mut err) {
                // Acknowledged, the exit status included: nothing follows it.
                let end = self.ask(&Request::Read { token, ack, piece: ack, hold: 0 });
                assert_eq!(end, Answer::Data(ack, Vec::new()));
                return (out, err, exit);
            }
        }
        panic!("it did not end: {}", String::from_utf8_lossy(&err));
    }

    /// The control: the granted repository is still listed, over a channel of its own.
    pub(crate) fn still_serves(&mut self) {
        let token = *b"the control run.";
        assert_eq!(self.open(token, &fetch(&variable("REPOSITORY"))), Answer::Opened);
        // A flush packet: nothing is wanted.
        assert_eq!(self.ask(&Request::Write { token, offset: 0, eof: true, bytes: b"0000" }), Answer::Wrote(4));
        let (out, _, exit) = self.finish(token);
        assert!(exit == 0 && out.windows(10).any(|window| window == b"refs/heads"), "{exit}");
        assert_eq!(self.ask(&Request::Close { token }), Answer::Closed);
    }
}

/// Takes chunks of output apart; the exit status where it is among them, which is the last.
pub(crate) fn take(chunks: &[u8], out: &mut Vec<u8>, err: &mut Vec<u8>) -> Option<u32> {
    let mut exit = None;
    for chunk in Chunks::new(chunks) {
        assert_eq!(exit, None, "nothing follows the exit status");
        match chunk.unwrap() {
            (Kind::Stdout, bytes) => out.extend_from_slice(bytes),
            (Kind::Stderr, bytes) => err.extend_from_slice(bytes),
            (Kind::Exit, bytes) => exit = Some(u32::from_be_bytes(bytes.try_into().unwrap())),
        }
    }
    exit
}

/// What a signature blob holds.
pub(crate) fn answer(signature: &[u8]) -> Answer {
    let mut signature = Fields::new(signature);
    assert_eq!(signature.string(), Ok(KEY_TYPE));
    match Response::parse(signature.string().unwrap()).unwrap() {
        Response::Opened => Answer::Opened,
        Response::Refused(reason) => Answer::Refused(String::from_utf8(reason.to_vec()).unwrap()),
        Response::Wrote(offset) => Answer::Wrote(offset),
        Response::Data { piece, chunks } => Answer::Data(piece, chunks.to_vec()),
        Response::Closed => Answer::Closed,
        Response::Pong(number) => Answer::Pong(number),
    }
}

pub(crate) fn bytes(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.write(&mut |part| bytes.extend_from_slice(part));
    bytes
}

pub(crate) fn fetch(path: &str) -> String {
    format!("git-upload-pack '{path}'")
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

pub(crate) fn refused(reason: &str) -> Answer {
    Answer::Refused(reason.to_owned())
}
