//! A lent secret is in no layer, history, configuration or provenance of an image whose step used
//! it, in nothing that was printed, and in no process beside the holder.

use std::fs;

use valetkey_integration::{Engine, SecretBuild};

/// Of no other test, and in no image before.
fn secret(name: &str) -> String {
    format!("tok-{name}-{}", std::process::id())
}

/// The step uses it as a file, and keeps all that it can see besides.
const USES: &str =
    "RUN --mount=type=secret,id=all {fresh} grep -q tok- /run/secrets/all && env >/env && cp -r /tmp /kept";

fn is_in_no_image(engine: &str) {
    let engine = Engine::named(engine);
    let secret = secret(&engine.name);
    let build = SecretBuild::with_steps(secret.clone().into_bytes(), USES);
    build.run(&engine, &build.command(&engine)).expect_not(&secret);
    assert!(!engine.image_holds(&build.project.name, &secret), "the secret is in the image");
    // The control: the same search finds one that was copied.
    let copied = "RUN --mount=type=secret,id=all {fresh} cp /run/secrets/all /kept";
    let build = SecretBuild::with_steps(secret.clone().into_bytes(), copied);
    build.run(&engine, &build.command(&engine));
    assert!(engine.image_holds(&build.project.name, &secret), "the search finds nothing");
}

#[test]
fn of_docker_20() {
    is_in_no_image("docker-20.10");
}

#[test]
fn of_docker_26() {
    is_in_no_image("docker-26");
}

#[test]
fn of_docker_28() {
    is_in_no_image("docker-28");
}

#[test]
fn of_podman_4() {
    is_in_no_image("podman");
}

#[test]
fn of_podman_5() {
    is_in_no_image("podman-5");
}

#[test]
fn nor_in_the_provenance_that_buildkit_writes() {
    let engine = Engine::named("docker-28");
    let secret = secret("provenance");
    let build = SecretBuild::with_steps(secret.clone().into_bytes(), USES);
    let folder = tempfile::tempdir().expect("a folder");
    let metadata = folder.path().join("metadata.json");
    let words = ["docker", "buildx", "build", "--network", "host", "--metadata-file", metadata.to_str().unwrap(), "."];
    build.lend(&engine).env("BUILDX_METADATA_PROVENANCE", "max").args(words).succeed();
    let text = fs::read_to_string(&metadata).expect("what BuildKit says of the build");
    assert!(text.contains("\"id\": \"all\""), "the control: the provenance names the secret: {text}");
    assert!(!text.contains(&secret) && !text.contains("/proc/"), "{text}");
}
