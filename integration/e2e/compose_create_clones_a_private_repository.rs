//! `docker compose create` builds what it lacks with the lent key, and starts nothing.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    build.run(&engine, &["docker", "compose", "create"]);
    build.expect_in(&engine, &format!("{}-app", build.project.name));
    let compose = || engine.command("docker").arg("compose").within(build.project.path());
    assert_eq!(compose().args(["ps", "--all", "--services"]).succeed().stdout.trim(), "app");
    assert_eq!(compose().args(["ps", "--services"]).succeed().stdout.trim(), "", "a service runs");
    compose().arg("down").succeed();
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
