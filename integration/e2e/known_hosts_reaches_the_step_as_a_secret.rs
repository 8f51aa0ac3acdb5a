//! A step knows the host by the secret `known_hosts`: with no `ssh-keyscan`, with OpenSSH's own
//! StrictHostKeyChecking, and without a trace in the image.

use valetkey_integration::{Engine, PrivateBuild};

const CLONE: &str = "git clone {url} /cloned";

fn reaches_the_step(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_steps(&format!("{{step}} ! test -e ~/.ssh/known_hosts && {CLONE}"));
    build.run(&engine, &build.command(&engine));
    build.expect_in(&engine, &build.project.name);
    assert!(!engine.image_holds(&build.project.name, &build.server.host_key_body()), "the host key is in the image");
}

/// The control of the search: an image into which the step copied the file.
fn would_be_found(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_steps(&format!("{{step}} cp /etc/ssh/ssh_known_hosts /kept && {CLONE}"));
    build.run(&engine, &build.command(&engine));
    assert!(engine.image_holds(&build.project.name, &build.server.host_key_body()), "the search finds nothing");
}

/// The control of the mount: the same step without it trusts nobody.
fn is_needed(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_steps(&format!("RUN --mount=type=ssh {{fresh}} {CLONE}"));
    build.fail(&engine, &build.command(&engine)).expect("Host key verification failed").expect("signed no login");
}

#[test]
fn with_docker_20() {
    reaches_the_step("docker-20.10");
}

#[test]
fn with_docker_28() {
    reaches_the_step("docker-28");
}

#[test]
fn with_podman_5() {
    reaches_the_step("podman-5");
}

#[test]
fn and_a_copy_of_it_in_an_image_of_docker_20_is_found() {
    would_be_found("docker-20.10");
}

#[test]
fn and_a_copy_of_it_in_an_image_of_docker_28_is_found() {
    would_be_found("docker-28");
}

#[test]
fn and_a_copy_of_it_in_an_image_of_podman_5_is_found() {
    would_be_found("podman-5");
}

#[test]
fn and_without_the_mount_docker_28_fails() {
    is_needed("docker-28");
}

#[test]
fn and_without_the_mount_podman_4_fails() {
    is_needed("podman");
}
