//! After a build with a key from a variable, neither the image (all layers, configuration and
//! history, as `save` writes them) nor the output of the build holds the private key.

use valetkey_integration::{Engine, Key, PrivateBuild, Project};

fn holds_none(engine: &str) {
    let engine = Engine::named(engine);
    // The step keeps all that it can see: its environment, and what is mounted.
    let build = PrivateBuild::with_steps("{step} git clone {url} /cloned && env > /env && cp -r /run /kept");
    let body = build.key.body();
    build.run(&engine, &build.command(&engine)).expect_not(&body);
    assert!(!engine.image_holds(&build.project.name, &body), "the key is in the image");
    control(&engine, &build.key);
}

/// A key that was copied in, and shown, is found by the same search.
fn control(engine: &Engine, key: &Key) {
    let project = Project::with_steps("COPY key /leaked\nRUN cat /leaked").write("key", &key.private());
    let build = ["build", "--network", "host", "--tag", &project.name, "."];
    engine.command(engine.tool()).args(build).within(project.path()).succeed().expect(&key.body());
    assert!(engine.image_holds(&project.name, &key.body()), "the search finds nothing");
}

#[test]
fn with_docker_20() {
    holds_none("docker-20.10");
}

#[test]
fn with_docker_26() {
    holds_none("docker-26");
}

#[test]
fn with_docker_28() {
    holds_none("docker-28");
}

#[test]
fn with_podman_4() {
    holds_none("podman");
}

#[test]
fn with_podman_5() {
    holds_none("podman-5");
}
