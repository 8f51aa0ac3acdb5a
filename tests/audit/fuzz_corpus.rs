//! Every file of the corpora of the audit's fuzz targets, through the very functions that are
//! fuzzed.

use crate::replay::replay;

#[path = "../../integration/fuzz/targets/archive.rs"]
mod archive;
#[path = "../../integration/fuzz/targets/manifest.rs"]
mod manifest;
#[path = "../../integration/fuzz/targets/private_key.rs"]
mod private_key;
/// What several of the targets check by.
#[path = "../../integration/fuzz/targets/shared"]
mod shared {
    pub(crate) mod checksums;
    pub(crate) mod ledger;
    pub(crate) mod reported;
    pub(crate) mod uneven;
}
#[path = "../../integration/fuzz/targets/tar.rs"]
mod tar;

/// Places where a file is cut. A whole image or key takes about a millisecond without
/// optimisation, and files have thousands of bytes; the fuzz targets themselves cut anywhere.
const CUTS: usize = 40;

#[test]
fn every_layer_of_the_corpus_holds() {
    replay("tar", CUTS, tar::check);
}

#[test]
fn every_manifest_of_the_corpus_holds() {
    replay("manifest", CUTS, manifest::check);
}

#[test]
fn every_archive_of_the_corpus_holds() {
    replay("archive", CUTS, archive::check);
}

#[test]
fn every_private_key_of_the_corpus_holds() {
    replay("private_key", CUTS, private_key::check);
}

#[test]
fn every_file_of_a_corpus_with_the_header_of_a_private_key_has_its_origin_written_down() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/fuzz/corpus");
    let origins = std::fs::read_to_string(corpus.join("ORIGIN.md")).unwrap();
    let mut with_header = Vec::new();
    for folder in std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if memchr::memmem::find(&std::fs::read(&file).unwrap(), b"PRIVATE KEY-----").is_some() {
                with_header.push(file.strip_prefix(&corpus).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    with_header.sort();
    let listed: Vec<&str> = origins.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(listed, with_header);
}
