//! An index of two platforms with provenance, as buildx pushes it: each platform is named with the
//! key that only it has, and a key in a build argument is found in the attestations; by tag, by
//! digest, and in the engine by name, digest and id.

use valetkey_integration::engine::CONTAINERDS;
use valetkey_integration::{Audited, Engine, Key, Project, Registry};

/// Nothing runs in it, so that no emulator is needed.
const TWO_PLATFORMS: &str = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /given\n";

fn audit(engine: &Engine, image: &str) -> Audited {
    Audited::of(engine.valetkey(&["audit", "--format", "json", image]).finish()).expect_code(116).expect_complete()
}

/// Builds `project` for both platforms with the whole provenance, as `name`.
fn build(engine: &Engine, project: &Project, name: &str, more: &[&str]) {
    let build = ["buildx", "build", "--platform", "linux/amd64,linux/arm64", "--provenance", "mode=max", "--tag", name];
    engine.command("docker").args(build).args(more).arg(".").within(project.path()).succeed();
}

/// What the engine says of an image.
fn inspected(engine: &Engine, name: &str, field: &str) -> String {
    engine.command("docker").args(["image", "inspect", "--format", field, name]).succeed().stdout.trim().to_owned()
}

#[test]
fn each_platform_has_its_own_key() {
    let (registry, amd64, arm64) = (Registry::up(), Key::ed25519("amd64"), Key::ed25519("arm64"));
    for engine in CONTAINERDS.map(Engine::named) {
        let project = Project::new().write("amd64", &amd64.private()).write("arm64", &arm64.private());
        let project = project.write("Dockerfile", TWO_PLATFORMS);
        let name = registry.name(&format!("team/{}:1", project.name));
        build(&engine, &project, &name, &[]);
        engine.command("docker").args(["push", "--quiet", &name]).succeed();
        let digest = inspected(&engine, &name, "{{index .RepoDigests 0}}");
        assert!(digest.contains("@sha256:"), "{digest}");
        let id = inspected(&engine, &name, "{{.Id}}");
        for image in [format!("registry://{name}"), format!("registry://{digest}"), name.clone(), digest, id] {
            let audit = audit(&engine, &image);
            assert_eq!(audit.platforms_of(&amd64.fingerprint()), ["linux/amd64"], "{image}: {:#}", audit.report());
            assert_eq!(audit.platforms_of(&arm64.fingerprint()), ["linux/arm64"], "{image}");
            assert_eq!(audit.secrets().len(), 2, "{image}: {:#?}", audit.secrets());
            assert_eq!(audit.images().len(), 2, "{image}");
        }
    }
}

#[test]
fn a_key_in_a_build_argument_is_found_in_the_provenance() {
    let (registry, key) = (Registry::up(), Key::ed25519("argument"));
    for engine in CONTAINERDS.map(Engine::named) {
        let project = Project::new().write("file", "nothing").write("Dockerfile", "FROM scratch\nCOPY file /file\n");
        let name = registry.name(&format!("team/{}:1", project.name));
        build(&engine, &project, &name, &["--build-arg", &format!("LEFTOVER={}", key.private())]);
        engine.command("docker").args(["push", "--quiet", &name]).succeed();
        let audit = audit(&engine, &format!("registry://{name}"));
        let found = audit.of_key(&key.fingerprint());
        // Nothing declares the argument, and so it is in no history: one for each platform's provenance.
        assert_eq!(found.len(), 2, "{:#}", audit.report());
        assert_eq!(audit.platforms_of(&key.fingerprint()), ["linux/amd64", "linux/arm64"]);
        for finding in found {
            assert_eq!(finding["location"]["kind"], "attestation", "{finding:#}");
            let field = finding["location"]["field"].as_str().unwrap_or_default();
            assert!(field.ends_with("build-arg:LEFTOVER"), "{field}");
        }
    }
}

#[test]
fn an_image_of_an_engine_without_an_index_is_read_by_its_id_and_digest() {
    let (engine, registry, key) = (Engine::named("docker-28"), Registry::up(), Key::ed25519("deploy"));
    let project = Project::new().write("deploy", &key.private());
    let project = project.write("Dockerfile", "FROM scratch\nCOPY deploy /id_ed25519\n");
    let name = registry.name("team/app:1");
    engine.command("docker").args(["build", "--tag", &name, "."]).within(project.path()).succeed();
    engine.command("docker").args(["push", "--quiet", &name]).succeed();
    let digest = inspected(&engine, &name, "{{index .RepoDigests 0}}");
    let id = inspected(&engine, &name, "{{.Id}}");
    let short = id.trim_start_matches("sha256:")[..12].to_owned();
    for image in [format!("registry://{digest}"), digest, id, short] {
        assert_eq!(audit(&engine, &image).of_key(&key.fingerprint()).len(), 1, "{image}");
    }
    // A digest that the registry does not have.
    let other = format!("registry://{}@sha256:{}", registry.name("team/app"), "0".repeat(64));
    engine.valetkey(&["audit", &other]).finish().expect_code(117).expect("404");
}
