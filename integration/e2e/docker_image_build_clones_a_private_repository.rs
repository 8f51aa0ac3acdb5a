//! `docker image build` is `docker build`, with the context first and the flags behind it.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::new();
    let name = build.project.name.as_str();
    build.run(&engine, &["docker", "image", "build", ".", "--network=host", "-t", name]);
    build.expect_in(&engine, name);
}

#[test]
fn with_docker_20() {
    builds("docker-20.10");
}

#[test]
fn with_docker_26() {
    builds("docker-26");
}

#[test]
fn with_docker_28() {
    builds("docker-28");
}
