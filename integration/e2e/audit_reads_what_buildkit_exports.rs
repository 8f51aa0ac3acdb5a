//! What BuildKit writes beside images: caches, where a stage that no image has is kept, and layers
//! in each of its compressions. Engines with containerd's image store; the others export neither.

use std::fs;

use valetkey_integration::engine::CONTAINERDS;
use valetkey_integration::{Audited, Engine, Key, Project, Registry};

/// Where estargz cuts a file into pieces of their own: the key lies across the first cut.
const PIECE: usize = 4 << 20;

fn audit(engine: &Engine, image: &str) -> Audited {
    Audited::of(engine.valetkey(&["audit", "--format", "json", image]).finish()).expect_complete()
}

fn build(engine: &Engine, project: &Project, more: &[&str]) {
    let build = ["buildx", "build", "--provenance", "false", "--tag", &project.name];
    engine.command("docker").args(build).args(more).arg(".").within(project.path()).succeed();
}

/// A key in a stage from which the image takes another file.
fn with_a_stage(key: &Key) -> Project {
    let project = Project::new().write("deploy", &key.private());
    let built = format!("of {}", project.name);
    project.write("built", &built).write(
        "Dockerfile",
        "FROM scratch AS builder\nCOPY deploy /id_ed25519\nCOPY built /built\nFROM scratch\nCOPY --from=builder /built /\n",
    )
}

#[test]
fn a_cache_has_the_key_of_a_stage_that_the_image_does_not_have() {
    let (registry, key) = (Registry::up(), Key::ed25519("builder"));
    for engine in CONTAINERDS.map(Engine::named) {
        let project = with_a_stage(&key);
        // As a manifest, and as an index of layers.
        for form in ["true", "false"] {
            let folder = project.file(&format!("cache-{form}")).display().to_string();
            let name = registry.name(&format!("cache/{}:{form}", project.name));
            for to in [format!("type=local,dest={folder}"), format!("type=registry,ref={name}")] {
                build(&engine, &project, &["--cache-to", &format!("{to},mode=max,image-manifest={form}")]);
            }
            for cache in [folder, format!("registry://{name}")] {
                let audit = audit(&engine, &cache).expect_code(116);
                let found = audit.of_key(&key.fingerprint());
                assert_eq!(found.len(), 1, "{cache}: {:#}", audit.report());
                assert_eq!(found[0]["location"]["path"], "id_ed25519", "{cache}");
                assert_eq!(audit.images().len(), 1, "{cache}");
            }
        }
        assert!(audit(&engine, &project.name).expect_code(0).findings().is_empty(), "the image does not have it");
    }
}

/// The media types and annotations of the layers that an unpacked archive has.
fn layers(archive: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let tar = ["-x", "-f", archive, "-C"];
    valetkey_integration::Run::new("tar").args(tar).arg(folder.path()).succeed();
    let blobs = fs::read_dir(folder.path().join("blobs/sha256")).expect("blobs");
    let blobs = blobs.map(|blob| fs::read(blob.expect("a blob").path()).expect("a blob"));
    let documents = blobs.filter_map(|blob| serde_json::from_slice::<serde_json::Value>(&blob).ok());
    documents.map(|document| document["layers"].to_string()).collect()
}

/// Builds an image whose layers are compressed so, and finds a key in a large file of it.
fn is_found(engine: &str, compression: &str, sign: &str) {
    let (engine, key) = (Engine::named(engine), Key::ed25519("deploy"));
    let before: String = (0..).map(|number| format!("line {number}\n")).take(PIECE / 8).collect();
    let before = &before[..PIECE - key.private().len() / 2];
    let project = Project::new().write("large", &format!("{before}{}", key.private())).write("small", "small");
    let project = project.write("Dockerfile", "FROM scratch\nCOPY small /a\nCOPY large /large\nCOPY small /z\n");
    let archive = project.file("image.tar").display().to_string();
    let output = format!("type=oci,dest={archive},force-compression=true,compression={compression}");
    build(&engine, &project, &["--output", &output]);
    assert!(layers(&archive).contains(sign), "not compressed with {compression}: {}", layers(&archive));
    let folder = project.file("layout").display().to_string();
    build(&engine, &project, &["--output", &format!("{output},tar=false").replace(&archive, &folder)]);
    for image in [archive, folder] {
        let audit = audit(&engine, &image).expect_code(116);
        let found = audit.of_key(&key.fingerprint());
        assert_eq!(found.len(), 1, "{compression}: {:#}", audit.report());
        assert_eq!(found[0]["location"]["path"], "large", "{compression}");
        assert_eq!(found[0]["location"]["layer"], 1, "{compression}");
    }
}

#[test]
fn a_key_in_layers_of_zstd_is_found() {
    for engine in CONTAINERDS {
        is_found(engine, "zstd", "application/vnd.oci.image.layer.v1.tar+zstd");
        is_found(engine, "zstd,oci-mediatypes=false", "application/vnd.docker.image.rootfs.diff.tar.zstd");
    }
}

#[test]
fn a_key_in_layers_of_gzip_and_in_plain_ones_is_found() {
    for engine in CONTAINERDS {
        is_found(engine, "gzip", "application/vnd.oci.image.layer.v1.tar+gzip");
        is_found(engine, "uncompressed", "application/vnd.oci.image.layer.v1.tar\"");
    }
}

/// By Docker 26 alone: Debian's build of 28.5 ends itself when it writes estargz ("footer buffer =
/// 48, not 51", its stargz-snapshotter with a later Go).
#[test]
fn a_key_across_two_pieces_of_estargz_is_found() {
    is_found("docker-26-containerd", "estargz", "containerd.io/snapshot/stargz/toc.digest");
}
