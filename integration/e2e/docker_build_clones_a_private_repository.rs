//! `docker build` lends the key, with a flag of docker before the verb, and needs no DOCKER_BUILDKIT
//! for it: 20.10 uses its old builder otherwise.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::new();
    let name = build.project.name.as_str();
    let command = ["docker", "--log-level", "warn", "build", "--network", "host", "--tag", name, "."];
    build.check(build.lend(&engine).args(command).env_remove("DOCKER_BUILDKIT"));
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
