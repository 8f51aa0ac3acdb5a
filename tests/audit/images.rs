//! Images in every form, whole and damaged: what is in them is found at its place, and what
//! could not be read is said.

use serde_json::json;
use valetkey::audit::finding::{Place, Report};
use valetkey::image::digest::Digest;
use valetkey::image::source;

use super::made::{self, Layout, MARK, audit, audit_archive, entry, gzip, tar, zstd};

fn three_layers() -> Vec<Vec<u8>> {
    let marked = format!("before {MARK} behind");
    vec![
        tar(&[("etc/passwd", b"root"), ("root/key", marked.as_bytes())]),
        tar(&[("root/.wh.key", b""), ("opt/key", marked.as_bytes())]),
        tar(&[("opt/other", b"x"), ("opt/key", b"overwritten")]),
    ]
}

fn as_is(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

/// Layer, path, offset, the layer that hides it, the instruction.
type Seen = (Option<usize>, String, Option<u64>, Option<usize>, Option<String>);

fn places(report: &Report) -> Vec<Seen> {
    let mut places: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let location = finding.location.clone();
            (
                location.layer,
                location.path.unwrap_or_default(),
                location.offset,
                location.hidden_by,
                location.instruction,
            )
        })
        .collect();
    places.sort();
    places
}

fn unread(report: &Report) -> String {
    assert_eq!(report.complete, report.unread.is_empty() && report.unread_more == 0 && !report.images.is_empty());
    report.unread.iter().map(|unread| format!("{} {}\n", unread.place, unread.reason)).collect()
}

#[test]
fn a_key_that_a_later_layer_deletes_or_overwrites_is_found_where_it_lies() {
    let expected = vec![
        (Some(0), "root/key".to_owned(), Some(7), Some(1), Some("COPY 0".to_owned())),
        (Some(1), "opt/key".to_owned(), Some(7), Some(2), Some("COPY 1".to_owned())),
    ];
    for (suffix, store) in [("", as_is as fn(&[u8]) -> Vec<u8>), ("+gzip", gzip), ("+zstd", zstd)] {
        let mut layout = Layout::default();
        let image = layout.image(&three_layers(), suffix, store);
        layout.root(image);
        let report = audit_archive(&layout.archive());
        assert_eq!(unread(&report), "", "{suffix}");
        assert!(report.complete);
        assert_eq!(places(&report), expected, "{suffix}");
        assert_eq!(report.images.len(), 1);
        assert_eq!(report.images[0].platform.as_deref(), Some("linux/amd64"));
        assert_eq!(report.images[0].layers.len(), 3);
        assert_eq!(report.files, 6, "whiteouts are files of the tar");
    }
}

#[test]
fn a_folder_with_a_layout_is_read_as_its_archive_is() {
    let mut layout = Layout::default();
    let image = layout.image(&three_layers(), "+gzip", gzip);
    layout.root(image);
    let folder = tempfile::tempdir().unwrap();
    let unpacked = std::process::Command::new("tar")
        .arg("-x")
        .arg("-C")
        .arg(folder.path())
        .stdin(std::process::Stdio::piped())
        .spawn();
    let mut unpacked = unpacked.unwrap();
    std::io::Write::write_all(&mut unpacked.stdin.take().unwrap(), &layout.archive()).unwrap();
    assert!(unpacked.wait().unwrap().success());
    let report = audit(source::open(folder.path()).unwrap()).unwrap();
    assert_eq!((unread(&report).as_str(), report.findings.len()), ("", 2));
}

/// The files of a layout as podman's `dir:` has them: blobs by their digest alone, and `root` as
/// the manifest.json.
fn podmans_folder(layout: &Layout, root: &serde_json::Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &layout.files {
        let hex = name.rsplit('/').next().unwrap();
        let is_root = root["digest"].as_str().unwrap().ends_with(hex);
        std::fs::write(folder.path().join(if is_root { "manifest.json" } else { hex }), bytes).unwrap();
    }
    std::fs::write(folder.path().join("version"), "Directory Transport Version: 1.1\n").unwrap();
    folder
}

#[test]
fn a_folder_of_podmans_is_read_by_its_own_manifest() {
    let mut layout = Layout::default();
    let image = layout.image(&three_layers(), "+gzip", gzip);
    let whole = podmans_folder(&layout, &image);
    let report = audit(source::open(whole.path()).unwrap()).unwrap();
    assert_eq!((unread(&report).as_str(), report.findings.len(), report.images.len()), ("", 2, 1));
    assert!(report.complete && report.findings.iter().all(|finding| finding.location.hidden_by.is_some()));
    // Every platform of an image that has several.
    let index = layout.index(&[image]);
    let report = audit(source::open(podmans_folder(&layout, &index).path()).unwrap()).unwrap();
    assert_eq!((unread(&report).as_str(), report.findings.len(), report.images.len()), ("", 2, 1));
    // What its manifest names and the folder does not have is said.
    std::fs::remove_file(podmans_layer(whole.path())).unwrap();
    let report = audit(source::open(whole.path()).unwrap()).unwrap();
    assert!(!report.complete && unread(&report).contains("is missing"), "{}", unread(&report));
    // And an object that is no manifest is no image.
    std::fs::write(whole.path().join("manifest.json"), "{}").unwrap();
    let report = audit(source::open(whole.path()).unwrap()).unwrap();
    assert!(!report.complete && report.images.is_empty());
}

/// The first layer that the manifest.json of a folder names.
fn podmans_layer(folder: &std::path::Path) -> std::path::PathBuf {
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    folder.join(manifest["layers"][0]["digest"].as_str().unwrap().trim_start_matches("sha256:"))
}

#[test]
fn an_archive_of_an_old_docker_is_read_by_its_paths_and_links() {
    let layers = three_layers();
    let config = json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": layers.iter().chain([&layers[0]]).map(|layer| Digest::of(layer).to_string()).collect::<Vec<_>>() } }).to_string();
    let name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    let manifest = json!([{ "Config": name, "RepoTags": ["app:1"], "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar", "d/layer.tar"] }]).to_string();
    let mut archive = Vec::new();
    for (name, content) in [("a/layer.tar", &layers[0]), ("b/layer.tar", &layers[1]), ("c/layer.tar", &layers[2])] {
        archive.extend(entry(b'0', name, content));
    }
    let mut link = entry(b'2', "d/layer.tar", b"");
    link[157..157 + 14].copy_from_slice(b"../a/layer.tar");
    link[148..156].fill(b' ');
    let sum: u32 = link.iter().map(|byte| u32::from(*byte)).sum();
    link[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend(link);
    archive.extend(tar(&[(&name, config.as_bytes()), ("manifest.json", manifest.as_bytes())]));
    let report = audit_archive(&archive);
    assert_eq!(unread(&report), "");
    assert_eq!(report.images[0].name, "app:1");
    assert_eq!(places(&report).len(), 3, "the fourth layer is the first one again: {:#?}", report.findings);
}

#[test]
fn every_platform_of_an_index_and_an_attestation_is_read() {
    let mut layout = Layout::default();
    let clean = layout.image(&[tar(&[("a", b"b")])], "", as_is);
    let leaky = layout.image(&three_layers(), "+zstd", zstd);
    let statement =
        layout.json("application/vnd.in-toto+json", &json!({ "predicate": { "args": format!("x{MARK}") } }));
    let mut attestation = layout.manifest(
        &json!({ "architecture": "unknown", "os": "unknown", "rootfs": { "diff_ids": ["sha256:0"] } }),
        &[statement],
    );
    // As BuildKit says what it is about.
    attestation["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
    attestation["annotations"] = json!({ "vnd.docker.reference.digest": leaky["digest"] });
    let mut leaky = leaky;
    leaky["platform"] = json!({ "architecture": "arm64", "os": "linux", "variant": "v8" });
    let index = layout.index(&[attestation, clean, leaky]);
    layout.root(index);
    let report = audit_archive(&layout.archive());
    assert_eq!(unread(&report), "");
    assert_eq!(report.images.len(), 2, "an attestation is no image of files");
    let attested: Vec<_> =
        report.findings.iter().filter(|finding| finding.location.kind == Place::Attestation).collect();
    assert_eq!(attested.len(), 1);
    assert_eq!(attested[0].location.field.as_deref(), Some("predicate.args"));
    assert_eq!(attested[0].platform.as_deref(), Some("linux/arm64/v8"), "that of the image it is about");
    assert_eq!(report.findings.len(), 3);
}

#[test]
fn labels_environment_history_and_annotations_are_looked_at_by_field() {
    let mut layout = Layout::default();
    let layer = layout.blob("application/vnd.oci.image.layer.v1.tar", &tar(&[("a", b"b")]));
    let config = json!({
        "config": { "Env": [format!("PLACE={MARK}")], "Labels": { "note": MARK }, "Entrypoint": ["sh", MARK] },
        "history": [{ "created_by": format!("RUN \"{MARK}\"\n") }],
        "rootfs": { "diff_ids": [Digest::of(&tar(&[("a", b"b")])).to_string()] },
    });
    let mut image = layout.manifest(&config, &[layer]);
    image["annotations"] = json!({ "org.example": MARK });
    layout.root(image);
    let report = audit_archive(&layout.archive());
    assert_eq!(unread(&report), "");
    let mut fields: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.location.kind, finding.location.field.clone().unwrap()))
        .collect();
    fields.sort();
    let expected = [
        (Place::Config, "Entrypoint[1]"),
        (Place::Config, "Env.PLACE"),
        (Place::Config, "Labels.note"),
        (Place::History, "history[0].created_by"),
        (Place::Annotation, "manifests[0].annotations.org.example"),
    ];
    assert_eq!(fields, expected.map(|(kind, field)| (kind, field.to_owned())));
}

#[test]
fn a_blob_that_no_manifest_names_is_looked_at_all_the_same() {
    let mut layout = Layout::default();
    let image = layout.image(&[tar(&[("a", b"b")])], "", as_is);
    layout.root(image);
    layout.blob("x", &gzip(&tar(&[("left/over", MARK.as_bytes())])));
    let report = audit_archive(&layout.archive());
    assert_eq!(places(&report), [(None, "left/over".to_owned(), Some(0), None, None)]);
}

#[test]
fn what_lies_between_and_behind_the_entries_of_a_layer_is_looked_at() {
    let mut padded = entry(b'0', "a", b"b");
    padded[600..600 + MARK.len()].copy_from_slice(MARK.as_bytes());
    padded.extend([0; 1024]);
    padded.extend(MARK.as_bytes());
    let mut layout = Layout::default();
    let image = layout.image(&[padded], "", as_is);
    layout.root(image);
    let report = audit_archive(&layout.archive());
    assert_eq!(places(&report).iter().map(|place| place.2).collect::<Vec<_>>(), [Some(600), Some(512 * 2 + 1024)]);
    assert!(unread(&report).contains("bytes behind the end of the tar"), "{}", unread(&report));
}

#[test]
fn a_wrong_digest_size_or_diff_id_is_said_with_the_blobs_name() {
    let of = |change: &dyn Fn(&mut Layout, &mut serde_json::Value)| {
        let mut layout = Layout::default();
        let mut image = layout.image(&three_layers(), "+gzip", gzip);
        change(&mut layout, &mut image);
        layout.root(image);
        let report = audit_archive(&layout.archive());
        assert!(!report.complete);
        unread(&report)
    };
    let layer_name = format!("blobs/sha256/{}", Digest::of(&gzip(&three_layers()[0])).hex());
    let digest = of(&|layout, _| {
        let blob = layout.files.iter_mut().find(|(name, _)| *name == layer_name).unwrap();
        blob.1 = gzip(&tar(&[("other", b"content")]));
    });
    assert!(digest.contains(&layer_name) && digest.contains("its digest is sha256:"), "{digest}");
    let size = of(&|_, image| image["size"] = json!(7));
    assert!(size.contains("another size"), "{size}");
    let missing = of(&|layout, _| layout.files.retain(|(name, _)| *name != layer_name));
    assert!(
        missing.contains(&layer_name.replace("blobs/sha256/", "sha256:")) && missing.contains("is missing"),
        "{missing}"
    );

    let mut layout = Layout::default();
    let layer = layout.blob("application/vnd.oci.image.layer.v1.tar", &three_layers()[0]);
    let image = layout.manifest(&json!({ "rootfs": { "diff_ids": [Digest::of(b"").to_string()] } }), &[layer]);
    layout.root(image);
    let report = audit_archive(&layout.archive());
    assert!(unread(&report).contains("and the config says sha256:e3b0"), "{}", unread(&report));
    assert_eq!(report.findings.len(), 1, "it is looked at all the same");
}

#[test]
fn an_unknown_or_foreign_media_type_is_said_and_never_skipped() {
    let mut layout = Layout::default();
    let layer = layout.blob("application/vnd.example.layer", &three_layers()[0]);
    let foreign = json!({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": Digest::of(b"far away").to_string(), "size": 8, "urls": ["https://example.com/layer"],
    });
    let image = layout.manifest(
        &json!({ "rootfs": { "diff_ids": [Digest::of(&three_layers()[0]).to_string(), "sha256:1"] } }),
        &[layer, foreign],
    );
    layout.root(image);
    let report = audit_archive(&layout.archive());
    let unread = unread(&report);
    assert!(unread.contains("application/vnd.example.layer") && unread.contains("is missing"), "{unread}");
    assert_eq!(report.findings.len(), 1, "what is there is looked at");
}

#[test]
fn indexes_in_a_circle_or_too_deep_end_with_a_message() {
    let mut layout = Layout::default();
    let mut nested = layout.image(&[tar(&[("a", b"b")])], "", as_is);
    for _ in 0..8 {
        nested = layout.index(&[nested.clone(), nested]);
    }
    layout.root(nested);
    let report = audit_archive(&layout.archive());
    assert!(unread(&report).contains("too many or too deep"), "{}", unread(&report));
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_never_complete() {
    let mut layout = Layout::default();
    let image = layout.image(&three_layers(), "+gzip", gzip);
    layout.root(image);
    let archive = layout.archive();
    // The end marker and the padding before it may be missing: nothing is lost with them.
    let end = archive.len() - 1024 - 512;
    for cut in (0..end).step_by(97) {
        let source = source::stream(Box::new(std::io::Cursor::new(archive[..cut].to_vec())), "cut");
        let complete = source.and_then(audit).is_ok_and(|report| report.complete);
        assert!(!complete, "cut at {cut} of {}", archive.len());
    }
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    for bytes in [&b""[..], b"hello", &[0; 4096], &made::gzip(b"hello")] {
        let source = source::stream(Box::new(std::io::Cursor::new(bytes.to_vec())), "x");
        assert!(source.and_then(audit).is_err(), "{bytes:?}");
    }
    let report = audit_archive(&tar(&[("etc/passwd", b"root")]));
    assert!(unread(&report).contains("it is no image"));
}
