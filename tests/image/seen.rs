//! A sink that keeps all it is shown, and checks what every sink may rely on: each byte of a
//! stream is fresh once, in order; an entry's bytes come from its first one on, in order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use valetkey::image::inner::{Nest, content};
use valetkey::image::limits::Gap;
use valetkey::image::stream::{Entry, Kind, Sink, Stream, Window};
use valetkey::image::tar;

/// What was shown.
#[derive(Default)]
pub(crate) struct Seen {
    /// Fresh bytes of each stream that is open or was, with its trail.
    pub(crate) streams: Vec<(String, Vec<u8>, bool)>,
    /// Content of each entry that is not shown once more, by its path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) entries: Vec<(String, Kind, u64)>,
    pub(crate) gaps: Vec<(String, Gap)>,
    /// Keeps nothing but counts: for bombs.
    pub(crate) forget: bool,
    pub(crate) bytes: u64,
}

fn path(trail: &[Vec<u8>], name: &[u8]) -> String {
    let steps = trail.iter().map(Vec::as_slice).chain([name]);
    steps.map(|step| String::from_utf8_lossy(step).into_owned()).collect::<Vec<_>>().join("!/")
}

impl Sink for Seen {
    fn window(&mut self, trail: &[Vec<u8>], window: &Window<'_>) {
        let fresh = &window.bytes[window.fresh.clone()];
        self.bytes += fresh.len() as u64;
        if self.forget {
            return;
        }
        let trail_text = path(trail, b"");
        let start = usize::try_from(window.offset).unwrap() + window.fresh.start;
        let open = self.streams.iter_mut().rev().find(|s| s.0 == trail_text && !s.2 && s.1.len() == start);
        match open {
            Some(stream) => {
                stream.1.extend_from_slice(fresh);
                stream.2 = window.last;
            }
            None => {
                assert_eq!(start, 0, "the first bytes of a stream come first: {trail_text}");
                self.streams.push((trail_text, fresh.to_vec(), window.last));
            }
        }
        let mut at = window.fresh.start;
        while at < window.fresh.end {
            let Some((span, offset)) = window.entry(at) else {
                let here = window.offset + at as u64;
                let next = window.spans.iter().map(|span| span.start).find(|start| *start > here);
                at = next.map_or(window.fresh.end, |next| usize::try_from(next - window.offset).unwrap());
                continue;
            };
            let left = usize::try_from(span.length - offset).unwrap_or(usize::MAX);
            let count = left.min(window.fresh.end - at);
            if !span.opened {
                // Several may have the same name: the later ones are numbered.
                let name = path(trail, &span.name);
                let numbered = (0..).map(|n| if n == 0 { name.clone() } else { format!("{name} ({n})") });
                let same: Vec<_> = numbered.take_while(|name| self.files.contains_key(name)).collect();
                let begun = same.iter().rev().find(|name| offset > 0 && self.files[*name].len() as u64 == offset);
                assert!(begun.is_some() || offset == 0, "in order: {name}");
                let new = if same.is_empty() { name.clone() } else { format!("{name} ({})", same.len()) };
                let file = self.files.entry(begun.cloned().unwrap_or(new)).or_default();
                file.extend_from_slice(&window.bytes[at..at + count]);
            }
            at += count;
        }
    }

    fn entry(&mut self, trail: &[Vec<u8>], entry: &Entry<'_>) {
        if !self.forget {
            self.entries.push((path(trail, entry.name), entry.kind, entry.length));
        }
    }

    fn gap(&mut self, trail: &[Vec<u8>], gap: Gap) {
        if self.gaps.len() < 10_000 {
            self.gaps.push((trail.iter().map(|s| String::from_utf8_lossy(s)).collect::<Vec<_>>().join("!/"), gap));
        }
    }
}

impl Seen {
    /// What the file at `path` holds.
    #[track_caller]
    pub(crate) fn file(&self, path: &str) -> &[u8] {
        self.files.get(path).unwrap_or_else(|| panic!("{path} in {:?}", self.files.keys()))
    }

    /// Gaps in words.
    pub(crate) fn said(&self) -> Vec<String> {
        self.gaps.iter().map(|(trail, gap)| format!("{trail}: {gap}")).collect()
    }
}

/// Reads `source` as a layer's tar.
pub(crate) fn layer(source: &mut dyn Read) -> (Seen, std::io::Result<()>) {
    let sink = RefCell::new(Seen::default());
    let unpacked = Cell::new(0);
    let mut stream = Stream::new(source, &sink, Vec::new());
    let walked = tar::walk(&mut stream, Nest::outermost(&unpacked));
    let finished = stream.finish();
    (sink.into_inner(), finished.and(walked))
}

/// Reads `source` as one file of a layer, called `name`.
pub(crate) fn entry_of(name: &str, source: &mut dyn Read, forget: bool) -> Seen {
    entry(name, source, forget, 0)
}

/// The same, once the entries before it unpacked to `spent` bytes.
pub(crate) fn entry_after(spent: u64, name: &str, source: &mut dyn Read) -> Seen {
    entry(name, source, false, spent)
}

fn entry(name: &str, source: &mut dyn Read, forget: bool, spent: u64) -> Seen {
    let sink = RefCell::new(Seen { forget, ..Seen::default() });
    let unpacked = Cell::new(spent);
    let mut stream = Stream::new(source, &sink, Vec::new());
    stream.span(name.as_bytes().to_vec(), u64::MAX);
    content(&mut stream, name.as_bytes(), u64::MAX, Nest::outermost(&unpacked)).unwrap();
    stream.finish().unwrap();
    sink.into_inner()
}

/// The same, of bytes that are at hand.
pub(crate) fn opened(name: &str, bytes: &[u8]) -> Seen {
    entry_of(name, &mut &bytes[..], false)
}

/// Runs a program in `folder` and gives what it writes.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs a Python script in `folder` and gives what it writes.
pub(crate) fn python(folder: &Path, script: &str) -> Vec<u8> {
    run(folder, "python3", &["-c", script])
}

/// Pseudo-random numbers from a fixed seed (xorshift, Marsaglia 2003).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256).to_le_bytes()[0]).collect()
    }
}
