//! What earlier audits found in layers, so that a second audit of an image that shares layers
//! reads only the new ones.
//!
//! An entry is asked for by the digest of the layer **as it is stored**: the diffID of a compressed
//! layer is the word of a config until the layer is decompressed, which is what the cache is to
//! spare. It counts for the same rules of the same program and the same keys that were looked for
//! ([`Cache::open`]'s `context`), and where a blob lies in a file or comes as a stream its digest is
//! taken all the same.
//!
//! An entry is believed for its MAC alone, with a key that lies outside of the cache's folder and
//! is made on this machine: a cache that somebody else wrote, changed, renamed or cut off, or
//! that was carried here from another machine, is as good as none. Who can read the key is the
//! user, and could as well replace the program.
//!
//! Owns the two folders. Refuses to say why an entry is not there: the layer is read then.

mod entry;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::hidden::Hashing;
use super::read::ReadBlob;
use crate::image::digest::Digest;

/// Bytes of one entry: a layer of [`crate::image::limits::MAX_ENTRIES`] has half of it.
pub const MAX_ENTRY: u64 = 64 << 20;
/// Entries that are kept, the newest ones.
pub const MAX_ENTRIES: usize = 4_096;
/// Bytes that are kept, of the newest entries.
pub const MAX_BYTES: u64 = 512 << 20;
/// Bytes of the key.
const KEY: usize = 32;
/// Bytes of a MAC, in front of an entry.
const MAC: usize = 32;
/// Changes with the form of an entry.
const FORM: &[u8] = b"valetkey layer 1";

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The key or a folder cannot be made or read.
    #[error("failed to use {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Somebody else could have written or read the key.
    #[error("{0} is not a file of 32 bytes that you own and nobody else can open")]
    Key(PathBuf),
}

/// See the module.
pub struct Cache {
    root: PathBuf,
    folder: PathBuf,
    key: hmac::Key,
    hashing: Hashing,
    context: Digest,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Cache {
    /// The cache in the folder `root`, with the key in the file `key`; both are made where they
    /// are missing. `context` is everything that an entry depends on beside the layer: the
    /// version of the rules, the fingerprints of keys that are looked for.
    ///
    /// # Errors
    /// See [`CacheError`].
    pub fn open<'c>(root: &Path, key: &Path, context: impl IntoIterator<Item = &'c str>) -> Result<Self, CacheError> {
        let mut words = Zeroizing::new([b"valetkey context", FORM].concat());
        for word in context {
            words.extend((word.len() as u64).to_le_bytes());
            words.extend(word.as_bytes());
        }
        let secret = match read_key(key)? {
            Some(secret) => secret,
            None => make_key(key)?,
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_slice());
        // With the key: what is looked for may be a secret that could be guessed from a digest of it.
        let mut context = [0; 32];
        context.copy_from_slice(hmac::sign(&key, &words).as_ref());
        let context = Digest(context);
        let folder = root.join(&context.hex()[..32]);
        make_folder(&folder).map_err(|error| CacheError::File { path: folder.clone(), error })?;
        let mut paths = [0; 16];
        paths.copy_from_slice(&hmac::sign(&key, b"valetkey paths").as_ref()[..16]);
        Ok(Self { root: root.to_owned(), folder, key, hashing: Hashing::keyed(&paths), context })
    }

    /// How paths are hashed in all audits that use this cache.
    #[must_use]
    pub fn hashing(&self) -> Hashing {
        self.hashing.clone()
    }

    /// What was found in the layer with that digest, if an audit with the same context read it.
    pub(super) fn get(&self, digest: Digest) -> Option<ReadBlob> {
        let mut bytes = Vec::new();
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(self.path(digest)).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        file.take(MAX_ENTRY + 1).read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 > MAX_ENTRY {
            return None;
        }
        let (mac, entry) = bytes.split_first_chunk::<MAC>()?;
        hmac::verify(&self.key, &self.signed(digest, entry), mac).ok()?;
        entry::decode(entry, digest)
    }

    /// Keeps what was found in a layer. That it cannot be kept is no error of the audit.
    pub(super) fn put(&self, read: &ReadBlob) {
        let Some(entry) = entry::encode(read).filter(|entry| (entry.len() + MAC) as u64 <= MAX_ENTRY) else { return };
        let mac = hmac::sign(&self.key, &self.signed(read.blob.digest, &entry));
        let _ = write_whole(&self.path(read.blob.digest), &[mac.as_ref(), &entry], false);
    }

    /// Removes the oldest entries, of other contexts as well, that are more than is kept.
    pub fn prune(&self) {
        self.prune_to(MAX_ENTRIES, MAX_BYTES);
    }

    fn prune_to(&self, most: usize, bytes: u64) {
        let folders = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let files = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = files
            .filter_map(|file| {
                let about = file.metadata().ok()?;
                Some((about.modified().ok()?, about.len(), file.path()))
            })
            .collect();
        entries.sort_by(|a, b| b.cmp(a));
        let mut sum = 0;
        for (index, (_, length, path)) in entries.iter().enumerate() {
            sum += length;
            if index >= most || sum > bytes {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.hex())
    }

    fn signed(&self, digest: Digest, entry: &[u8]) -> Vec<u8> {
        [FORM, &self.context.0, &digest.0, entry].concat()
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The key, if there is one; an error where somebody else could know or have made it.
fn read_key(path: &Path) -> Result<Option<Zeroizing<[u8; KEY]>>, CacheError> {
    let failed = |error| CacheError::File { path: path.to_owned(), error };
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let about = file.metadata().map_err(failed)?;
    let own = about.uid() == rustix::process::geteuid().as_raw();
    if !about.is_file() || !own || about.permissions().mode() & 0o077 != 0 || about.len() != KEY as u64 {
        return Err(CacheError::Key(path.to_owned()));
    }
    let mut key = Zeroizing::new([0; KEY]);
    file.read_exact(key.as_mut_slice()).map_err(failed)?;
    Ok(Some(key))
}

fn make_key(path: &Path) -> Result<Zeroizing<[u8; KEY]>, CacheError> {
    let failed = |error| CacheError::File { path: path.to_owned(), error };
    let mut key = Zeroizing::new([0; KEY]);
    aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_| failed(io::Error::other("no random bytes")))?;
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(failed)?;
    }
    match write_whole(path, &[key.as_slice()], true) {
        Ok(()) => Ok(key),
        // Another audit was faster: its key counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(path)?.ok_or_else(|| CacheError::Key(path.to_owned()))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a file whole or not at all, for others as well who read it meanwhile. `new` says that
/// one which is there stays.
fn write_whole(path: &Path, parts: &[&[u8]], new: bool) -> io::Result<()> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no random bytes"))?;
    let beside = path.with_extension(format!("new-{:016x}", u64::from_le_bytes(random)));
    let written = (|| {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        if new { fs::hard_link(&beside, path) } else { fs::rename(&beside, path) }
    })();
    if new || written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests;
