//! PURE: the output of one channel as numbered pieces, each given out whole and as often as it is
//! asked for until it is acknowledged ([`crate::wire::tunnel`]).

use std::collections::VecDeque;

use crate::wire::tunnel::{CHUNK_HEAD, Kind, MAX_AHEAD, MAX_READ};
use crate::wire::tunnel_host::chunk_head;

/// Output that was acknowledged is asked for again, or output that never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfStep;

/// What the guest may still ask for.
#[derive(Default)]
pub(super) struct Pieces {
    /// Whole chunks, up to [`MAX_READ`] in one.
    queue: VecDeque<Vec<u8>>,
    /// The number of the first.
    first: u64,
    /// How many have been given out: those stay as they are.
    given: usize,
    /// The kind and the begin of the last chunk of the last piece.
    open_chunk: Option<(Kind, usize)>,
    /// The memory that they take.
    size: usize,
}

impl Pieces {
    /// The memory that they take, in bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether nothing is left that the guest has not acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Forgets the pieces before `ack`, where `piece` may be asked for with that. Returns how
    /// many it forgot.
    pub(super) fn acknowledge(&mut self, ack: u64, piece: u64) -> Result<u64, OutOfStep> {
        // What is acknowledged was given, and what is asked for was not acknowledged.
        let may_ask = ack..=ack.saturating_add(MAX_AHEAD);
        if ack > self.first + self.given as u64 || piece < self.first || !may_ask.contains(&piece) {
            return Err(OutOfStep);
        }
        let before = self.first;
        while self.first < ack {
            if let Some(piece) = self.queue.pop_front() {
                self.size -= piece.capacity();
            }
            self.first += 1;
            self.given = self.given.saturating_sub(1);
        }
        Ok(self.first - before)
    }

    /// Whether this piece has been acknowledged.
    pub(super) fn is_gone(&self, piece: u64) -> bool {
        piece < self.first
    }

    /// Whether the piece before this one was given out, so that this one is the next to come.
    pub(super) fn is_next(&self, piece: u64) -> bool {
        self.place(piece).is_some_and(|place| place <= self.given)
    }

    /// Whether there is, in its place, something that could be given out.
    pub(super) fn holds(&self, piece: u64) -> bool {
        self.place(piece).is_some_and(|place| place < self.queue.len())
    }

    /// Gives a piece out, which closes it. Only after the one before it.
    pub(super) fn give(&mut self, piece: u64) -> Option<&[u8]> {
        let place = self.place(piece).filter(|place| *place <= self.given)?;
        let bytes = self.queue.get(place)?;
        self.given = self.given.max(place + 1);
        Some(bytes)
    }

    fn place(&self, piece: u64) -> Option<usize> {
        piece.checked_sub(self.first).and_then(|place| usize::try_from(place).ok())
    }

    /// Puts bytes into the last piece where it has room and was not given out, or else into a new
    /// one; behind bytes of the same kind without a head of their own, because git reads from its
    /// pipe what the guest writes at once, and servers send in small packets.
    pub(super) fn push(&mut self, kind: Kind, bytes: &[u8]) {
        let room = |piece: &Vec<u8>| piece.len() + CHUNK_HEAD + bytes.len() <= MAX_READ;
        if self.queue.len() == self.given || !self.queue.back().is_some_and(room) {
            self.queue.push_back(Vec::new());
            self.open_chunk = None;
        }
        let Some(piece) = self.queue.back_mut() else { return };
        let before = piece.capacity();
        let needed = piece.len() + CHUNK_HEAD + bytes.len();
        if needed > before {
            // As Vec grows by itself, but never past the limit.
            piece.reserve_exact(needed.max((before * 2).min(MAX_READ)) - piece.len());
        }
        let begin = match self.open_chunk {
            Some((of, begin)) if of == kind => begin,
            _ => {
                let begin = piece.len();
                piece.extend_from_slice(&[0; CHUNK_HEAD]);
                begin
            }
        };
        piece.extend_from_slice(bytes);
        let length = u32::try_from(piece.len() - begin - CHUNK_HEAD).unwrap_or(u32::MAX);
        if let Some(head) = piece.get_mut(begin..begin + CHUNK_HEAD) {
            head.copy_from_slice(&chunk_head(kind, length));
        }
        self.open_chunk = Some((kind, begin));
        self.size += piece.capacity() - before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_holds_bytes_up_to_its_limit() {
        for (length, pieces) in [(MAX_READ - CHUNK_HEAD, 1), (MAX_READ - CHUNK_HEAD + 1, 2)] {
            let mut held = Pieces::default();
            let half = length / 2;
            // The second joins the first's chunk, but is only promised room with a head.
            held.push(Kind::Stdout, &vec![0; half - CHUNK_HEAD]);
            held.push(Kind::Stdout, &vec![0; length - half]);
            assert_eq!(held.queue.len(), pieces, "{length}");
            assert!(held.queue.iter().all(|piece| piece.capacity() <= MAX_READ));
            assert_eq!(held.size(), held.queue.iter().map(Vec::capacity).sum::<usize>());
        }
    }

    #[test]
    fn what_is_acknowledged_is_no_longer_counted() {
        let mut held = Pieces::default();
        held.push(Kind::Stdout, b"one");
        assert!(held.holds(0) && !held.holds(1) && held.is_next(0) && !held.is_next(1));
        assert_eq!(held.give(1), None);
        assert_eq!(held.give(0).map(<[u8]>::len), Some(CHUNK_HEAD + 3));
        assert_eq!(held.acknowledge(0, 0), Ok(0));
        assert_eq!(held.acknowledge(1, 1), Ok(1));
        assert!(held.is_empty() && held.size() == 0 && held.is_gone(0) && !held.is_gone(1));
        assert_eq!(held.acknowledge(2, 2), Err(OutOfStep));
        assert_eq!(held.acknowledge(u64::MAX, u64::MAX), Err(OutOfStep));
    }
}
