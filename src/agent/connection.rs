//! One client: frames in, one reply each, until it goes.
//!
//! Between requests a client may wait as long as the lease lasts (buildah connects before the
//! first RUN and keeps that one connection). A request that has begun must be complete within
//! [`REQUEST_TIME`], however slowly its bytes drip.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::agent::Service;
use crate::agent::service::Client;
use crate::decision_log::Decision;
use crate::wire::frame::{Decoder, READ_SIZE};

/// How long a request may take from its first byte to its last.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);
/// How long a client may take to read a reply.
pub const REPLY_TIME: Duration = Duration::from_secs(10);

/// A reply's buffer that is larger than this is given back once replies are small again.
const KEEP: usize = 16 * 1024;

/// Serves one client until it closes, breaks the protocol, or is shut down.
pub fn serve(stream: &UnixStream, service: &Service, number: u64, on_request: impl Fn()) {
    let mut client = Client::new(number);
    exchange(stream, service, &mut client, on_request);
    service.gone(&client);
}

fn exchange(mut stream: &UnixStream, service: &Service, client: &mut Client, on_request: impl Fn()) {
    // The reasons for an end are logged where they happen; a client that simply goes is no event.
    let _ = stream.set_write_timeout(Some(REPLY_TIME));
    let mut decoder = Decoder::default();
    let mut reply = Vec::with_capacity(256);
    let mut chunk = [0; READ_SIZE];
    loop {
        match receive(stream, &mut decoder, &mut chunk) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                if error.kind() == io::ErrorKind::TimedOut {
                    service.log().record(Decision::Stalled);
                }
                return;
            }
        }
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    on_request();
                    service.answer(client, frame, &mut reply);

                    if stream.write_all(&reply).is_err() {
                        return;
                    }
                    // The gateway's answers are large while output flows; an idle connection stays small.
                    if reply.len() <= KEEP && reply.capacity() > KEEP {
                        reply = Vec::new();
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    service.log().record(Decision::BadLength(error));
                    return;
                }
            }
        }
    }
}

/// Reads until there is something to decode: one read where the client sends whole requests.
/// False at the end of the stream.
fn receive(mut stream: &UnixStream, decoder: &mut Decoder, chunk: &mut [u8]) -> io::Result<bool> {
    let started = decoder.is_partial().then(Instant::now);
    if let Some(started) = started {
        return receive_rest(stream, decoder, chunk, started + REQUEST_TIME);
    }
    loop {
        match stream.read(chunk) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                decoder.push(chunk.get(..count).unwrap_or_default());
                return Ok(true);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads the rest of a request that has begun, against one deadline for all of it.
fn receive_rest(
    mut stream: &UnixStream,
    decoder: &mut Decoder,
    chunk: &mut [u8],
    deadline: Instant,
) -> io::Result<bool> {
    let result = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(chunk) {
            Ok(0) => break Ok(false),
            Ok(count) => {
                decoder.push(chunk.get(..count).unwrap_or_default());
                if decoder.has_frame() {
                    break Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Err(io::ErrorKind::TimedOut.into()),
            Err(error) => break Err(error),
        }
    };
    stream.set_read_timeout(None)?;
    result
}
