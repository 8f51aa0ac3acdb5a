//! Packs of Git (gitformat-pack(5)), read from their beginning: every object is inflated, and
//! deltas are resolved against the objects before them as far as those are still in memory.
//!
//! An object that was held in memory is named by its id, for `git show`; a longer one by where
//! it lies. A delta whose base is not at hand is shown as it is (what it adds is in it, in one
//! piece), and a gap counts those.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use super::super::limits::{Gap, MAX_ENTRIES};
use super::super::stream::{Part, Sink};
use super::compressed::Inflate;
use super::delta::Delta;
use super::{Nest, Unpacks, damaged, invalid, member};

/// An object's kind, by its number in a pack.
const KINDS: [&str; 5] = ["", "commit", "tree", "blob", "tag"];
const OFFSET_DELTA: u8 = 6;
const NAME_DELTA: u8 = 7;

/// Objects that later ones may build on, the one used longest ago forgotten first.
struct Bases {
    most: usize,
    bytes: usize,
    tick: u64,
    by_offset: HashMap<u64, Base>,
    by_id: HashMap<[u8; 20], u64>,
    by_tick: BTreeMap<u64, u64>,
}

#[derive(Clone)]
struct Base {
    kind: &'static str,
    id: [u8; 20],
    content: Rc<[u8]>,
    tick: u64,
}

/// Bytes that the tables take for an object beside its content, about.
const ENTRY: usize = 256;

impl Bases {
    fn keep(&mut self, offset: u64, kind: &'static str, id: [u8; 20], content: Rc<[u8]>) {
        self.tick += 1;
        self.bytes += content.len() + ENTRY;
        self.by_offset.insert(offset, Base { kind, id, content, tick: self.tick });
        self.by_id.insert(id, offset);
        self.by_tick.insert(self.tick, offset);
        while self.bytes > self.most {
            let Some((_, oldest)) = self.by_tick.pop_first() else { break };
            if let Some(base) = self.by_offset.remove(&oldest) {
                self.bytes -= base.content.len() + ENTRY;
                self.by_id.remove(&base.id);
            }
        }
    }

    fn get(&mut self, offset: u64) -> Option<Base> {
        let base = self.by_offset.get_mut(&offset)?;
        self.tick += 1;
        self.by_tick.remove(&base.tick);
        self.by_tick.insert(self.tick, offset);
        base.tick = self.tick;
        Some(base.clone())
    }
}

/// Reads all objects of a pack.
pub(super) fn walk<'a>(
    mut part: Part<'_, '_>,
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    nest: Nest<'_>,
) -> Result<(), Gap> {
    let all = part.left;
    let mut head = [0; 12];
    part.read_exact(&mut head).map_err(damaged)?;
    let count = u64::from(u32::from_be_bytes([head[8], head[9], head[10], head[11]]));
    if count > MAX_ENTRIES {
        return Err(Gap::Entries);
    }
    let most = usize::try_from(nest.memory / 2).unwrap_or(usize::MAX);
    let nest = nest.holding(nest.memory / 2);
    let (by_offset, by_id, by_tick) = (HashMap::new(), HashMap::new(), BTreeMap::new());
    let mut bases = Bases { most: most / 2, bytes: 0, tick: 0, by_offset, by_id, by_tick };
    let mut reader = Reader { sink, trail, nest, largest: most / 8, missing: 0 };
    for _ in 0..count {
        let offset = all - part.left;
        reader.object(&mut part, offset, &mut bases).map_err(|gap| match gap {
            Gap::Damaged(why) => Gap::Damaged(format!("object at {offset}: {why}")),
            gap => gap,
        })?;
    }
    if reader.missing > 0 { Err(Gap::Bases(reader.missing)) } else { Ok(()) }
}

struct Reader<'a, 'n> {
    sink: &'a RefCell<dyn Sink + 'a>,
    trail: Vec<Vec<u8>>,
    nest: Nest<'n>,
    /// Bytes of an object that is held in memory.
    largest: usize,
    missing: u64,
}

impl Reader<'_, '_> {
    fn object(&mut self, part: &mut Part<'_, '_>, offset: u64, bases: &mut Bases) -> Result<(), Gap> {
        let (number, size) = header(part).map_err(damaged)?;
        let base = match number {
            1..=4 => {
                return self.whole(part, offset, KINDS[usize::from(number)], size, bases);
            }
            OFFSET_DELTA => {
                let back = distance(part).map_err(damaged)?;
                offset.checked_sub(back).and_then(|at| bases.get(at))
            }
            NAME_DELTA => {
                let mut id = [0; 20];
                part.read_exact(&mut id).map_err(damaged)?;
                bases.by_id.get(&id).copied().and_then(|at| bases.get(at))
            }
            other => return Err(Gap::Damaged(format!("kind {other} is none"))),
        };
        let held = usize::try_from(size).is_ok_and(|size| size <= self.largest);
        let (Some(base), true) = (base, held) else {
            self.missing += 1;
            return self.show(&mut Inflating::new(part, size), format!("delta at {offset}").as_bytes());
        };
        let delta = Inflating::new(part, size).all().map_err(damaged)?;
        let mut delta = Delta::new(base.content, delta).map_err(damaged)?;
        if usize::try_from(delta.length()).is_ok_and(|length| length <= self.largest) {
            let mut content = Vec::new();
            delta.read_to_end(&mut content).map_err(damaged)?;
            self.held(offset, base.kind, content, bases)
        } else {
            self.show(&mut delta, format!("{} at {offset}", base.kind).as_bytes())
        }
    }

    fn whole(
        &mut self,
        part: &mut Part<'_, '_>,
        offset: u64,
        kind: &'static str,
        size: u64,
        bases: &mut Bases,
    ) -> Result<(), Gap> {
        let mut inflating = Inflating::new(part, size);
        if usize::try_from(size).is_ok_and(|size| size <= self.largest) {
            let mut content = Vec::new();
            let Err(error) = inflating.read_to_end(&mut content) else {
                return self.held(offset, kind, content, bases);
            };
            // What there is of a damaged one.
            self.show(&mut Held { content: content.into(), at: 0 }, format!("{kind} at {offset}").as_bytes())?;
            return Err(damaged(error));
        }
        self.show(&mut inflating, format!("{kind} at {offset}").as_bytes())?;
        // What a cap cut off has to be passed over, for the next object.
        io::copy(&mut inflating, &mut io::sink()).map(|_| ()).map_err(damaged)
    }

    /// Shows an object that is in memory, and keeps it for later ones.
    fn held(&mut self, offset: u64, kind: &'static str, content: Vec<u8>, bases: &mut Bases) -> Result<(), Gap> {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        context.update(format!("{kind} {}\0", content.len()).as_bytes());
        context.update(&content);
        let mut id = [0; 20];
        id.copy_from_slice(context.finish().as_ref());
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let content: Rc<[u8]> = content.into();
        bases.keep(offset, kind, id, Rc::clone(&content));
        self.show(&mut Held { content, at: 0 }, format!("{kind} {hex}").as_bytes())
    }

    fn show(&self, content: &mut dyn Unpacks, name: &[u8]) -> Result<(), Gap> {
        member(content, self.sink, self.trail.clone(), name, self.nest)
    }
}

/// The kind and the length of the object that begins here.
fn header(part: &mut Part<'_, '_>) -> io::Result<(u8, u64)> {
    let mut byte = one(part)?;
    let number = byte >> 4 & 7;
    let mut size = u64::from(byte & 0xf);
    let mut shift = 4;
    while byte & 0x80 != 0 {
        byte = one(part)?;
        if shift > 56 {
            return Err(invalid("its length is none"));
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
    }
    Ok((number, size))
}

/// How far back the base of a delta lies.
fn distance(part: &mut Part<'_, '_>) -> io::Result<u64> {
    let mut byte = one(part)?;
    let mut number = u64::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = one(part)?;
        let next = number.checked_add(1).filter(|next| *next < 1 << 56);
        number = next.ok_or_else(|| invalid("its distance is none"))? << 7 | u64::from(byte & 0x7f);
    }
    Ok(number)
}

fn one(part: &mut Part<'_, '_>) -> io::Result<u8> {
    let mut byte = [0];
    part.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A zlib stream of a known length.
struct Inflating<R> {
    inflate: Inflate<R>,
    left: u64,
}

impl<R: BufRead> Inflating<R> {
    fn new(input: R, size: u64) -> Self {
        Self { inflate: Inflate::zlib(input), left: size }
    }

    /// All of it, which the caller knows to be little enough.
    fn all(mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.read_to_end(&mut content)?;
        Ok(content)
    }
}

impl<R: BufRead> Read for Inflating<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // One byte more than it has would be the first that is too many.
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).max(1).min(out.len());
        let count = self.inflate.read(&mut out[..most])?;
        if count as u64 > self.left {
            return Err(invalid("it is longer than it says"));
        }
        self.left -= count as u64;
        if count == 0 && self.left > 0 && !out.is_empty() {
            return Err(invalid("it is shorter than it says"));
        }
        Ok(count)
    }
}

impl<R: BufRead> Unpacks for Inflating<R> {
    fn eaten(&self) -> u64 {
        self.inflate.eaten()
    }

    fn memory(&self) -> u64 {
        self.inflate.memory()
    }

    fn proven(&self) -> bool {
        true
    }
}

/// An object in memory.
struct Held {
    content: Rc<[u8]>,
    at: usize,
}

impl Read for Held {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = (&self.content[self.at..]).read(out)?;
        self.at += count;
        Ok(count)
    }
}

impl Unpacks for Held {
    fn eaten(&self) -> u64 {
        u64::MAX
    }

    fn memory(&self) -> u64 {
        0
    }

    fn proven(&self) -> bool {
        true
    }
}
