//! BuildKit's exported caches: layers that lie upon none, in a manifest or in an index.

use serde_json::{Value, json};

use super::made::{Layout, MARK, audit_archive, tar};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CACHE: &str = "application/vnd.buildkit.cacheconfig.v0";

/// Two layers with the same path, in no order, and the config of a cache.
fn parts(layout: &mut Layout) -> (Vec<Value>, Value) {
    let leaky = layout.blob(LAYER, &tar(&[("key", MARK.as_bytes())]));
    let other = layout.blob(LAYER, &tar(&[("key", b"nothing")]));
    (vec![leaky, other], layout.json(CACHE, &json!({ "layers": [], "records": [] })))
}

#[test]
fn a_cache_is_read_in_either_form_and_no_layer_of_it_hides_another() {
    for as_index in [true, false] {
        let mut layout = Layout::default();
        let (layers, config) = parts(&mut layout);
        let root = if as_index {
            layout.index(&[&layers[..], &[config]].concat())
        } else {
            let media = "application/vnd.oci.image.manifest.v1+json";
            layout.json(media, &json!({ "schemaVersion": 2, "mediaType": media, "config": config, "layers": layers }))
        };
        layout.root(root);
        let report = audit_archive(&layout.archive());
        assert!(report.complete, "{:?}", report.unread);
        assert_eq!((report.images.len(), report.images[0].layers.len(), report.findings.len()), (1, 2, 1));
        let location = &report.findings[0].location;
        assert_eq!((location.path.as_deref(), location.layer, location.hidden_by), (Some("key"), Some(0), None));
    }
}

#[test]
fn what_an_index_calls_a_layer_and_is_none_is_said() {
    for with_config in [true, false] {
        let mut layout = Layout::default();
        let (mut layers, config) = parts(&mut layout);
        layers.push(layout.blob(&format!("{LAYER}+zstd"), b"no tar at all"));
        layers.extend(with_config.then_some(config));
        let image = layout.image(&[tar(&[("a", b"b")])], "", |bytes| bytes.to_vec());
        let index = layout.index(&layers);
        layout.root(index);
        layout.root(image);
        let report = audit_archive(&layout.archive());
        let said = report.unread.iter().any(|unread| unread.reason == "is said to be a layer, and is no tar");
        assert!(!report.complete && said, "{:?}", report.unread);
        assert_eq!(report.findings.len(), 1);
    }
}

#[test]
fn an_image_beside_the_layers_of_a_cache_is_an_image_all_the_same() {
    let mut layout = Layout::default();
    let (layers, config) = parts(&mut layout);
    let image = layout.image(&[tar(&[("a", MARK.as_bytes())])], "", |bytes| bytes.to_vec());
    let index = layout.index(&[&layers[..], &[config, image]].concat());
    layout.root(index);
    let report = audit_archive(&layout.archive());
    assert!(report.complete, "{:?}", report.unread);
    assert_eq!(report.images.len(), 1);
    assert_eq!(report.images[0].platform.as_deref(), Some("linux/amd64"));
    assert_eq!(report.findings.len(), 2);
}
