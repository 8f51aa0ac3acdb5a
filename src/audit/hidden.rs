//! Which later layer hides a file: by overwriting it, by a whiteout of it or of a folder above
//! it, or by making a folder above it opaque (OCI image-spec, layer.md, "Whiteouts").
//!
//! A layer remembers 8 bytes for each path, so that memory hardly grows with the image; two
//! paths that share a keyed 64-bit hash would be taken for one another, which is not bad luck
//! that anybody can bring about.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

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

/// How paths are hashed: with one secret for one audit.
#[derive(Clone, Default)]
pub struct Hashing(RandomState);

impl Hashing {
    fn of(&self, path: &[u8]) -> u64 {
        self.0.hash_one(path)
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
