//! Which later layer hides a file: by overwriting it, by a whiteout of it or of a folder above
//! it, or by making a folder above it opaque (OCI image-spec, layer.md, "Whiteouts").
//!
//! A layer remembers 8 bytes for each path, so that memory hardly grows with the image; two
//! paths that share a keyed 64-bit hash would be taken for one another, which is not bad luck
//! that anybody can bring about.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use siphasher::sip::SipHasher13;

use crate::image::stream::{Entry, Kind};

/// What a layer does to those below it.
#[derive(Default)]
pub struct Paths {
    /// Files, links and devices: what they replace is gone, folders included.
    files: HashSet<u64>,
    folders: HashSet<u64>,
    whiteouts: HashSet<u64>,
    opaque: HashSet<u64>,
}

/// How paths are hashed: with one secret for one audit, or for all that share a cache.
#[derive(Clone)]
pub struct Hashing(SipHasher13);

impl Default for Hashing {
    fn default() -> Self {
        let random = RandomState::new();
        Self(SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1)))
    }
}

impl Hashing {
    /// With a secret that outlives the audit.
    #[must_use]
    pub fn keyed(key: &[u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(key))
    }

    fn of(&self, path: &[u8]) -> u64 {
        let mut hasher = self.0;
        hasher.write(path);
        hasher.finish()
    }
}

/// A path as layers mean it: no `./` or `/` in front, no `/` at the end.
#[must_use]
pub fn normal(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
        path = rest;
    }
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    path
}

impl Paths {
    /// The hashes: of files, folders, whiteouts, opaque folders.
    pub(super) fn hashes(&self) -> [&HashSet<u64>; 4] {
        [&self.files, &self.folders, &self.whiteouts, &self.opaque]
    }

    /// From what [`Self::hashes`] gave.
    pub(super) fn of([files, folders, whiteouts, opaque]: [HashSet<u64>; 4]) -> Self {
        Self { files, folders, whiteouts, opaque }
    }

    /// Takes one entry of the layer's tar.
    pub fn take(&mut self, entry: &Entry<'_>, hashing: &Hashing) {
        let path = normal(entry.name);
        let slash = path.iter().rposition(|c| *c == b'/');
        let (folder, name) = slash.map_or((&b""[..], path), |slash| (&path[..slash], &path[slash + 1..]));
        if name == b".wh..wh..opq" {
            self.opaque.insert(hashing.of(folder));
        } else if let Some(name) = name.strip_prefix(b".wh.") {
            let hidden = if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() };
            self.whiteouts.insert(hashing.of(&hidden));
        } else if entry.kind == Kind::Folder {
            self.folders.insert(hashing.of(path));
        } else {
            self.files.insert(hashing.of(path));
        }
    }

    /// Whether a file of a lower layer is not to be seen through this one.
    #[must_use]
    pub fn hide(&self, path: &[u8], hashing: &Hashing) -> bool {
        let path = normal(path);
        let whole = hashing.of(path);
        if self.files.contains(&whole) || self.folders.contains(&whole) || self.whiteouts.contains(&whole) {
            return true;
        }
        let above = path.iter().enumerate().filter(|(_, c)| **c == b'/').map(|(slash, _)| hashing.of(&path[..slash]));
        above
            .into_iter()
            .any(|hash| self.files.contains(&hash) || self.whiteouts.contains(&hash) || self.opaque.contains(&hash))
            || self.opaque.contains(&hashing.of(b""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(entries: &[(&str, Kind)]) -> (Paths, Hashing) {
        let (mut paths, hashing) = (Paths::default(), Hashing::default());
        for (name, kind) in entries {
            paths.take(&Entry { name: name.as_bytes(), length: 0, kind: *kind, link: b"" }, &hashing);
        }
        (paths, hashing)
    }

    #[test]
    fn a_file_is_hidden_by_what_replaces_or_deletes_it_or_a_folder_above_it() {
        for by in [
            "a/b/key",
            "./a/b/key",
            "/a/b/key",
            "a/b/.wh.key",
            "a/.wh.b",
            ".wh.a",
            "a/b/.wh..wh..opq",
            "a/.wh..wh..opq",
            ".wh..wh..opq",
            "a/b",
        ] {
            let (paths, hashing) = layer(&[(by, Kind::File)]);
            assert!(paths.hide(b"a/b/key", &hashing), "{by}");
        }
        let (paths, hashing) = layer(&[("a/b/key/", Kind::Folder)]);
        assert!(paths.hide(b"a/b/key", &hashing), "a folder takes its place");
    }

    #[test]
    fn a_file_is_not_hidden_by_its_folders_and_neighbours() {
        for (by, kind) in [
            ("a", Kind::Folder),
            ("a/b/", Kind::Folder),
            ("a/b/key2", Kind::File),
            ("a/b/.wh.key2", Kind::File),
            ("a/key", Kind::File),
            (".wh.key", Kind::File),
            ("a/b/c/.wh..wh..opq", Kind::File),
            ("a/b/key/.wh..wh..opq", Kind::File),
        ] {
            let (paths, hashing) = layer(&[(by, kind)]);
            assert!(!paths.hide(b"a/b/key", &hashing), "{by}");
        }
    }
}
