//! A key that was copied in and deleted again is found in the layer that it lies in, in images
//! of every engine: saved by the engine, from a file, as a stream, and pulled from a registry.

use std::fs::File;

use valetkey_integration::{Engine, Key, Project, Registry};

/// An image whose first own layer has a key that the second deletes.
fn leaky(engine: &Engine, key: &Key) -> Project {
    let project = Project::with_steps("COPY deploy /root/.ssh/id_ed25519\nRUN rm /root/.ssh/id_ed25519");
    let project = project.write("deploy", &key.private());
    let build = ["build", "--network", "host", "--tag", &project.name, "."];
    engine.command(engine.tool()).args(build).within(project.path()).succeed();
    project
}

fn is_found(engine: &str) {
    let engine = Engine::named(engine);
    let key = Key::ed25519("deploy");
    let project = leaky(&engine, &key);
    let expect = |arguments: &[&str]| {
        let audit = engine.valetkey(&["audit"]).args(arguments).finish().expect_code(116);
        audit.expect(&key.fingerprint()).expect("root/.ssh/id_ed25519").expect("openssh-private-key").expect("hidden");
    };
    expect(&["--engine", engine.tool(), &project.name]);
    let saved = project.file("saved.tar");
    let path = saved.to_str().expect("UTF-8");
    engine.command(engine.tool()).args(["image", "save", "-o", path, &project.name]).succeed();
    expect(&[path]);
    let stream = engine.valetkey(&["audit", "-"]).stdin(File::open(&saved).expect("saved")).finish();
    stream.expect_code(116).expect(&key.fingerprint());
}

#[test]
fn in_an_image_of_docker_20() {
    is_found("docker-20.10");
}

#[test]
fn in_an_image_of_docker_26() {
    is_found("docker-26");
}

#[test]
fn in_an_image_of_docker_28() {
    is_found("docker-28");
}

#[test]
fn in_an_image_of_podman_4() {
    is_found("podman");
}

#[test]
fn in_an_image_of_podman_5() {
    is_found("podman-5");
}

#[test]
fn in_an_image_that_a_registry_has() {
    let (engine, registry, key) = (Engine::named("docker-28"), Registry::up(), Key::ed25519("deploy"));
    let project = leaky(&engine, &key);
    let name = registry.name("team/app:1.2");
    engine.command("docker").args(["tag", &project.name, &name]).succeed();
    engine.command("docker").args(["push", "--quiet", &name]).succeed();
    let audit = engine.valetkey(&["audit", &format!("registry://{name}")]).finish().expect_code(116);
    audit.expect(&key.fingerprint()).expect("root/.ssh/id_ed25519").expect("hidden");
    let missing = engine.valetkey(&["audit", &format!("registry://{}", registry.name("team/other"))]).finish();
    missing.expect_code(117).expect("failed to pull").expect("404");
}

#[test]
fn and_an_image_that_the_engine_does_not_have_is_said_so() {
    let engine = Engine::named("docker-28");
    engine.valetkey(&["audit", "there-is-no-such-image"]).finish().expect_code(117).expect("No such image");
}
