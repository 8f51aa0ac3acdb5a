//! Images made by hand: layers of tar, manifests with right digests, archives of them.

use std::io::Write as _;

use serde_json::{Value, json};
use valetkey::audit::cache::Cache;
use valetkey::audit::finding::{Found, Report, Severity};
use valetkey::audit::read::Audit;
use valetkey::audit::rule::{Family, Text};
use valetkey::audit::scan::Scanner;
use valetkey::image::digest::Digest;
use valetkey::image::source::{self, Source, SourceError};
use valetkey::ui::progress::Done;

/// What the rule of these tests finds.
pub(super) const MARK: &str = "a-mark-that-is-in-no-other-file";

struct Marks;

impl Family for Marks {
    fn literals(&self) -> &[&[u8]] {
        const LITERALS: &[&[u8]] = &[MARK.as_bytes()];
        LITERALS
    }

    fn at_literal(&self, _index: usize, at: usize, _text: &Text<'_>, found: &mut Vec<Found>) {
        found.push(Found {
            rule: "mark",
            severity: Severity::Error,
            message: "a mark".into(),
            remedy: "none",
            at,
            length: MARK.len(),
            wrapped: Vec::new(),
            key: None,
        });
    }
}

/// Audits with that rule alone, or with none, and what earlier audits found.
pub(super) fn audit_again(source: Source, cache: &Cache, marks: bool) -> Report {
    let scanner = Scanner::new(if marks { vec![Box::new(Marks)] } else { Vec::new() });
    Audit { scanner: &scanner, threads: 2, done: &Done::default(), cache: Some(cache) }
        .run("the image", source)
        .unwrap()
}

/// Audits with that rule alone.
pub(super) fn audit(source: Source) -> Result<Report, SourceError> {
    let scanner = Scanner::new(vec![Box::new(Marks)]);
    Audit { scanner: &scanner, threads: 2, done: &Done::default(), cache: None }.run("the image", source)
}

/// Audits an archive as a stream, and as a file: both must say the same.
pub(super) fn audit_archive(archive: &[u8]) -> Report {
    let streamed =
        audit(source::stream(Box::new(std::io::Cursor::new(archive.to_vec())), "the image").unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    std::fs::write(&path, archive).unwrap();
    let read = audit(source::open(&path).unwrap()).unwrap();
    assert_eq!(sorted(&streamed), sorted(&read), "a stream and a file are the same image");
    read
}

fn sorted(report: &Report) -> Value {
    let mut value = serde_json::to_value(report).unwrap();
    for list in ["findings", "unread"] {
        let items = value[list].as_array_mut().unwrap();
        items.sort_by_key(ToString::to_string);
    }
    value
}

/// An entry of a tar.
pub(super) fn entry(typeflag: u8, name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].fill(b' ');
    header[156] = typeflag;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut entry = header.to_vec();
    entry.extend(content);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

/// A tar of files.
pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar: Vec<u8> = files.iter().flat_map(|(name, content)| entry(b'0', name, content)).collect();
    tar.extend([0; 1024]);
    tar
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 1).unwrap()
}

/// An OCI layout in the making: files by name.
#[derive(Default, Clone)]
pub(super) struct Layout {
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) roots: Vec<Value>,
}

impl Layout {
    /// Adds a blob, and gives its descriptor.
    pub(super) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        let name = format!("blobs/sha256/{}", digest.hex());
        if !self.files.iter().any(|(other, _)| *other == name) {
            self.files.push((name, bytes.to_vec()));
        }
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }

    pub(super) fn json(&mut self, media_type: &str, value: &Value) -> Value {
        self.blob(media_type, value.to_string().as_bytes())
    }

    /// An image of tars, stored by `store` under a media type with that suffix.
    pub(super) fn image(&mut self, tars: &[Vec<u8>], suffix: &str, store: fn(&[u8]) -> Vec<u8>) -> Value {
        let diff_ids: Vec<_> = tars.iter().map(|tar| Digest::of(tar).to_string()).collect();
        let mut history = vec![json!({ "created_by": "ENV A=b", "empty_layer": true })];
        history.extend((0..tars.len()).map(|index| json!({ "created_by": format!("COPY {index}") })));
        let config = json!({
            "os": "linux", "architecture": "amd64", "config": { "Env": ["A=b"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": history,
        });
        let layers: Vec<_> = tars
            .iter()
            .map(|tar| self.blob(&format!("application/vnd.oci.image.layer.v1.tar{suffix}"), &store(tar)))
            .collect();
        self.manifest(&config, &layers)
    }

    pub(super) fn manifest(&mut self, config: &Value, layers: &[Value]) -> Value {
        let config = self.json("application/vnd.oci.image.config.v1+json", config);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers,
        });
        self.json("application/vnd.oci.image.manifest.v1+json", &manifest)
    }

    pub(super) fn index(&mut self, manifests: &[Value]) -> Value {
        self.json("application/vnd.oci.image.index.v1+json", &json!({ "schemaVersion": 2, "manifests": manifests }))
    }

    pub(super) fn root(&mut self, descriptor: Value) {
        self.roots.push(descriptor);
    }

    /// The layout as an archive.
    pub(super) fn archive(&self) -> Vec<u8> {
        let index = json!({ "schemaVersion": 2, "manifests": self.roots }).to_string();
        let mut files: Vec<(&str, &[u8])> =
            self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        files.push(("index.json", index.as_bytes()));
        files.push(("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}"));
        tar(&files)
    }
}
