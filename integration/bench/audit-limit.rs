//! What an audit is measured against, and with: the benchmark's own small program.
//!
//!   bench-audit-limit time ARCHIVE THREADS     seconds that it takes to decompress every blob with the
//!                                        libraries that valetkey uses, and to take the SHA-256
//!                                        of what comes out
//!   bench-audit-limit store gzip|zstd IN OUT   an OCI archive with its layers stored in that way

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::{Value, json};
use valetkey::image::digest::{Digest, Digesting};
use valetkey::image::source::{self, Place, Source};

fn places(archive: &str) -> Vec<Place> {
    match source::open(Path::new(archive)).expect("an archive") {
        Source::Places(places) => places,
        Source::Stream(..) => panic!("{archive} is not a plain archive"),
    }
}

/// A blob, decompressed.
fn unpacked<'a>(place: &'a Place) -> Box<dyn Read + 'a> {
    let mut reader = BufReader::with_capacity(256 * 1024, place.open().expect("a blob"));
    let head = io::BufRead::fill_buf(&mut reader).expect("a blob").to_vec();
    match head.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(reader).expect("a zstd decoder"))
        }
        _ => Box::new(reader),
    }
}

fn time(archive: &str, threads: usize) {
    let mut places = places(archive);
    places.sort_by_key(|place| place.size);
    let started = Instant::now();
    let queue = Mutex::new(places);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(place) = queue.lock().expect("a queue").pop() else { break };
                    let mut digesting = Digesting::new(unpacked(&place));
                    let mut buffer = vec![0; 256 * 1024];
                    while digesting.read(&mut buffer).expect("read") > 0 {}
                    std::hint::black_box(digesting.finish());
                }
            });
        }
    });
    println!("{:.3}", started.elapsed().as_secs_f64());
}

/// The image of a saved archive in an archive of OCI's, with its layers stored in another way.
fn store(how: &str, from: &str, to: &str) {
    let places: HashMap<String, Place> = places(from).into_iter().map(|place| (place.name.clone(), place)).collect();
    let read = |name: &str| {
        let mut bytes = Vec::new();
        places[name].open().expect("a blob").read_to_end(&mut bytes).expect("read");
        bytes
    };
    let saved: Vec<Value> = serde_json::from_slice(&read("manifest.json")).expect("JSON");
    let folder = Path::new(to).with_extension("layout");
    fs::create_dir_all(folder.join("blobs/sha256")).expect("a folder");
    let keep = |media_type: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        fs::write(folder.join("blobs/sha256").join(digest.hex()), bytes).expect("written");
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let mut manifests = Vec::new();
    for image in &saved {
        let layers: Vec<Value> = image["Layers"]
            .as_array()
            .expect("layers")
            .iter()
            .map(|name| {
                let tar = read(name.as_str().expect("a name"));
                let stored = match how {
                    "gzip" => {
                        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                        encoder.write_all(&tar).expect("compressed");
                        encoder.finish().expect("compressed")
                    }
                    "zstd" => zstd::stream::encode_all(tar.as_slice(), 3).expect("compressed"),
                    other => panic!("gzip or zstd, not {other}"),
                };
                keep(&format!("application/vnd.oci.image.layer.v1.tar+{how}"), &stored)
            })
            .collect();
        let config =
            keep("application/vnd.oci.image.config.v1+json", &read(image["Config"].as_str().expect("a config")));
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        manifests.push(keep("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes()));
    }
    fs::write(folder.join("index.json"), json!({ "schemaVersion": 2, "manifests": manifests }).to_string())
        .expect("written");
    fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").expect("written");
    let mut tar = std::process::Command::new("tar");
    let status = tar.arg("-C").arg(&folder).arg("-cf").arg(to).args(["blobs", "index.json", "oci-layout"]).status();
    assert!(status.expect("tar").success(), "tar failed");
    fs::remove_dir_all(&folder).expect("removed");
    File::open(to).expect("an archive");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["time", archive, threads] => time(archive, threads.parse().expect("a number of threads")),
        ["store", how, from, to] => store(how, from, to),
        _ => panic!("usage: bench-audit-limit time ARCHIVE THREADS | bench-audit-limit store gzip|zstd IN OUT"),
    }
}
