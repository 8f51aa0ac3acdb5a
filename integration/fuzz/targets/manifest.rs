//! Manifests, indexes and configs: parsed alone, and in an image whose other parts are right.

use std::fmt::Debug;

use serde_json::{Value, json};
use valetkey::audit::fields::strings;
use valetkey::audit::finding::Report;
use valetkey::image::digest::Digest;
use valetkey::image::manifest::{Config, Descriptor, Manifest, Media, Saved, digest_of_name};
use valetkey::image::source::{Opener, Place, Source};

use super::shared::reported::{audit, shown, sorted};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

pub(crate) fn check(data: &[u8]) {
    parsed(data);
    names(data);
    let mut all = roots(data);
    // What is no JSON says nothing more anywhere else.
    if serde_json::from_slice::<Value>(data).is_err() {
        return;
    }
    // One after the other they are what several images are shown as.
    for mut report in [manifest(data), config(data)] {
        all.images.append(&mut report.images);
        all.findings.append(&mut report.findings);
        all.unread.append(&mut report.unread);
    }
    shown(&all);
}

/// Each kind of document: what was understood, written out, is understood in the same way.
fn parsed(data: &[u8]) {
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(data) {
        same(&manifest, serde_json::from_value(of_manifest(&manifest)));
        for descriptor in manifest.layers.iter().chain(&manifest.config).chain(manifest.manifests.iter().flatten()) {
            named(descriptor);
        }
    }
    if let Ok(config) = serde_json::from_slice::<Config>(data) {
        let platform = &config.platform;
        let history = config.history.iter();
        let history: Vec<_> =
            history.map(|entry| json!({ "created_by": entry.created_by, "empty_layer": entry.empty_layer })).collect();
        let written = json!({
            "os": platform.os, "architecture": platform.architecture, "variant": platform.variant,
            "rootfs": { "diff_ids": config.rootfs.diff_ids }, "history": history,
        });
        same(&config, serde_json::from_value(written));
        for count in 0..config.history.len().min(20) + 2 {
            let instructions = config.instructions(count);
            assert_eq!(instructions.len(), count);
            let made: Vec<_> = config.history.iter().filter(|entry| !entry.empty_layer).collect();
            if made.len() == count {
                let said = made.iter().map(|entry| !entry.created_by.trim().is_empty());
                assert!(instructions.iter().map(Option::is_some).eq(said));
            } else {
                assert!(instructions.iter().all(Option::is_none));
            }
        }
    }
    if let Ok(saved) = serde_json::from_slice::<Vec<Saved>>(data) {
        let written: Vec<_> = saved
            .iter()
            .map(|one| json!({ "Config": one.config, "RepoTags": one.repo_tags, "Layers": one.layers }))
            .collect();
        same(&saved, serde_json::from_value(Value::from(written)));
    }
    if let Ok(document) = serde_json::from_slice::<Value>(data) {
        let mut shown = 0;
        strings(&document, &mut |_, text| shown += text.len());
        assert!(shown >= texts(&document), "every text of a document is shown");
    }
}

fn same<T: Debug>(parsed: &T, again: serde_json::Result<T>) {
    let again = again.expect("what is written is understood");
    assert_eq!(format!("{again:?}"), format!("{parsed:?}"));
}

fn of_manifest(manifest: &Manifest) -> Value {
    let all = |list: &[Descriptor]| list.iter().map(of_descriptor).collect::<Vec<_>>();
    json!({
        "config": manifest.config.as_ref().map(of_descriptor), "layers": all(&manifest.layers),
        "manifests": manifest.manifests.as_deref().map(all),
    })
}

fn of_descriptor(descriptor: &Descriptor) -> Value {
    let platform = descriptor.platform.as_ref().map(
        |platform| json!({ "os": platform.os, "architecture": platform.architecture, "variant": platform.variant }),
    );
    json!({
        "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size,
        "platform": platform, "annotations": descriptor.annotations,
    })
}

fn named(descriptor: &Descriptor) {
    if let Some(digest) = Digest::parse(&descriptor.digest) {
        assert_eq!(digest.to_string(), descriptor.digest);
    }
    // What is known is one of a list, and a suffix is no way into it.
    if Media::of(&descriptor.media_type) != Media::Unknown {
        assert!(descriptor.media_type.starts_with("application/vnd."));
        assert_eq!(Media::of(&format!("{} ", descriptor.media_type)), Media::Unknown);
    }
    let name = descriptor.platform.as_ref().and_then(|platform| platform.name());
    assert!(name.is_none_or(|name| name.contains('/')));
}

/// Bytes of all texts, without the names of variables, which name their fields.
fn texts(value: &Value) -> usize {
    match value {
        Value::String(text) => text.split_once('=').map_or(text.len(), |(_, value)| value.len()),
        Value::Array(items) => items.iter().map(texts).sum(),
        Value::Object(fields) => fields.values().map(texts).sum(),
        _ => 0,
    }
}

fn names(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    if let Some(digest) = digest_of_name(name) {
        let hex = digest.hex();
        assert!([format!("blobs/sha256/{hex}"), format!("{hex}.json")].iter().any(|own| own == name));
    }
}

/// As what an archive begins with.
fn roots(data: &[u8]) -> Report {
    // Not the very same document: of two names, it has one.
    let report = both(vec![("index.json".into(), data.to_vec()), ("manifest.json".into(), [data, b"\n"].concat())]);
    assert!(report.images.is_empty(), "there is no blob that would make an image");
    assert!(!report.complete);
    report
}

/// As the manifest that a right index names.
fn manifest(data: &[u8]) -> Report {
    let index = json!({ "manifests": [described(MANIFEST, data)] }).to_string();
    let report = both(vec![blob(data), ("index.json".into(), index.into_bytes())]);
    // Its config may be itself, its layers are not there.
    assert!(report.images.iter().all(|image| image.layers.is_empty()));
    report
}

/// As the config that a right manifest names.
fn config(data: &[u8]) -> Report {
    let layer = [0; 1024];
    let image = json!({ "config": described(CONFIG, data), "layers": [described(LAYER, &layer)] }).to_string();
    let index = json!({ "manifests": [described(MANIFEST, image.as_bytes())] }).to_string();
    let report =
        both(vec![blob(data), blob(&layer), blob(image.as_bytes()), ("index.json".into(), index.into_bytes())]);
    assert_eq!(report.images.len(), 1);
    let said = serde_json::from_slice::<Config>(data).unwrap_or_default().rootfs.diff_ids;
    let right = said == [Digest::of(&layer).to_string()];
    assert!(right || !report.complete, "nothing is complete whose layers are others than the config says");
    report
}

fn blob(bytes: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", Digest::of(bytes).hex()), bytes.to_vec())
}

fn described(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len() })
}

/// Audits these blobs in one order and in the other, which must say the same.
fn both(blobs: Vec<(String, Vec<u8>)>) -> Report {
    let places = |blobs: &mut dyn Iterator<Item = &(String, Vec<u8>)>| {
        let place = |(name, bytes): &(String, Vec<u8>)| Place {
            name: name.clone(),
            size: bytes.len() as u64,
            link: None,
            opener: Opener::Memory(bytes.clone().into()),
        };
        audit(Source::Places(blobs.map(place).collect())).expect("a source that is at hand")
    };
    let (report, other) = (places(&mut blobs.iter()), places(&mut blobs.iter().rev()));
    assert_eq!(sorted(&report), sorted(&other));
    report
}
