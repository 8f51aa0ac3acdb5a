//! `docker compose run` builds what it lacks with the lent key, and runs it.

use valetkey_integration::{Engine, PrivateBuild, private_build::private_text};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    let finished = build.run(&engine, &["docker", "compose", "run", "--rm", "-T", "app"]);
    assert!(finished.stdout.ends_with(&private_text()), "{}", finished.report());
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
