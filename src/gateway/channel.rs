//! One channel: the buffers between the guest's requests and the session at the server.
//!
//! Both directions are bounded, and both know by offset or number what was taken, so that a
//! request that comes twice has the effect of one. Threads wait for the session with a condition
//! variable, the session's tasks wait for the guest with a notification.
//!
//! Over 400 lines with its tests: both directions share one lock and one set of limits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::pieces::{OutOfStep, Pieces};
use crate::wire::tunnel::{Kind, MAX_HOLD, MAX_READ};

/// Bytes of output that wait for the guest at most; the server is not read past it. Room for the
/// pieces that are on their way, and for the next one.
pub const MAX_OUT: usize = 3 * MAX_READ;
/// Bytes of stdin that wait for the server at most.
pub const MAX_IN: usize = 256 * 1024;
/// What is taken from the session at once; SSH's own packets are shorter.
const MAX_CHUNK: usize = 64 * 1024;

/// Why a channel cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Bytes of stdin that do not follow those that came before.
    #[error("a frame of stdin came out of order")]
    Gap,
    /// Output that was acknowledged is asked for again, or output that never was.
    #[error("a frame asks for output that is gone, or that never was")]
    Replay,
    /// It was closed at this end.
    #[error("{0}")]
    Closed(String),
}

struct State {
    stdin: VecDeque<u8>,
    stdin_taken: u64,
    stdin_ended: bool,
    out: Pieces,
    out_ended: bool,
    closed: Option<String>,
    last_request: Instant,
    /// When something last went on in either direction.
    last_move: Instant,
    /// Whether the session has bytes of stdin that the server has not taken yet.
    handed_out: bool,
    counted: Counted,
}

impl Default for State {
    fn default() -> Self {
        Self {
            stdin: VecDeque::new(),
            stdin_taken: 0,
            stdin_ended: false,
            out: Pieces::default(),
            out_ended: false,
            closed: None,
            // A guest that opens a channel and asks nothing more is gone like any other.
            last_request: Instant::now(),
            last_move: Instant::now(),
            handed_out: false,
            counted: Counted::default(),
        }
    }
}

/// What went through a channel, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// To the server.
    pub up: u64,
    /// From the server.
    pub down: u64,
}

/// The two buffers.
#[derive(Default)]
pub struct Channel {
    state: Mutex<State>,
    /// For the threads that serve the guest.
    changed: Condvar,
    /// For those of them that wait for a piece behind one that was not given out either: a new
    /// chunk is nothing to them.
    given: Condvar,
    /// For the session: stdin has come, or there is room for output, or it is over.
    wanted: Notify,
    room: Notify,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes stdin in as far as there is room, and says up to which offset it has been taken.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn write(&self, offset: u64, eof: bool, bytes: &[u8]) -> Result<u64, Broken> {
        let mut state = self.lock();
        state.last_request = Instant::now();
        if let Some(why) = &state.closed {
            return Err(Broken::Closed(why.clone()));
        }
        // A frame that comes again: what was taken is passed over.
        let known = state.stdin_taken.checked_sub(offset).ok_or(Broken::Gap)?;
        let fresh = usize::try_from(known).ok().and_then(|known| bytes.get(known..)).unwrap_or_default();
        if state.stdin_ended || state.out_ended {
            // Nobody reads it any more. It counts as taken all the same: what follows it must not
            // look like a gap, which would cost the guest the output that still waits for it.
            state.stdin_taken += fresh.len() as u64;
            return Ok(state.stdin_taken);
        }
        if fresh.is_empty() && !eof {
            return Ok(state.stdin_taken);
        }
        let until = Instant::now() + Duration::from_millis(MAX_HOLD.into());
        while state.stdin.len() >= MAX_IN && state.closed.is_none() && !state.out_ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(state.stdin_taken);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        // Another thread may have taken the same frame meanwhile.
        let known = state.stdin_taken.saturating_sub(offset);
        let fresh = usize::try_from(known).ok().and_then(|known| bytes.get(known..)).unwrap_or_default();
        let taken = fresh.len().min(MAX_IN.saturating_sub(state.stdin.len()));
        state.stdin.extend(fresh.iter().take(taken));
        state.stdin_taken += taken as u64;
        state.counted.up += taken as u64;
        state.stdin_ended = eof && taken == fresh.len();
        drop(state);
        self.wanted.notify_one();
        Ok(self.lock().stdin_taken)
    }

    /// Forgets the pieces before `ack` and writes the one that is asked for to `into`; waits up
    /// to `hold` milliseconds where it is not there. Writes nothing where it did not come.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn read(&self, ack: u64, piece: u64, hold: u32, into: &mut Vec<u8>) -> Result<(), Broken> {
        let until = Instant::now() + Duration::from_millis(hold.min(MAX_HOLD).into());
        let mut state = self.lock();
        state.last_request = Instant::now();
        if state.out.acknowledge(ack, piece).map_err(|OutOfStep| Broken::Replay)? > 0 {
            state.last_move = Instant::now();
        }
        self.room.notify_one();
        loop {
            if state.out.is_gone(piece) {
                // The guest has it by another connection, and has gone on.
                return Ok(());
            }
            if let Some(bytes) = state.out.give(piece) {
                into.extend_from_slice(bytes);
                state.last_request = Instant::now();
                drop(state);
                self.given.notify_all();
                return Ok(());
            }
            if let Some(why) = &state.closed
                && !state.out.holds(piece)
            {
                return Err(Broken::Closed(why.clone()));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.out_ended && !state.out.holds(piece) {
                return Ok(());
            }
            let waited_for = if state.out.is_next(piece) { &self.changed } else { &self.given };
            state = waited_for.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends it from this end: whoever waits is told why.
    pub fn close(&self, why: &str) {
        let mut state = self.lock();
        if state.closed.is_none() {
            state.closed = Some(why.to_owned());
        }
        state.stdin.clear();
        drop(state);
        self.changed.notify_all();
        self.given.notify_all();
        self.wanted.notify_one();
        self.room.notify_one();
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }

    /// How long ago the guest last asked for something.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.lock().last_request.elapsed()
    }

    /// Notes that the session has come a step further.
    pub fn moved(&self) {
        self.lock().last_move = Instant::now();
    }

    /// Ends once nothing has moved in either direction for `limit`. While output waits for the
    /// guest it is not the server that is waited for.
    pub async fn stalled(&self, limit: Duration) {
        loop {
            let still = {
                let state = self.lock();
                if state.out.is_empty() { state.last_move.elapsed() } else { Duration::ZERO }
            };
            match limit.checked_sub(still) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left).await,
                _ => return,
            }
        }
    }

    /// What went through it.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.lock().counted
    }

    /// The next bytes of stdin; `None` at its end or when closed.
    pub async fn stdin(&self) -> Option<Vec<u8>> {
        loop {
            {
                let mut state = self.lock();
                // Asked for more: the server has taken what came before.
                if std::mem::take(&mut state.handed_out) {
                    state.last_move = Instant::now();
                }
                if !state.stdin.is_empty() {
                    state.handed_out = true;
                    let count = state.stdin.len().min(MAX_CHUNK);
                    let bytes = state.stdin.drain(..count).collect();
                    drop(state);
                    self.changed.notify_all();
                    return Some(bytes);
                }
                if state.stdin_ended || state.closed.is_some() {
                    return None;
                }
            }
            self.wanted.notified().await;
        }
    }

    /// Puts output in, once there is room. False when closed.
    pub async fn put(&self, kind: Kind, bytes: &[u8]) -> bool {
        for part in bytes.chunks(MAX_CHUNK) {
            loop {
                {
                    let mut state = self.lock();
                    if state.closed.is_some() || state.out_ended {
                        return false;
                    }
                    if state.out.size() < MAX_OUT {
                        state.push(kind, part);
                        break;
                    }
                }
                self.room.notified().await;
            }
            self.changed.notify_all();
        }
        true
    }

    /// The last chunk: the exit status. Never waits for room.
    pub fn exit(&self, status: u32) {
        let mut state = self.lock();
        if !state.out_ended {
            state.push(Kind::Exit, &status.to_be_bytes());
            state.out_ended = true;
        }
        drop(state);
        self.changed.notify_all();
        self.given.notify_all();
    }
}

impl State {
    fn push(&mut self, kind: Kind, bytes: &[u8]) {
        self.out.push(kind, bytes);
        self.last_move = Instant::now();
        if kind != Kind::Exit {
            self.counted.down += bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tunnel::{CHUNK_HEAD, Chunks, MAX_AHEAD};

    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }

    fn read(channel: &Channel, ack: u64) -> Result<Vec<(Kind, Vec<u8>)>, Broken> {
        let mut bytes = Vec::new();
        channel.read(ack, ack, 0, &mut bytes)?;
        Ok(Chunks::new(&bytes).map(|chunk| chunk.map(|(kind, bytes)| (kind, bytes.to_vec())).unwrap()).collect())
    }

    #[test]
    fn stdin_that_comes_twice_is_taken_once() {
        let channel = Channel::default();
        assert_eq!(channel.write(0, false, b"abc"), Ok(3));
        assert_eq!(channel.write(0, false, b"abc"), Ok(3));
        assert_eq!(channel.write(1, false, b"bcde"), Ok(5));
        assert_eq!(now(channel.stdin()), Some(Some(b"abcde".to_vec())));
        assert_eq!(channel.write(6, false, b"x"), Err(Broken::Gap));
        assert_eq!(channel.write(5, true, b""), Ok(5));
        assert_eq!(now(channel.stdin()), Some(None));
    }

    #[test]
    fn stdin_is_taken_up_to_its_limit_and_no_further() {
        let channel = Channel::default();
        let bytes = vec![1; MAX_IN + 1];
        assert_eq!(channel.write(0, false, &bytes), Ok(MAX_IN as u64));
        // Full: held back, then told that nothing more was taken.
        assert_eq!(channel.write(MAX_IN as u64, true, b"x"), Ok(MAX_IN as u64));
        assert_eq!(now(channel.stdin()).flatten().map(|bytes| bytes.len()), Some(MAX_CHUNK));
        assert_eq!(channel.write(MAX_IN as u64, true, b"x"), Ok(MAX_IN as u64 + 1));
    }

    #[test]
    fn a_piece_is_given_again_until_it_is_acknowledged_and_never_after() {
        let channel = Channel::default();
        assert_eq!(now(channel.put(Kind::Stdout, b"one")), Some(true));
        assert_eq!(now(channel.put(Kind::Stderr, b"two")), Some(true));
        let first = read(&channel, 0).unwrap();
        assert_eq!(first, [(Kind::Stdout, b"one".to_vec()), (Kind::Stderr, b"two".to_vec())]);
        // What comes meanwhile belongs to the next.
        assert_eq!(now(channel.put(Kind::Stderr, b"three")), Some(true));
        channel.exit(7);
        assert_eq!(read(&channel, 0).unwrap(), first);
        let rest = [(Kind::Stderr, b"three".to_vec()), (Kind::Exit, vec![0, 0, 0, 7])];
        assert_eq!(read(&channel, 1).unwrap(), rest);
        assert_eq!(read(&channel, 0), Err(Broken::Replay));
        assert_eq!(read(&channel, 2), Ok(vec![]), "nothing follows the exit status");
        assert_eq!(read(&channel, 3), Err(Broken::Replay), "it was never given");
        assert_eq!(read(&channel, u64::MAX), Err(Broken::Replay));
    }

    #[test]
    fn one_piece_ahead_may_be_asked_for_and_comes_after_the_one_before_it() {
        let channel = Channel::default();
        let at = |ack, piece| {
            let mut bytes = Vec::new();
            channel.read(ack, piece, 0, &mut bytes).map(|()| bytes.len())
        };
        assert_eq!(now(channel.put(Kind::Stdout, b"one")), Some(true));
        assert_eq!(at(0, MAX_AHEAD), Ok(0), "the first was not given yet");
        assert_eq!(at(0, MAX_AHEAD + 1), Err(Broken::Replay));
        assert_eq!(at(0, u64::MAX), Err(Broken::Replay));
        assert_eq!(at(0, 0), Ok(CHUNK_HEAD + 3));
        assert_eq!(now(channel.put(Kind::Stdout, b"three")), Some(true));
        assert_eq!(at(0, 1), Ok(CHUNK_HEAD + 5));
        assert_eq!((at(0, 0), at(0, 1)), (Ok(CHUNK_HEAD + 3), Ok(CHUNK_HEAD + 5)), "both again");
        assert_eq!(at(1, 0), Err(Broken::Replay), "asked for what is acknowledged by the same frame");
        assert_eq!((at(2, 2), at(0, 2)), (Ok(0), Err(Broken::Replay)));
        assert_eq!(at(1, 1), Err(Broken::Replay));
    }

    #[test]
    fn who_waits_for_a_piece_that_another_connection_has_taken_gets_nothing_and_breaks_nothing() {
        let channel = Channel::default();
        assert_eq!(now(channel.put(Kind::Stdout, b"one")), Some(true));
        let before = channel.lock().last_request;
        std::thread::scope(|scope| {
            // The connection behind this was lost, and the guest has asked again.
            let orphan = scope.spawn(|| {
                let mut bytes = Vec::new();
                channel.read(0, 1, MAX_HOLD, &mut bytes).map(|()| bytes)
            });
            // The lock is free again once it waits.
            while channel.lock().last_request == before {
                std::thread::yield_now();
            }
            read(&channel, 0).unwrap();
            assert_eq!(now(channel.put(Kind::Stdout, b"two")), Some(true));
            let second = read(&channel, 1).unwrap();
            let third = read(&channel, 2);
            let orphan = orphan.join().unwrap().unwrap();
            // Either it came in time and has the same, or it came too late.
            assert!(orphan.is_empty() || orphan.ends_with(b"two"));
            assert_eq!((second, third), (vec![(Kind::Stdout, b"two".to_vec())], Ok(vec![])));
        });
    }

    #[test]
    fn small_packets_of_one_kind_go_out_as_one_chunk() {
        let channel = Channel::default();
        for (kind, bytes) in [(Kind::Stdout, "a"), (Kind::Stdout, "b"), (Kind::Stderr, "c"), (Kind::Stdout, "d")] {
            assert_eq!(now(channel.put(kind, bytes.as_bytes())), Some(true));
        }
        let chunks = [(Kind::Stdout, b"ab".to_vec()), (Kind::Stderr, b"c".to_vec()), (Kind::Stdout, b"d".to_vec())];
        assert_eq!(read(&channel, 0).unwrap(), chunks);
        // Never into a piece that was given.
        assert_eq!(now(channel.put(Kind::Stdout, b"e")), Some(true));
        assert_eq!(read(&channel, 0).unwrap(), chunks);
        assert_eq!(read(&channel, 1).unwrap(), [(Kind::Stdout, b"e".to_vec())]);
        assert_eq!(channel.counted().down, 5);
    }

    #[test]
    fn output_waits_at_its_limit_and_goes_on_when_some_was_taken() {
        for size in [MAX_CHUNK, 1000, 1] {
            let channel = Channel::default();
            let bytes = vec![0; size];
            let mut length = 0;
            while now(channel.put(Kind::Stdout, &bytes)) == Some(true) {
                length += size;
            }
            // What is held is at most one packet more than the limit, however small they are.
            let held = channel.lock().out.size();
            assert!((MAX_OUT..MAX_OUT + MAX_READ).contains(&held), "{held} bytes in packets of {size}");
            assert!(length > MAX_OUT / 2 && length <= held, "{length} bytes in packets of {size}");
            read(&channel, 0).unwrap();
            assert_eq!(now(channel.put(Kind::Stdout, &bytes)), None, "given and not acknowledged");
            read(&channel, 1).unwrap();
            assert_eq!(now(channel.put(Kind::Stdout, &bytes)), Some(true));
        }
    }

    #[test]
    fn a_channel_that_was_opened_and_left_is_as_silent_as_any_other() {
        let (began, channel) = (Instant::now(), Channel::default());
        std::thread::sleep(Duration::from_millis(5));
        assert!(channel.silence() >= Duration::from_millis(5));
        channel.write(0, false, b"").unwrap();
        assert!(channel.silence() + Duration::from_millis(5) <= began.elapsed());
    }

    #[test]
    fn stdin_behind_the_servers_end_counts_as_taken_and_costs_no_output() {
        let channel = Channel::default();
        now(channel.put(Kind::Stderr, b"no"));
        channel.exit(1);
        // A whole push, frame by frame, to a server that has refused it already.
        assert_eq!(channel.write(0, false, b"abc"), Ok(3));
        assert_eq!(channel.write(3, false, b"def"), Ok(6));
        assert_eq!(channel.write(3, true, b"def"), Ok(6));
        assert_eq!(channel.write(7, true, b"x"), Err(Broken::Gap));
        assert_eq!(read(&channel, 0).unwrap(), [(Kind::Stderr, b"no".to_vec()), (Kind::Exit, vec![0, 0, 0, 1])]);
    }

    #[test]
    fn an_answer_is_held_no_longer_than_its_limit() {
        let channel = Channel::default();
        let began = Instant::now();
        channel.read(0, 0, u32::MAX, &mut Vec::new()).unwrap();
        let held = began.elapsed();
        assert!(held >= Duration::from_millis(MAX_HOLD.into()) && held < Duration::from_secs(20), "{held:?}");
    }

    #[test]
    fn who_waits_on_a_closed_channel_is_told_why() {
        let channel = Channel::default();
        channel.close("the lease is over");
        let closed = Err(Broken::Closed("the lease is over".into()));
        assert_eq!(read(&channel, 0), closed);
        assert_eq!(channel.write(0, false, b"x").map(|_| Vec::new()), closed);
        assert_eq!(now(channel.put(Kind::Stdout, b"x")), Some(false));
        assert_eq!(now(channel.stdin()), Some(None));
    }
}
