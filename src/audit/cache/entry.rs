//! One layer as the cache keeps it: what was found in it, what it hides, what was not read. A
//! JSON head, and behind it the hashes of its paths, 8 bytes each, little-endian. No secret is in
//! it, because none is in what is found.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::audit::finding::{Found, Key, Severity};
use crate::audit::hidden::Paths;
use crate::audit::layer::Placed;
use crate::audit::read::ReadBlob;
use crate::image::digest::Digest;
use crate::image::layer::{Blob, Compression, Content};

/// Names of rules, remedies and encodings that entries may have, all together: the rules have
/// some hundred.
const MAX_WORDS: usize = 4_096;

#[derive(Serialize, Deserialize)]
struct Head {
    size: u64,
    compression: Stored,
    diff_id: String,
    unpacked: u64,
    entries: u64,
    files: u64,
    bytes: u64,
    gaps: Vec<(Vec<Vec<u8>>, String)>,
    gaps_more: u64,
    placed: Vec<Kept>,
    /// How many hashes of files, folders, whiteouts and opaque folders follow.
    paths: [usize; 4],
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Stored {
    None,
    Gzip,
    Zstd,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    rule: String,
    severity: Severity,
    message: String,
    remedy: String,
    length: usize,
    wrapped: Vec<String>,
    key: Option<Key>,
    path: Option<Vec<u8>>,
    inner: Vec<Vec<u8>>,
    offset: u64,
}

/// The bytes of a layer's entry; none of what is no layer.
pub(super) fn encode(read: &ReadBlob) -> Option<Vec<u8>> {
    let Content::Layer { compression, diff_id, unpacked } = &read.blob.content else { return None };
    let hashes = read.paths.hashes();
    let head = Head {
        size: read.blob.size,
        compression: match compression {
            Compression::None => Stored::None,
            Compression::Gzip => Stored::Gzip,
            Compression::Zstd => Stored::Zstd,
        },
        diff_id: diff_id.to_string(),
        unpacked: *unpacked,
        entries: read.entries,
        files: read.files,
        bytes: read.bytes,
        gaps: read.gaps.clone(),
        gaps_more: read.gaps_more,
        placed: read.placed.iter().map(kept).collect(),
        paths: hashes.map(HashSet::len),
    };
    let head = serde_json::to_vec(&head).ok()?;
    let mut bytes = u32::try_from(head.len()).ok()?.to_le_bytes().to_vec();
    bytes.extend(head);
    for hash in hashes.into_iter().flatten() {
        bytes.extend(hash.to_le_bytes());
    }
    Some(bytes)
}

fn kept(placed: &Placed) -> Kept {
    let Placed { found, path, inner, offset } = placed;
    Kept {
        rule: found.rule.to_owned(),
        severity: found.severity,
        message: found.message.clone(),
        remedy: found.remedy.to_owned(),
        length: found.length,
        wrapped: found.wrapped.iter().map(|word| (*word).to_owned()).collect(),
        key: found.key.clone(),
        path: path.clone(),
        inner: inner.clone(),
        offset: *offset,
    }
}

/// The layer with that digest, from what [`encode`] gave. The name is the caller's to put in.
pub(super) fn decode(bytes: &[u8], digest: Digest) -> Option<ReadBlob> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (head, mut rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    let mut lists = [const { Vec::new() }; 4];
    for (list, count) in lists.iter_mut().zip(head.paths) {
        let (hashes, behind) = rest.split_at_checked(count.checked_mul(8)?)?;
        *list = hashes.as_chunks::<8>().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect::<Vec<_>>();
        rest = behind;
    }
    if !rest.is_empty() {
        return None;
    }
    let compression = match head.compression {
        Stored::None => Compression::None,
        Stored::Gzip => Compression::Gzip,
        Stored::Zstd => Compression::Zstd,
    };
    let content = Content::Layer { compression, diff_id: Digest::parse(&head.diff_id)?, unpacked: head.unpacked };
    Some(ReadBlob {
        blob: Blob { digest, size: head.size, content },
        name: String::new(),
        placed: head.placed.into_iter().map(placed).collect::<Option<_>>()?,
        paths: Paths::of(lists.map(HashSet::from_iter)),
        gaps: head.gaps,
        gaps_more: head.gaps_more,
        entries: head.entries,
        files: head.files,
        bytes: head.bytes,
        cached: true,
    })
}

fn placed(kept: Kept) -> Option<Placed> {
    let found = Found {
        rule: word(&kept.rule)?,
        severity: kept.severity,
        message: kept.message,
        remedy: word(&kept.remedy)?,
        at: 0,
        length: kept.length,
        wrapped: kept.wrapped.iter().map(|text| word(text)).collect::<Option<_>>()?,
        key: kept.key,
    };
    Some(Placed { found, path: kept.path, inner: kept.inner, offset: kept.offset })
}

/// A word of the rules' own, which are all static: each is kept once, for as long as the program
/// runs.
fn word(text: &str) -> Option<&'static str> {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = words.get(text) {
        return Some(*word);
    }
    if words.len() == MAX_WORDS {
        return None;
    }
    let word: &'static str = Box::leak(text.to_owned().into_boxed_str());
    words.insert(word);
    Some(word)
}
