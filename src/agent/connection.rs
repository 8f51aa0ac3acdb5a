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

/// How long the next request is looked for before the thread sleeps, where the last one came
/// within [`QUICK`] of the reply before it. Waking up costs more than a signature does.
const SPIN: Duration = Duration::from_micros(20);
const QUICK: Duration = Duration::from_millis(1);

/// A reply's buffer that is larger than this is given back once replies are small again.
const KEEP: usize = 16 * 1024;

/// Serves one client until it closes, breaks the protocol, or is shut down. `alone` says whether
/// no other client is connected.
pub fn serve(stream: &UnixStream, service: &Service, number: u64, on_request: impl Fn(), alone: impl Fn() -> bool) {
    let mut client = Client::new(number);
    // Where there is one processor, the client needs it.
    let several = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    exchange(REQUEST_TIME, stream, service, &mut client, on_request, || several && alone());
    service.gone(&client);
}

/// `time` is how long a request may take.
fn exchange(
    time: Duration,
    mut stream: &UnixStream,
    service: &Service,
    client: &mut Client,
    on_request: impl Fn(),
    alone: impl Fn() -> bool,
) {
    // The reasons for an end are logged where they happen; a client that simply goes is no event.
    let _ = stream.set_write_timeout(Some(REPLY_TIME));
    let mut decoder = Decoder::default();
    let mut reply = Vec::with_capacity(256);
    let mut chunk = [0; READ_SIZE];
    let mut replied: Option<Instant> = None;
    let mut quick = false;
    loop {
        if quick && !decoder.is_partial() && alone() {
            await_briefly(stream);
        }
        match receive(time, stream, &mut decoder, &mut chunk) {
            Ok(true) => quick = replied.is_some_and(|replied| replied.elapsed() < QUICK),
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
                    replied = Some(Instant::now());
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

/// Looks for the next request for [`SPIN`], without sleeping.
fn await_briefly(stream: &UnixStream) {
    let end = Instant::now() + SPIN;
    let flags = rustix::net::RecvFlags::DONTWAIT | rustix::net::RecvFlags::PEEK;
    let mut byte = [0; 1];
    // Anything but "nothing yet" is for the read that follows.
    while rustix::net::recv(stream, &mut byte, flags) == Err(rustix::io::Errno::AGAIN) && Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// Reads until there is something to decode: one read where the client sends whole requests.
/// False at the end of the stream.
fn receive(time: Duration, mut stream: &UnixStream, decoder: &mut Decoder, chunk: &mut [u8]) -> io::Result<bool> {
    let started = decoder.is_partial().then(Instant::now);
    if let Some(started) = started {
        return receive_rest(stream, decoder, chunk, started + time);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::*;
    use crate::agent::service::Shared;
    use crate::decision_log::DecisionLog;
    use crate::hosts::Hosts;
    use crate::policy::Standing;

    const TIME: Duration = Duration::from_millis(150);

    fn service() -> Service {
        let shared = Shared {
            grants: Vec::new(),
            hosts: Arc::new(Hosts::empty()),
            standing: Mutex::new(Standing::new(0)),
            log: Arc::new(DecisionLog::new(Vec::new(), None)),
            started: Instant::now(),
        };
        Service::new(Arc::new(shared), "default".into(), Vec::new(), Vec::new())
    }

    /// What a client that does this reads until the connection is closed, how long that took,
    /// and what the log says of it.
    fn served(client: impl FnOnce(&UnixStream) + Send + 'static) -> (Vec<u8>, Duration, String) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let service = Arc::new(service());
        let started = Instant::now();
        let server = {
            let service = Arc::clone(&service);
            thread::spawn(move || exchange(TIME, &ours, &service, &mut Client::new(0), || (), || true))
        };
        client(&theirs);
        let mut read = Vec::new();
        (&theirs).read_to_end(&mut read).unwrap();
        let took = started.elapsed();
        server.join().unwrap();
        let refusals = service.log().tally().refusals;
        (read, took, refusals.iter().map(|refusal| refusal.text.as_str()).collect())
    }

    const LIST: [u8; 5] = [0, 0, 0, 1, 11];
    const NONE_LISTED: [u8; 9] = [0, 0, 0, 5, 12, 0, 0, 0, 0];
    const STALLED: &str = "a request that was not completed in time";

    #[test]
    fn half_a_request_and_then_silence_ends_the_connection_and_is_named() {
        let (read, took, log) = served(|mut client| client.write_all(&LIST[..3]).unwrap());
        assert!(read.is_empty() && took >= TIME, "{took:?}");
        assert_eq!(log, STALLED);
    }

    #[test]
    fn bytes_that_drip_do_not_buy_time() {
        let (read, took, log) = served(|mut client| {
            // A byte at a time for longer than a request may take, and never a whole one.
            let long = [&[0, 0, 8, 0][..], &[0; 2000]].concat();
            for byte in long {
                if client.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(TIME / 50);
            }
        });
        assert!(read.is_empty() && took < TIME * 20, "{took:?}");
        assert_eq!(log, STALLED);
    }

    #[test]
    fn silence_between_requests_costs_nothing() {
        let (read, _, log) = served(|mut client| {
            client.write_all(&LIST).unwrap();
            thread::sleep(TIME * 2);
            client.write_all(&LIST).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
        });
        assert_eq!(read, [NONE_LISTED, NONE_LISTED].concat());
        assert_eq!(log, "");
    }
}
