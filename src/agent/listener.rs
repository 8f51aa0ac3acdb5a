//! The accept loop of one socket: looks at who connects, caps how many are served, survives
//! running out of descriptors or threads, and ends when the lease does.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::agent::peer::{self, Peers, Stranger};
use crate::agent::{Service, connection};
use crate::decision_log::Decision;

/// Connections served at once on one socket. Past it the one that has been silent longest is
/// closed: idle connections cannot keep a build from logging in. Three for each of the gateway's
/// channels.
pub const MAX_CONNECTIONS: usize = 192;
/// Stack of a connection's thread, in bytes. RSA-8192 needs the most, about 60 KiB.
const STACK: usize = 256 * 1024;
/// The first pause after an accept error; doubled up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause after accept errors (out of descriptors, out of memory).
const MAX_PAUSE: Duration = Duration::from_secs(1);

struct Open {
    stream: Arc<UnixStream>,
    last_request: Arc<AtomicU64>,
}

#[derive(Default)]
struct State {
    stopped: bool,
    next: u64,
    open: HashMap<u64, Open>,
}

/// What the accept loop, the connections and [`Listener::stop`] share.
#[derive(Default)]
struct Connections {
    state: Mutex<State>,
    changed: Condvar,
    /// A counter that stands in for time: the order of requests is all that eviction needs.
    clock: AtomicU64,
}

impl Connections {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a connection in, at the price of the most silent one where all places are taken.
    /// `None` once stopped.
    fn admit(&self, stream: &Arc<UnixStream>) -> Option<(u64, Arc<AtomicU64>, bool)> {
        let mut state = self.lock();
        if state.stopped {
            return None;
        }
        let mut evicted = false;
        if state.open.len() >= MAX_CONNECTIONS {
            let silent = state.open.iter().min_by_key(|(_, open)| open.last_request.load(Ordering::Relaxed));
            if let Some(open) = silent.map(|(id, _)| *id).and_then(|id| state.open.remove(&id)) {
                let _ = open.stream.shutdown(Shutdown::Both);
                evicted = true;
            }
        }
        let id = state.next;
        state.next += 1;
        let last_request = Arc::new(AtomicU64::new(self.tick()));
        state.open.insert(id, Open { stream: Arc::clone(stream), last_request: Arc::clone(&last_request) });
        Some((id, last_request, evicted))
    }

    fn release(&self, id: u64) {
        self.lock().open.remove(&id);
    }

    /// Waits for `pause` or the stop. True when stopped.
    fn pause(&self, pause: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, pause, |state| !state.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for (_, open) in state.open.drain() {
            let _ = open.stream.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }
}

/// A socket that answers, until it is stopped or dropped.
pub struct Listener {
    socket: Arc<UnixListener>,
    service: Arc<Service>,
    connections: Arc<Connections>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts to answer `peers` on a bound socket.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(socket: UnixListener, service: Arc<Service>, peers: Peers) -> io::Result<Self> {
        let socket = Arc::new(socket);
        let connections = Arc::new(Connections::default());
        let thread = {
            let (socket, connections, service) = (Arc::clone(&socket), Arc::clone(&connections), Arc::clone(&service));
            thread::Builder::new()
                .name("accept".into())
                .spawn(move || accept(&socket, &connections, &service, &peers))?
        };
        Ok(Self { socket, service, connections, thread: Some(thread) })
    }

    /// Ends it: no connection is answered any more, open ones are closed. Idempotent.
    pub fn stop(&mut self) {
        self.connections.stop();
        self.service.stop();
        // Wakes the accept loop, on Linux with EINVAL.
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(socket: &UnixListener, connections: &Arc<Connections>, service: &Arc<Service>, peers: &Peers) {
    let mut pause = FIRST_PAUSE;
    // A connection that was taken, and whose peer could not be looked at yet.
    let mut waiting = None;
    loop {
        let taken = waiting.take().map_or_else(|| socket.accept().map(|(stream, _)| stream), Ok);
        if connections.lock().stopped {
            return;
        }
        let served = taken.and_then(|stream| match peer::check(&stream, peers) {
            Ok(()) => serve(stream, connections, service),
            Err(Stranger::NotLookedAt) => {
                waiting = Some(stream);
                Err(io::ErrorKind::OutOfMemory.into())
            }
            Err(stranger) => {
                service.log().record(Decision::Stranger(stranger));
                Ok(())
            }
        });
        match served {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => {
                // Out of descriptors, memory or threads: accepting again at once would only
                // burn the processor that the build needs to give something back.
                service.log().record(Decision::AcceptFailed);
                if connections.pause(pause) {
                    return;
                }
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

fn serve(stream: UnixStream, connections: &Arc<Connections>, service: &Arc<Service>) -> io::Result<()> {
    let stream = Arc::new(stream);
    let Some((id, last_request, evicted)) = connections.admit(&stream) else { return Ok(()) };
    if evicted {
        service.log().record(Decision::Evicted);
    }
    let (connections_of_thread, service) = (Arc::clone(connections), Arc::clone(service));
    let spawned = thread::Builder::new().name("connection".into()).stack_size(STACK).spawn(move || {
        let connections = connections_of_thread;
        let on_request = || last_request.store(connections.tick(), Ordering::Relaxed);
        connection::serve(&stream, &service, id, on_request, || connections.lock().open.len() == 1);
        connections.release(id);
    });
    if let Err(error) = spawned {
        connections.release(id);
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Arc<UnixStream> {
        Arc::new(UnixStream::pair().unwrap().0)
    }

    #[test]
    fn the_last_place_is_free_and_one_more_costs_the_most_silent_connection_its_place() {
        let connections = Connections::default();
        let first = connections.admit(&stream()).unwrap();
        for _ in 1..MAX_CONNECTIONS {
            assert!(!connections.admit(&stream()).unwrap().2);
        }
        // The first one spoke last, so the second is the most silent one.
        first.1.store(connections.tick(), Ordering::Relaxed);
        assert!(connections.admit(&stream()).unwrap().2);
        let state = connections.lock();
        assert_eq!(state.open.len(), MAX_CONNECTIONS);
        assert!(state.open.contains_key(&first.0) && !state.open.contains_key(&1));
    }

    #[test]
    fn nobody_is_admitted_after_the_stop() {
        let connections = Connections::default();
        connections.stop();
        assert!(connections.admit(&stream()).is_none());
        assert!(connections.pause(MAX_PAUSE));
    }
}
