//! Reads a source to its end: every blob once, by several threads where it lies in files, then
//! the manifests that say which blobs make which image.
//!
//! A layer that an earlier audit read is not read again ([`super::cache`]): its digest is taken, or
//! it stays in its registry, which serves it by its digest.
//!
//! Nothing is passed over in silence: a blob that is missing, damaged or of an unknown type is
//! in the report's `unread`, and the report is then not complete.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use super::cache::Cache;
use super::finding::Report;
use super::hidden::{Hashing, Paths};
use super::layer::{LayerSink, Placed};
use super::scan::Scanner;
use crate::image::digest::{Digest, Digesting};
use crate::image::layer::{Blob, Content};
use crate::image::limits::MAX_DOCUMENTS;
use crate::image::manifest::digest_of_name;
use crate::image::source::{self, Opener, Place, Source, SourceError};
use crate::image::{layer, stream::Sink};
use crate::ui::one_line;
use crate::ui::progress::Done;

mod images;

/// A blob, and what was found in it.
pub(super) struct ReadBlob {
    pub(super) blob: Blob,
    /// Its name in the archive or folder.
    pub(super) name: String,
    pub(super) placed: Vec<Placed>,
    pub(super) paths: Paths,
    pub(super) gaps: Vec<(Vec<Vec<u8>>, String)>,
    pub(super) gaps_more: u64,
    pub(super) entries: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Whether an earlier audit read it.
    pub(super) cached: bool,
}

/// All blobs of a source.
#[derive(Default)]
pub(super) struct Blobs {
    pub(super) all: HashMap<Digest, ReadBlob>,
    pub(super) names: BTreeMap<String, Digest>,
    pub(super) links: BTreeMap<String, String>,
    /// What could not be read, and why.
    pub(super) failed: Vec<(String, String)>,
    documents: u64,
}

/// How an audit goes about it.
pub struct Audit<'a> {
    /// The rules.
    pub scanner: &'a Scanner,
    /// Threads for sources that are files.
    pub threads: usize,
    /// How far it is.
    pub done: &'a Done,
    /// What earlier audits found.
    pub cache: Option<&'a Cache>,
}

impl Audit<'_> {
    /// Audits what `source` holds; `name` is what it is called where it does not say itself.
    ///
    /// # Errors
    /// When it cannot be read at all. What is wrong with parts of it is in the report.
    pub fn run(&self, name: &str, source: Source) -> Result<Report, SourceError> {
        let hashing = self.cache.map_or_else(Hashing::default, Cache::hashing);
        let blobs = match source {
            Source::Places(places) => self.places(places, &hashing),
            Source::Stream(reader, saving) => {
                let blobs = self.stream(name, reader, &hashing)?;
                // An engine that failed wrote nothing, or half: its own words say why.
                if let Some(saving) = saving {
                    saving.end()?;
                }
                blobs
            }
        };
        Ok(images::resolve(name, blobs, self.scanner, &hashing))
    }

    fn places(&self, mut places: Vec<Place>, hashing: &Hashing) -> Blobs {
        let mut blobs = Blobs::default();
        places.retain(|place| match &place.link {
            Some(link) => {
                blobs.links.insert(place.name.clone(), link.clone());
                false
            }
            None => true,
        });
        // The largest first: threads end together.
        places.sort_by_key(|place| place.size);
        let queue = Mutex::new(places);
        let done = Mutex::new(blobs);
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
                        let Some(place) = next else { break };
                        let read = self.place(&place, hashing);
                        done.lock().unwrap_or_else(PoisonError::into_inner).take(place.name, read);
                    }
                });
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, place: &Place, hashing: &Hashing) -> io::Result<ReadBlob> {
        if let Some(known) = self.known(&place.name) {
            if matches!(place.opener, Opener::Registry(..)) {
                return Ok(self.again(known, &place.name));
            }
            if let Ok(read) = self.compare(known, &place.name, &mut place.open()?) {
                return Ok(read);
            }
        }
        self.blob(&place.name, &mut place.open()?, hashing)
    }

    /// What an earlier audit found in the blob that this name stands for.
    fn known(&self, name: &str) -> Option<ReadBlob> {
        self.cache?.get(digest_of_name(name).or_else(|| Digest::from_hex(name.strip_suffix(".tar")?))?)
    }

    /// It, if `reader` gives the very same blob.
    fn compare(&self, known: ReadBlob, name: &str, reader: &mut dyn Read) -> io::Result<ReadBlob> {
        let mut digesting = Digesting::new(Progress { inner: reader, since: 0, done: self.done });
        io::copy(&mut digesting, &mut io::sink())?;
        let (digest, size) = digesting.finish();
        if (digest, size) != (known.blob.digest, known.blob.size) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("its digest is {digest}")));
        }
        Ok(self.again(known, name))
    }

    fn again(&self, known: ReadBlob, name: &str) -> ReadBlob {
        self.done.blobs.fetch_add(1, Ordering::Relaxed);
        ReadBlob { name: name.to_owned(), ..known }
    }

    fn stream(&self, name: &str, reader: Box<dyn Read + Send>, hashing: &Hashing) -> Result<Blobs, SourceError> {
        let mut blobs = Blobs::default();
        let read = source::members(reader, &mut |member, content| {
            if let Some(link) = &member.link {
                blobs.links.insert(member.name.clone(), link.clone());
                return Ok(());
            }
            if blobs.names.len() + blobs.failed.len() >= source::MAX_BLOBS {
                return Err(io::Error::other("more files than an image has"));
            }
            let mut counted = Counted { inner: content, read: 0 };
            let read = match self.known(&member.name) {
                Some(known) => self.compare(known, &member.name, &mut counted),
                None => self.blob(&member.name, &mut counted, hashing),
            };
            let cut = counted.read < member.size;
            let read = match read {
                Ok(_) if cut => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut off")),
                read => read,
            };
            blobs.take(member.name.clone(), read);
            Ok(())
        });
        match read {
            Err(error) if blobs.names.is_empty() && blobs.failed.is_empty() => {
                Err(SourceError::Read { path: name.to_owned(), error })
            }
            Err(error) => {
                blobs.failed.push((name.to_owned(), error.to_string()));
                Ok(blobs)
            }
            Ok(()) => Ok(blobs),
        }
    }

    fn blob(&self, name: &str, reader: &mut dyn Read, hashing: &Hashing) -> io::Result<ReadBlob> {
        let sink = RefCell::new(LayerSink::new(self.scanner, hashing));
        let mut progress = Progress { inner: reader, since: 0, done: self.done };
        let read = layer::read(&mut progress, &sink as &RefCell<dyn Sink + '_>);
        self.done.bytes.fetch_add(progress.since, Ordering::Relaxed);
        self.done.blobs.fetch_add(1, Ordering::Relaxed);
        let mut sink = sink.into_inner();
        sink.end();
        let read = ReadBlob {
            blob: read?,
            name: name.to_owned(),
            placed: sink.placed,
            paths: sink.paths,
            gaps: sink.gaps,
            gaps_more: sink.gaps_more,
            entries: sink.entries,
            files: sink.files,
            bytes: sink.bytes,
            cached: false,
        };
        if let Some(cache) = self.cache {
            cache.put(&read);
        }
        Ok(read)
    }
}

impl Blobs {
    fn take(&mut self, name: String, read: io::Result<ReadBlob>) {
        match read {
            Err(error) => self.failed.push((name, error.to_string())),
            Ok(read) => {
                let digest = read.blob.digest;
                if digest_of_name(&name).is_some_and(|said| said != digest) {
                    self.failed.push((name.clone(), format!("its digest is {digest}")));
                }
                if let Content::Document(document) = &read.blob.content {
                    self.documents += document.len() as u64;
                    if self.documents > MAX_DOCUMENTS {
                        self.failed.push((name, format!("the documents have more than {} MiB", MAX_DOCUMENTS >> 20)));
                        return;
                    }
                }
                self.names.insert(name, digest);
                self.all.entry(digest).or_insert(read);
            }
        }
    }

    /// The blob of that name, by way of links.
    fn named(&self, name: &str) -> Option<&ReadBlob> {
        /// Links in a row: an engine writes one.
        const MAX_LINKS: usize = 4;
        let mut name = name.to_owned();
        for _ in 0..MAX_LINKS {
            if let Some(digest) = self.names.get(&name) {
                return self.all.get(digest);
            }
            let link = self.links.get(&name)?;
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            name = if self.names.contains_key(link) { link.clone() } else { beside(folder, link) };
        }
        None
    }
}

/// A link's target, as seen from the folder that it lies in.
fn beside(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

struct Counted<'a> {
    inner: &'a mut dyn Read,
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

/// Tells how far it is, every few megabytes.
struct Progress<'a> {
    inner: &'a mut dyn Read,
    since: u64,
    done: &'a Done,
}

impl Read for Progress<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const STEP: u64 = 4 << 20;
        let count = self.inner.read(buffer)?;
        self.since += count as u64;
        if self.since >= STEP {
            self.done.bytes.fetch_add(std::mem::take(&mut self.since), Ordering::Relaxed);
        }
        Ok(count)
    }
}

/// How a blob, or a place in it, is called in what was not read.
pub(super) fn place(blob: &str, trail: &[Vec<u8>]) -> String {
    let names = trail.iter().map(|name| show(name)).collect::<Vec<_>>().join("!/");
    if names.is_empty() { one_line(blob) } else { format!("{}: {names}", one_line(blob)) }
}

/// A name as text: bytes that are no UTF-8, and what would write to a terminal, escaped.
pub(super) fn show(name: &[u8]) -> String {
    name.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(&one_line(chunk.valid()));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        text
    })
}
