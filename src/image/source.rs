//! Where an image's blobs come from: an archive, a folder, standard input, an engine.
//!
//! Files are read by several threads at once; a stream is read as it comes, and what its blobs
//! are is known when all were read.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::archive::{self, Unseekable};
use super::digest::Digest;
use super::inner::sniff::{Format, HEAD, sniff};
use super::registry::Registry;

/// Blobs of one folder or archive.
pub const MAX_BLOBS: usize = 100_000;
/// How deep a folder with an OCI layout may go: `blobs/sha256/HEX` is 3.
const MAX_FOLDERS: usize = 4;

/// A blob that can be opened by several threads.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name in the archive or folder.
    pub name: String,
    /// How long it is said to be.
    pub size: u64,
    /// The name of the blob that this one is a link to.
    pub link: Option<String>,
    /// Where its bytes are.
    pub opener: Opener,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
pub enum Opener {
    /// In a file, from an offset on.
    File(PathBuf, u64),
    /// In memory: a manifest that was fetched already.
    Memory(Arc<[u8]>),
    /// In a registry.
    Registry(Arc<Registry>, Digest),
    /// Nowhere, and why.
    Failed(String),
}

impl Place {
    /// Its bytes: no more than one over its size, however many there are.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match &self.opener {
            Opener::File(path, offset) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(*offset))?;
                Box::new(file.take(self.size))
            }
            Opener::Memory(bytes) => Box::new(&bytes[..]),
            Opener::Registry(registry, digest) => Box::new(registry.blob(*digest)?.take(self.size.saturating_add(1))),
            Opener::Failed(reason) => return Err(io::Error::other(reason.clone())),
        })
    }
}

/// An opened source.
pub enum Source {
    /// Places in files.
    Places(Vec<Place>),
    /// An archive that comes as a stream, from a child where one writes it.
    Stream(Box<dyn Read + Send>, Option<Saving>),
}

impl Source {
    /// Bytes of all blobs, where they are known before they are read.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Places(places) => Some(places.iter().map(|place| place.size).sum()),
            Self::Stream(..) => None,
        }
    }
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or folder.
    #[error("failed to read {path}: {error}")]
    Read {
        /// As it was named.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// Neither a tar nor a folder with an OCI layout.
    #[error("{0} is neither an image archive nor a folder with an OCI layout")]
    NoImage(String),
    /// More than [`MAX_BLOBS`].
    #[error("{0} has more than {MAX_BLOBS} files")]
    TooMany(String),
    /// An image in a registry.
    #[error("failed to pull {image}: {reason}")]
    Registry {
        /// As it was named.
        image: String,
        /// Why.
        reason: String,
    },
    /// No engine's client.
    #[error("failed to start {engine}: {error}")]
    Engine {
        /// `docker` or `podman`.
        engine: String,
        /// Why.
        error: io::Error,
    },
    /// The engine's own words.
    #[error("{engine} failed to save {image}: {said}")]
    Save {
        /// `docker` or `podman`.
        engine: String,
        /// As it was named.
        image: String,
        /// The last line that it printed.
        said: String,
    },
}

/// Opens a file or a folder.
///
/// # Errors
/// See [`SourceError`].
pub fn open(path: &Path) -> Result<Source, SourceError> {
    let name = path.display().to_string();
    let failed = |error| SourceError::Read { path: name.clone(), error };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        let mut places = Vec::new();
        folder(path, "", 0, &mut places).map_err(failed)?;
        if places.len() > MAX_BLOBS {
            return Err(SourceError::TooMany(name));
        }
        if !places.iter().any(|place| matches!(place.name.as_str(), "index.json" | "manifest.json")) {
            return Err(SourceError::NoImage(name));
        }
        return Ok(Source::Places(places));
    }
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return stream(Box::new(file), &name);
    }
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    file.rewind().map_err(failed)?;
    match sniff(&head) {
        Some(Format::Tar) => {
            let mut places = Vec::new();
            let length = file.metadata().map_err(failed)?.len();
            archive::walk(&mut file, &mut |member, _| {
                if member.offset.saturating_add(member.size) > length || places.len() > MAX_BLOBS {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("the archive is cut off in {}", crate::ui::one_line(&member.name)),
                    ));
                }
                places.push(Place {
                    name: member.name.clone(),
                    size: member.size,
                    link: member.link.clone(),
                    opener: Opener::File(path.to_owned(), member.offset),
                });
                Ok(())
            })
            .map_err(failed)?;
            Ok(Source::Places(places))
        }
        _ => stream(Box::new(file), &name),
    }
}

/// An archive as a stream, compressed as a whole or not.
///
/// # Errors
/// See [`SourceError`].
pub fn stream(mut reader: Box<dyn Read + Send>, name: &str) -> Result<Source, SourceError> {
    let failed = |error| SourceError::Read { path: name.to_owned(), error };
    let mut head = Vec::with_capacity(HEAD);
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    let format = sniff(&head);
    let whole = io::Cursor::new(head).chain(reader);
    match format {
        Some(Format::Tar) => Ok(Source::Stream(Box::new(whole), None)),
        Some(Format::Gzip) => Ok(Source::Stream(Box::new(flate2::read::MultiGzDecoder::new(whole)), None)),
        Some(Format::Zstd) => {
            let decoder = zstd::stream::read::Decoder::new(whole).map_err(failed)?;
            Ok(Source::Stream(Box::new(decoder), None))
        }
        _ => Err(SourceError::NoImage(name.to_owned())),
    }
}

fn folder(path: &Path, prefix: &str, depth: usize, places: &mut Vec<Place>) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // Links are followed as a reader of the layout would; a device would never end.
        let metadata = fs::metadata(entry.path())?;
        if metadata.is_dir() && depth < MAX_FOLDERS {
            folder(&entry.path(), &format!("{name}/"), depth + 1, places)?;
        } else if metadata.is_file() {
            let opener = Opener::File(entry.path(), 0);
            places.push(Place { name, size: metadata.len(), link: None, opener });
        }
        if places.len() > MAX_BLOBS {
            break;
        }
    }
    Ok(())
}

/// An engine that is saving an image.
pub struct Saving {
    child: Child,
    said: Option<JoinHandle<Vec<u8>>>,
    engine: String,
    image: String,
}

/// Has an engine save an image, as a stream. `client` is its program with global flags; `hidden`
/// names the variables of our environment that hold secrets, which are none of its business.
///
/// # Errors
/// [`SourceError::Engine`] where the client cannot be started.
pub fn save(client: &[OsString], image: &str, hidden: &[OsString]) -> Result<Source, SourceError> {
    let (program, globals) =
        client.split_first().map_or((OsStr::new("docker"), &[][..]), |(program, rest)| (program, rest));
    let engine = program.to_string_lossy().into_owned();
    let mut command = Command::new(program);
    // A name is not taken for a flag.
    command.args(globals).args(["image", "save", "--", image]);
    for name in hidden {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| SourceError::Engine { engine: engine.clone(), error })?;
    let Some(output) = child.stdout.take() else { return Err(SourceError::NoImage(image.to_owned())) };
    // Read beside the archive: an engine that waits for somebody to read this would never end.
    let said = child.stderr.take().map(|output| std::thread::spawn(move || last(output)));
    let saving = Saving { child, said, engine, image: image.to_owned() };
    Ok(Source::Stream(Box::new(output), Some(saving)))
}

/// The end of what an engine says.
fn last(mut output: impl Read) -> Vec<u8> {
    /// Bytes of it that are kept.
    const MAX_SAID: usize = 16 * 1024;
    let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = output.read(&mut piece) {
        kept.extend_from_slice(&piece[..count]);
        let over = kept.len().saturating_sub(MAX_SAID);
        kept.drain(..over);
    }
    kept
}

impl Saving {
    /// Waits for the engine, whose output was read to its end.
    ///
    /// # Errors
    /// [`SourceError::Save`] with what it said where it failed.
    pub fn end(mut self) -> Result<(), SourceError> {
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        let failed = |said: String| SourceError::Save { engine: self.engine.clone(), image: self.image.clone(), said };
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let said =
                    String::from_utf8_lossy(&said).lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned);
                Err(failed(said.unwrap_or_else(|| status.to_string())))
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        // Only where it was not waited for: the audit has ended before the archive.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The members of a streamed archive, read as a [`Unseekable`].
///
/// # Errors
/// The stream's, and those of `each`.
pub fn members(
    reader: Box<dyn Read + Send>,
    each: &mut dyn FnMut(&archive::Member, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut source = Unseekable(reader);
    archive::walk(&mut source, each)?;
    // What is behind the end marker is the writer's padding; a pipe must be read to its end.
    io::copy(&mut source, &mut io::sink()).map(|_| ())
}
