//! Every file of the fuzz targets' corpora, through the very functions that are fuzzed.

use std::path::Path;

#[path = "../../integration/fuzz/targets/dockerfile.rs"]
mod dockerfile;
#[path = "../../integration/fuzz/targets/exec_request.rs"]
mod exec_request;
#[path = "../../integration/fuzz/targets/guest_args.rs"]
mod guest_args;
#[path = "../../integration/fuzz/targets/tunnel.rs"]
mod tunnel;

/// The most that one corpus may hold: it is part of the repository.
const MAX_CORPUS: u64 = 50 * 1024;

fn replay(name: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/fuzz/corpus").join(name);
    let (mut files, mut size) = (0, 0);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        size += bytes.len() as u64;
        files += 1;
        // Cut anywhere it must hold as well; the name of the file is on the way out of a panic.
        let caught = std::panic::catch_unwind(|| (0..=bytes.len()).for_each(|length| check(&bytes[..length])));
        assert!(caught.is_ok(), "{}", path.display());
    }
    assert!(files >= 15 && size <= MAX_CORPUS, "{name}: {files} files, {size} bytes");
}

#[test]
fn every_tunnel_frame_of_the_corpus_holds() {
    replay("tunnel", tunnel::check);
}

#[test]
fn every_exec_request_of_the_corpus_holds() {
    replay("exec_request", exec_request::check);
}

#[test]
fn every_dockerfile_of_the_corpus_holds() {
    replay("dockerfile", dockerfile::check);
}

#[test]
fn every_command_line_of_the_corpus_holds() {
    replay("guest_args", guest_args::check);
}
