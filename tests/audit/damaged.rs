//! Images that are damaged, or made to do harm, through the built program: an error that names
//! the blob, the exit code of "not all read", and bounded memory.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use valetkey::image::digest::Digest;

use super::made::{Layout, entry, gzip, tar, zstd};

/// What no audit may take, in KiB.
const MAX_MEMORY: u64 = 256 * 1024;

struct Audited {
    code: Option<i32>,
    output: String,
    memory: u64,
}

fn audit(path: &Path) -> Audited {
    const MEASURED: &str = "import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print('memory', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)";
    let mut command = Command::new("python3");
    let done = command
        .args(["-c", MEASURED, env!("CARGO_BIN_EXE_valetkey"), "audit", "--no-cache"])
        .arg(path)
        .output()
        .unwrap();
    let errors = String::from_utf8(done.stderr).unwrap();
    let memory = errors.lines().rev().find_map(|line| line.strip_prefix("memory ")).unwrap().parse().unwrap();
    Audited { code: done.status.code(), output: String::from_utf8(done.stdout).unwrap() + &errors, memory }
}

/// The audit of an archive that is not to pass for a clean one.
fn not_all_read(archive: &[u8], words: &[&str]) {
    let file = tempfile::NamedTempFile::with_suffix(".tar").unwrap();
    std::fs::write(file.path(), archive).unwrap();
    let audited = audit(file.path());
    assert_eq!(audited.code, Some(117), "{}", audited.output);
    assert!(!audited.output.contains("no private key"), "{}", audited.output);
    // The table wraps lines; a name has no blanks.
    let joined: String = audited.output.split_whitespace().collect();
    for word in words {
        let word: String = word.split_whitespace().collect();
        assert!(joined.contains(&word), "{word} is not in {}", audited.output);
    }
    assert!(audited.memory < MAX_MEMORY, "{} KiB", audited.memory);
}

fn as_is(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

fn layers() -> Vec<Vec<u8>> {
    let text: Vec<u8> = (0..200_000_u32).flat_map(|number| number.to_be_bytes()).collect();
    vec![tar(&[("etc/passwd", b"root"), ("opt/numbers", &text)])]
}

#[test]
fn a_layer_that_is_cut_off_or_damaged_is_named() {
    for (suffix, store) in [("+gzip", gzip as fn(&[u8]) -> Vec<u8>), ("+zstd", zstd)] {
        let whole = store(&layers()[0]);
        for damage in [0, 1] {
            let mut stored = whole.clone();
            if damage == 0 {
                stored.truncate(whole.len() / 2);
            } else {
                let middle = whole.len() / 2;
                stored[middle..middle + 64].fill(0xa5);
            }
            let mut layout = Layout::default();
            let layer = layout.blob(&format!("application/vnd.oci.image.layer.v1.tar{suffix}"), &stored);
            let config = json!({ "rootfs": { "diff_ids": [Digest::of(&layers()[0]).to_string()] } });
            let image = layout.manifest(&config, &[layer]);
            layout.root(image);
            not_all_read(&layout.archive(), &[&Digest::of(&stored).hex()]);
        }
    }
}

#[test]
fn a_manifest_of_100_megabytes_is_named_and_not_kept() {
    let mut manifest = br#"{"schemaVersion":2,"layers":["#.to_vec();
    manifest.resize(100_000_000, b' ');
    manifest.extend(b"]}");
    let mut layout = Layout::default();
    let descriptor = layout.blob("application/vnd.oci.image.manifest.v1+json", &manifest);
    layout.root(descriptor);
    not_all_read(&layout.archive(), &[&Digest::of(&manifest).hex(), "longer than 8 MiB"]);
}

#[test]
fn many_documents_do_not_fill_the_memory() {
    let mut layout = Layout::default();
    let image = layout.image(&layers(), "", as_is);
    layout.root(image);
    for number in 0..12 {
        let mut document = format!("{{\"n\":{number},\"x\":\"").into_bytes();
        document.resize(7_000_000, b'a');
        document.extend(b"\"}");
        layout.blob("x", &document);
    }
    not_all_read(&layout.archive(), &["the documents have more than 64 MiB"]);
}

#[test]
fn a_hundred_thousand_entries_are_read_in_bounded_memory() {
    let mut layer = Vec::new();
    for number in 0..100_000 {
        layer.extend(entry(b'0', &format!("d{}/f{number}", number % 100), b"x"));
    }
    layer.extend([0; 1024]);
    let mut layout = Layout::default();
    let image = layout.image(&[layer], "+zstd", zstd);
    layout.root(image);
    let file = tempfile::NamedTempFile::with_suffix(".tar").unwrap();
    std::fs::write(file.path(), layout.archive()).unwrap();
    let audited = audit(file.path());
    assert_eq!(audited.code, Some(0), "{}", audited.output);
    assert!(audited.output.starts_with("no private key in 1 image, 1 layer, 100,000 files\n"), "{}", audited.output);
    assert!(audited.memory < MAX_MEMORY, "{} KiB", audited.memory);
}

#[test]
fn a_bomb_in_a_layer_is_named_by_its_path() {
    // 1 GB of zeros in 1 MB, made without ever holding them.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1_000 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let mut layout = Layout::default();
    let image = layout.image(&[tar(&[("opt/bomb.gz", &bomb)])], "", as_is);
    layout.root(image);
    not_all_read(&layout.archive(), &["opt/bomb.gz", "unpacks to more than"]);
}

#[test]
fn links_out_of_the_archive_or_in_a_circle_lead_nowhere() {
    let config = json!({ "rootfs": { "diff_ids": ["sha256:0"] } }).to_string();
    let name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    for target in ["../../../../etc/passwd", "/etc/passwd", "a/layer.tar", "b/layer.tar"] {
        let mut link = entry(b'2', "a/layer.tar", b"");
        link[157..157 + target.len()].copy_from_slice(target.as_bytes());
        link[148..156].fill(b' ');
        let sum: u32 = link.iter().map(|byte| u32::from(*byte)).sum();
        link[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let manifest = json!([{ "Config": name, "RepoTags": null, "Layers": ["a/layer.tar"] }]).to_string();
        let mut archive = link;
        archive.extend(tar(&[(&name, config.as_bytes()), ("manifest.json", manifest.as_bytes())]));
        not_all_read(&archive, &["a/layer.tar", "is missing"]);
    }
}
