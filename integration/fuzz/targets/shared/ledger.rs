//! A sink that counts every byte it is shown, and checks what each sink relies on: a stream's
//! bytes are fresh once and in order, what is said to be shown once more is, and nothing lies
//! deeper than the limit.

use std::collections::BTreeMap;

use valetkey::image::limits::{Gap, MAX_DEPTH, MAX_NAME};
use valetkey::image::stream::{AHEAD, BEHIND, Entry, FRESH, Kind, Sink, Window};

/// Where a stream lies: see [`Sink`].
pub(crate) type Trail = Vec<Vec<u8>>;

/// Entries and gaps that are kept one by one.
const MAX_TOLD: usize = 20_000;
/// Bytes of the layer that are kept.
const MAX_KEPT: usize = 1 << 20;

/// What was shown. Two of the same bytes are equal, however these came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Entries and gaps, in order.
    pub(crate) told: Vec<(Trail, Told)>,
    /// What was shown at each trail.
    pub(crate) shown: BTreeMap<Trail, Shown>,
    /// The first bytes of the layer itself.
    pub(crate) layer: Vec<u8>,
    /// Streams that have not ended, and how far each is shown.
    open: Vec<(Trail, u64)>,
    /// Bytes of entries that are to be shown once more, by the trail of that.
    opened: BTreeMap<Trail, u64>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Entry { name: Vec<u8>, length: u64, kind: Kind, link: Vec<u8> },
    Gap(Gap),
}

/// What was shown at one trail, several streams of the same names together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) streams: u64,
    pub(crate) bytes: u64,
    /// Of each byte and its offset, in any order: streams of the same names may be open at once.
    sum: u64,
    /// Entries: start, length, name, and whether they are shown once more.
    pub(crate) spans: Vec<(u64, u64, Vec<u8>, bool)>,
}

impl Ledger {
    /// Every stream came to its end, and what was passed over as opened was shown.
    pub(crate) fn end(&self) {
        assert!(self.open.is_empty(), "every stream ends: {:?}", self.open);
        for (trail, bytes) in &self.opened {
            let shown = self.shown.get(trail).map_or(0, |shown| shown.bytes);
            assert!(shown >= *bytes, "{shown} of {bytes} bytes are shown once more: {trail:?}");
        }
    }
}

impl Sink for Ledger {
    fn window(&mut self, trail: &[Vec<u8>], window: &Window<'_>) {
        bounded(trail, MAX_DEPTH);
        let (bytes, fresh) = (window.bytes, window.fresh.clone());
        assert!(bytes.len() <= FRESH + AHEAD && fresh.start <= fresh.end && fresh.end <= bytes.len());
        assert!(window.offset == 0 || fresh.start <= BEHIND, "memory is one window");
        // What begins here is seen whole.
        assert!(if window.last { fresh.end == bytes.len() } else { fresh.end + AHEAD <= bytes.len() });
        let start = window.offset + fresh.start as u64;
        let end = window.offset + fresh.end as u64;

        let shown = self.shown.entry(trail.to_vec()).or_default();
        let open = self.open.iter().rposition(|(open, shown)| open == trail && *shown == start);
        let open = open.unwrap_or_else(|| {
            assert_eq!(start, 0, "each byte is fresh once and in order: {trail:?}");
            shown.streams += 1;
            self.open.push((trail.to_vec(), 0));
            self.open.len() - 1
        });
        self.open[open].1 = end;
        if window.last {
            self.open.swap_remove(open);
        }
        shown.bytes += fresh.len() as u64;
        for (at, byte) in (start..).zip(&bytes[fresh.clone()]) {
            shown.sum = shown.sum.wrapping_add(weight(at).wrapping_mul(u64::from(*byte) + 1));
        }
        if trail.is_empty() {
            let room = MAX_KEPT - self.layer.len();
            self.layer.extend(bytes[fresh].iter().take(room));
        }

        let mut behind = 0;
        for span in window.spans {
            assert!(span.start >= behind, "entries are in order, and none lies in another: {:?}", window.spans);
            behind = span.start.saturating_add(span.length);
            assert!(span.name.len() <= MAX_NAME);
            if (start..end).contains(&span.start) {
                shown.spans.push((span.start, span.length, span.name.clone(), span.opened));
            }
            if span.opened {
                let again = behind.min(end).saturating_sub(span.start.max(start));
                let below = trail.iter().cloned().chain([span.name.clone()]).collect();
                *self.opened.entry(below).or_default() += again;
            }
        }
    }

    fn entry(&mut self, trail: &[Vec<u8>], entry: &Entry<'_>) {
        bounded(trail, MAX_DEPTH);
        assert!(entry.name.len() <= MAX_NAME && entry.link.len() <= MAX_NAME);
        assert!(entry.link.is_empty() || entry.kind == Kind::Link);
        let (name, link) = (entry.name.to_vec(), entry.link.to_vec());
        self.tell(trail, Told::Entry { name, length: entry.length, kind: entry.kind, link });
    }

    fn gap(&mut self, trail: &[Vec<u8>], gap: Gap) {
        // That of the entry that was not opened.
        bounded(trail, MAX_DEPTH + 1);
        self.tell(trail, Told::Gap(gap));
    }
}

impl Ledger {
    fn tell(&mut self, trail: &[Vec<u8>], told: Told) {
        if self.told.len() < MAX_TOLD {
            self.told.push((trail.to_vec(), told));
        }
    }
}

fn bounded(trail: &[Vec<u8>], depth: usize) {
    assert!(trail.len() <= depth, "deeper than the limit: {trail:?}");
    assert!(trail.iter().all(|name| name.len() <= MAX_NAME));
}

/// A number of an offset's own (Steele, Lea, Flood: SplitMix).
fn weight(at: u64) -> u64 {
    let mixed = (at ^ at >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 27) | 1
}
