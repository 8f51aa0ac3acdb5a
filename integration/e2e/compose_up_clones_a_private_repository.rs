//! `docker compose up --build` builds with the lent key, and what it starts sees what was cloned.

use valetkey_integration::{Engine, PrivateBuild, private_build::private_text};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    build
        .run(&engine, &["docker", "compose", "--progress", "plain", "up", "--build"])
        .expect(private_text().lines().last().expect("a line"));
    engine.command("docker").args(["compose", "down"]).within(build.project.path()).succeed();
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
