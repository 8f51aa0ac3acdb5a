//! `docker-compose build`, the program, is `docker compose build`, the plugin; with flags before the verb.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    build.run(&engine, &["docker-compose", "-p", &format!("{}-p", build.project.name), "--progress", "plain", "build"]);
    build.expect_in(&engine, &format!("{}-p-app", build.project.name));
}

#[test]
fn with_docker_20_and_compose_2_26() {
    builds("docker-20.10");
}

#[test]
fn with_docker_26_and_compose_2_26() {
    builds("docker-26");
}

#[test]
fn with_docker_28_and_compose_2_40() {
    builds("docker-28");
}
