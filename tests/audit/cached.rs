//! What an earlier audit found in a layer: a later one takes it, and nobody can make it take
//! anything else.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use valetkey::audit::cache::Cache;
use valetkey::image::digest::Digest;
use valetkey::image::source;

use super::made::{Layout, MARK, audit_again, gzip, tar, zstd};

struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn cache(&self) -> Cache {
        Cache::open(&self.0.path().join("cache"), &self.0.path().join("key"), ["rules"]).unwrap()
    }

    /// An archive in the form of OCI; its blobs have their digests as names.
    fn archive(&self, tars: &[&[u8]], suffix: &str, store: fn(&[u8]) -> Vec<u8>) -> PathBuf {
        let mut layout = Layout::default();
        let tars: Vec<_> = tars.iter().map(|tar| tar.to_vec()).collect();
        let image = layout.image(&tars, suffix, store);
        layout.root(image);
        let path = self.0.path().join(format!("image{}.tar", fs::read_dir(self.0.path()).unwrap().count()));
        fs::write(&path, layout.archive()).unwrap();
        path
    }

    /// A new key, which is in the file `key` as well.
    fn key(&self) -> Vec<u8> {
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-f", "key"]).current_dir(self.0.path());
        assert!(make.status().unwrap().success());
        fs::read(self.0.path().join("key")).unwrap()
    }

    /// The built program, with a home of this test's own.
    fn audit(&self, home: &str, arguments: &[&str]) -> (i32, Value) {
        let home = self.0.path().join(home);
        let mut command = Command::new(env!("CARGO_BIN_EXE_valetkey"));
        command.env("XDG_CACHE_HOME", home.join("cache")).env("XDG_STATE_HOME", home.join("state"));
        command.args(["audit", "--format", "json"]).args(arguments).current_dir(self.0.path());
        let done = command.output().unwrap();
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        let report = serde_json::from_slice(&done.stdout).unwrap_or(Value::String(errors));
        (done.status.code().unwrap(), report)
    }
}

fn open(path: &Path) -> source::Source {
    source::open(path).unwrap()
}

fn stream(path: &Path) -> source::Source {
    source::stream(Box::new(Cursor::new(fs::read(path).unwrap())), "the image").unwrap()
}

fn cached(report: &Value) -> Vec<bool> {
    let layers = report["images"][0]["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer["cached"] == true).collect()
}

/// Entries of a cache, by the digest that is their name.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(cache).unwrap().map(|folder| folder.unwrap().path());
    folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect()
}

#[test]
fn a_second_audit_reads_only_the_layers_that_are_new() {
    for (suffix, store) in
        [("", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("+gzip", gzip as fn(&[u8]) -> Vec<u8>), ("+zstd", zstd)]
    {
        let world = World::new();
        let base = tar(&[("etc/leaked", MARK.as_bytes()), ("usr/bin/x", b"x")]);
        let top = tar(&[("app/.wh.nothing", b""), ("etc/.wh.leaked", b"")]);
        let other = tar(&[("app/other", MARK.as_bytes())]);
        let first = world.archive(&[&base, &top], suffix, store);
        let second = world.archive(&[&base, &other, &top], suffix, store);
        let report = audit_again(open(&first), &world.cache(), true);
        let hidden_by = |report: &valetkey::audit::finding::Report| report.findings[0].location.hidden_by;
        assert_eq!((report.findings.len(), hidden_by(&report)), (1, Some(1)));
        assert!(report.images[0].layers.iter().all(|layer| !layer.cached));
        // Without a rule nothing can be found but what was found before.
        for source in [open(&second), stream(&second)] {
            let mut again = audit_again(source, &world.cache(), false);
            let layers: Vec<_> = again.images[0].layers.iter().map(|layer| layer.cached).collect();
            // The second reading knows the new layer as well, and that nothing was found in it.
            assert!(layers[0] && layers[2], "{suffix}: {layers:?}");
            assert_eq!((again.findings.len(), hidden_by(&again)), (1, Some(2)), "{suffix}");
            assert!(again.complete);
            again.findings[0].location.hidden_by = Some(1);
            assert_eq!(again.findings[0].location, report.findings[0].location);
        }
    }
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_read_or_refused_whatever_is_known_of_the_name() {
    let world = World::new();
    let clean = tar(&[("etc/clean", b"nothing")]);
    let path = world.archive(&[&clean], "", <[u8]>::to_vec);
    let report = audit_again(open(&path), &world.cache(), true);
    assert!(report.is_complete() && report.findings.is_empty());
    // The same archive, manifest and names, with another layer of the same size in it.
    let dirty = tar(&[("etc/clean", &MARK.as_bytes()[..7])]);
    assert_eq!(dirty.len(), clean.len());
    let archive = fs::read(&path).unwrap();
    let at = archive.windows(clean.len()).position(|window| window == clean).unwrap();
    let mut changed = archive.clone();
    changed[at..at + dirty.len()].copy_from_slice(&dirty);
    fs::write(&path, &changed).unwrap();
    for source in [open(&path), stream(&path)] {
        let report = audit_again(source, &world.cache(), true);
        assert!(!report.is_complete());
        let reasons: Vec<_> = report.unread.iter().map(|unread| unread.reason.as_str()).collect();
        let digest = Digest::of(&dirty).to_string();
        assert!(reasons.iter().any(|reason| reason.contains(&digest)), "{reasons:?}");
    }
    // In a file it is read all the same.
    let dirty = [tar(&[("etc/clean", MARK.as_bytes())]), vec![0; 512]].concat();
    let name = format!("blobs/sha256/{}", Digest::of(&clean).hex());
    let folder = world.0.path().join("layout");
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("index.json"), "{}").unwrap();
    fs::write(folder.join(name), dirty).unwrap();
    assert_eq!(audit_again(open(&folder), &world.cache(), true).findings.len(), 1);
}

#[test]
fn a_cut_off_blob_is_not_taken_for_the_whole_one() {
    let world = World::new();
    let base = tar(&[("etc/a", &[7; 4_000])]);
    let path = world.archive(&[&base], "", <[u8]>::to_vec);
    assert!(audit_again(open(&path), &world.cache(), true).is_complete());
    let archive = fs::read(&path).unwrap();
    let at = archive.windows(base.len()).position(|window| window == base).unwrap();
    for length in [at + 1, at + 512, at + base.len() - 1] {
        let cut = archive[..length].to_vec();
        let source = source::stream(Box::new(Cursor::new(cut)), "the image").unwrap();
        assert!(!audit_again(source, &world.cache(), true).is_complete(), "{length}");
    }
}

#[test]
fn the_program_says_which_layers_it_knew_and_finds_the_same_without_them() {
    let world = World::new();
    let key = world.key();
    let base = tar(&[("etc/id_ed25519", &key)]);
    let first = world.archive(&[&base], "", <[u8]>::to_vec);
    let second = world.archive(&[&base, &tar(&[("a", b"a")])], "", <[u8]>::to_vec);
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let findings = |(_, report): &(i32, Value)| report["findings"].clone();
    let (code, report) = world.audit("home", &[first]);
    assert_eq!((code, cached(&report)), (116, vec![false]), "{report}");
    let again = world.audit("home", &[second]);
    assert_eq!((again.0, cached(&again.1)), (116, vec![true, false]));
    let fresh = world.audit("home", &["--no-cache", second]);
    assert_eq!((fresh.0, cached(&fresh.1)), (116, vec![false, false]));
    assert_eq!(findings(&again), findings(&fresh));
    assert_eq!(cached(&world.audit("home", &[second]).1), [true, true]);
    // Other keys that are looked for are another question.
    let named = ["--for", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", second];
    assert_eq!(cached(&world.audit("home", &named).1), [false, false]);
    assert_eq!(cached(&world.audit("home", &named).1), [true, true]);
    // What is signed was read.
    assert_eq!(cached(&world.audit("home", &["--attest", "file:key", second]).1), [false, false]);
}

#[test]
fn a_poisoned_cut_off_or_carried_over_cache_hides_no_key() {
    let world = World::new();
    let key = world.key();
    let (leaky, clean) = (tar(&[("id_ed25519", &key)]), tar(&[("passwd", b"root")]));
    let leaky_image = world.archive(&[&leaky], "", <[u8]>::to_vec);
    let clean_image = world.archive(&[&clean], "", <[u8]>::to_vec);
    let (leaky_path, clean_path) = (leaky_image.to_str().unwrap(), clean_image.to_str().unwrap());
    let cache = |home: &str| world.0.path().join(home).join("cache/valetkey/layers");
    let entry = |home: &str, tar: &[u8]| {
        let name = Digest::of(tar).hex();
        entries(&cache(home)).into_iter().find(|path| path.ends_with(&name)).unwrap()
    };
    let found = |home: &str, why: &str| {
        let (code, report) = world.audit(home, &[leaky_path]);
        assert_eq!((code, cached(&report)), (116, vec![false]), "{why}: {report}");
    };
    assert_eq!(world.audit("home", &[clean_path]).0, 0);
    found("home", "nothing is known of it");
    let verdict = fs::read(entry("home", &clean)).unwrap();
    fs::write(entry("home", &leaky), &verdict).unwrap();
    found("home", "the entry of a clean layer in its place");
    let whole = fs::read(entry("home", &leaky)).unwrap();
    fs::write(entry("home", &leaky), &whole[..whole.len() / 2]).unwrap();
    found("home", "cut off");
    fs::write(entry("home", &leaky), "").unwrap();
    found("home", "empty");
    // A program whose rules find nothing, of another user, with a key of its own.
    let foreign = Cache::open(&cache("foreign"), &world.0.path().join("foreign/key"), ["rules"]).unwrap();
    assert!(audit_again(open(&leaky_image), &foreign, false).findings.is_empty());
    fs::copy(entry("foreign", &leaky), entry("home", &leaky)).unwrap();
    found("home", "what another program says");
    // The cache alone, as a CI system carries it from one machine to the next.
    assert_eq!(world.audit("runner", &[clean_path]).0, 0);
    fs::remove_dir_all(cache("runner")).unwrap();
    let copied = Command::new("cp").arg("-r").arg(cache("home")).arg(cache("runner")).status().unwrap();
    assert!(copied.success());
    found("runner", "a cache without its key");
}

#[test]
fn without_a_home_that_can_be_written_everything_is_read() {
    let world = World::new();
    let path = world.archive(&[&tar(&[("a", b"a")])], "", <[u8]>::to_vec);
    fs::write(world.0.path().join("home"), "a file").unwrap();
    for _ in 0..2 {
        let (code, report) = world.audit("home", &[path.to_str().unwrap()]);
        assert_eq!((code, cached(&report)), (0, vec![false]));
    }
}
