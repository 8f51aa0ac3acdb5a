use std::collections::BTreeSet;

use super::super::finding::{Found, Key, Severity};
use super::super::hidden::Paths;
use super::super::layer::Placed;
use super::*;
use crate::image::layer::{Blob, Compression, Content};
use crate::image::stream::{Entry, Kind};

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, context: &[&str]) -> Result<Cache, CacheError> {
        Cache::open(&self.path("cache"), &self.path("state/key"), context.iter().copied())
    }
}

fn layer(cache: &Cache, content: &[u8]) -> ReadBlob {
    let mut paths = Paths::default();
    for name in ["a/b", "a/.wh.c", "d/.wh..wh..opq"] {
        let entry = Entry { name: name.as_bytes(), length: 0, kind: Kind::File, link: b"" };
        paths.take(&entry, &cache.hashing());
    }
    let found = Found {
        rule: "openssh-private-key",
        severity: Severity::Error,
        message: "a private key".into(),
        remedy: "revoke it",
        at: 0,
        length: 400,
        wrapped: vec!["base64", "gzip"],
        key: Some(Key {
            kind: "ssh-ed25519".into(),
            fingerprint: Some("SHA256:x".into()),
            encrypted: true,
            known_test_key: None,
        }),
    };
    let digest = Digest::of(content);
    let content = Content::Layer { compression: Compression::Zstd, diff_id: Digest([7; 32]), unpacked: 99 };
    ReadBlob {
        blob: Blob { digest, size: 42, content },
        name: "blobs/sha256/x".into(),
        placed: vec![Placed { found, path: Some(b"a/\xff".to_vec()), inner: vec![b"in".to_vec()], offset: 17 }],
        paths,
        gaps: vec![(vec![b"a".to_vec()], "is encrypted".into())],
        gaps_more: 3,
        entries: 4,
        files: 5,
        bytes: 6,
        cached: false,
    }
}

/// Everything of it that a report is made of.
fn said(read: &ReadBlob) -> String {
    let hashes = read.paths.hashes().map(|hashes| hashes.iter().copied().collect::<BTreeSet<_>>());
    let ReadBlob { blob, placed, gaps, gaps_more, entries, files, bytes, .. } = read;
    format!("{blob:?} {placed:?} {gaps:?} {gaps_more} {entries} {files} {bytes} {hashes:?}")
}

#[test]
fn what_was_found_in_a_layer_comes_back_as_it_was_for_later_audits_too() {
    let world = World::new();
    let cache = world.open(&["rules 1"]).unwrap();
    let read = layer(&cache, b"layer");
    assert!(cache.get(read.blob.digest).is_none());
    cache.put(&read);
    let later = world.open(&["rules 1"]).unwrap();
    let again = later.get(read.blob.digest).unwrap();
    assert_eq!(said(&again), said(&read));
    assert!(again.cached && again.paths.hide(b"a/c", &later.hashing()) && again.paths.hide(b"d/x", &later.hashing()));
    assert!(later.get(Digest::of(b"another layer")).is_none());
}

#[test]
fn what_other_rules_or_keys_found_does_not_count() {
    let world = World::new();
    let cache = world.open(&["rules 1", "SHA256:a"]).unwrap();
    let read = layer(&cache, b"layer");
    cache.put(&read);
    for other in
        [&["rules 2", "SHA256:a"][..], &["rules 1"], &["rules 1", "SHA256:a", "SHA256:b"], &["rules 1SHA256:a"]]
    {
        assert!(world.open(other).unwrap().get(read.blob.digest).is_none(), "{other:?}");
    }
    // Nor when the file is carried over to them.
    let other = world.open(&["rules 2"]).unwrap();
    fs::copy(cache.path(read.blob.digest), other.path(read.blob.digest)).unwrap();
    assert!(other.get(read.blob.digest).is_none());
}

#[test]
fn an_entry_that_was_cut_off_changed_or_renamed_is_none_whichever_byte_it_is() {
    let world = World::new();
    let cache = world.open(&["rules"]).unwrap();
    let read = layer(&cache, b"layer");
    cache.put(&read);
    let path = cache.path(read.blob.digest);
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(cache.get(read.blob.digest).is_none(), "cut at {length}");
        let mut changed = whole.clone();
        changed[length] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(cache.get(read.blob.digest).is_none(), "changed at {length}");
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(cache.get(read.blob.digest).is_none(), "more behind it");
    fs::write(&path, &whole).unwrap();
    assert!(cache.get(read.blob.digest).is_some());
    let other = Digest::of(b"a layer with a key");
    fs::rename(&path, cache.path(other)).unwrap();
    assert!(cache.get(other).is_none(), "the verdict of another layer");
}

#[test]
fn an_entry_of_another_machine_is_none() {
    let (here, there) = (World::new(), World::new());
    let (cache, other) = (here.open(&["rules"]).unwrap(), there.open(&["rules"]).unwrap());
    let read = layer(&other, b"layer");
    other.put(&read);
    fs::copy(other.path(read.blob.digest), cache.path(read.blob.digest)).unwrap();
    assert!(cache.get(read.blob.digest).is_none());
}

#[test]
fn an_entry_that_is_a_link_a_pipe_or_too_long_is_not_read() {
    let world = World::new();
    let cache = world.open(&["rules"]).unwrap();
    let read = layer(&cache, b"layer");
    cache.put(&read);
    let path = cache.path(read.blob.digest);
    fs::rename(&path, world.path("moved")).unwrap();
    std::os::unix::fs::symlink(world.path("moved"), &path).unwrap();
    assert!(cache.get(read.blob.digest).is_none(), "a link");
    fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(cache.get(read.blob.digest).is_none(), "a pipe that nobody writes to");
    fs::remove_file(&path).unwrap();
    File::create(&path).unwrap().set_len(MAX_ENTRY + 1).unwrap();
    assert!(cache.get(read.blob.digest).is_none(), "too long");
}

/// With a right MAC, an entry of [`MAX_ENTRY`] bytes is read, and one of a byte more is not.
#[test]
fn an_entry_is_as_long_as_it_may_be_and_no_longer() {
    let world = World::new();
    let cache = world.open(&["rules"]).unwrap();
    for (more, kept) in [(0, true), (1, false)] {
        let mut read = layer(&cache, b"layer");
        read.gaps = vec![(Vec::new(), String::new())];
        let rest = entry::encode(&read).unwrap().len() + MAC;
        read.gaps[0].1 = "x".repeat(usize::try_from(MAX_ENTRY).unwrap() - rest + more);
        let _ = fs::remove_file(cache.path(read.blob.digest));
        cache.put(&read);
        assert_eq!(cache.get(read.blob.digest).is_some(), kept, "{more} more");
    }
}

#[test]
fn a_key_that_somebody_else_could_know_or_have_made_is_refused() {
    let world = World::new();
    world.open(&["rules"]).unwrap();
    let key = world.path("state/key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(world.open(&["rules"]), Err(CacheError::Key(_))), "{mode:o}");
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    world.open(&["rules"]).unwrap();
    for wrong in [&[][..], &[1; 31], &[1; 33]] {
        fs::write(&key, wrong).unwrap();
        assert!(matches!(world.open(&["rules"]), Err(CacheError::Key(_))), "{} bytes", wrong.len());
    }
    fs::rename(&key, world.path("moved")).unwrap();
    std::os::unix::fs::symlink(world.path("moved"), &key).unwrap();
    assert!(matches!(world.open(&["rules"]), Err(CacheError::File { .. })), "a link");
}

#[test]
fn audits_that_start_at_once_agree_on_one_key() {
    let world = World::new();
    let caches: Vec<Cache> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..16).map(|_| scope.spawn(|| world.open(&["rules"]).unwrap())).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let read = layer(&caches[0], b"layer");
    for cache in &caches {
        cache.put(&read);
        assert!(caches.iter().all(|other| other.get(read.blob.digest).is_some()));
    }
    let left: Vec<_> = fs::read_dir(world.path("state")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half made stays: {left:?}");
}

#[test]
fn the_oldest_entries_go_when_there_are_more_than_are_kept() {
    let world = World::new();
    let cache = world.open(&["rules"]).unwrap();
    let other = world.open(&["old rules"]).unwrap();
    let now = SystemTime::now();
    let mut all = Vec::new();
    for index in 0..10_u8 {
        let cache = if index % 2 == 0 { &cache } else { &other };
        let read = layer(cache, &[index]);
        cache.put(&read);
        let path = cache.path(read.blob.digest);
        let age = std::time::Duration::from_secs(u64::from(index));
        File::options().write(true).open(&path).unwrap().set_modified(now - age).unwrap();
        all.push(path);
    }
    let left = || all.iter().filter(|path| path.exists()).count();
    let size = fs::metadata(&all[0]).unwrap().len();
    cache.prune_to(10, 10 * size);
    assert_eq!(left(), 10);
    cache.prune_to(9, 10 * size);
    assert!(left() == 9 && !all[9].exists());
    cache.prune_to(9, 5 * size + 1);
    assert!(left() == 5 && all[4].exists());
}
