//! The gateway with every tool and engine: `git clone` and `pip install git+ssh` in an image
//! without an SSH client. The build succeeds, the server sees one login a session, the project
//! stays as it was, and nothing of the guest stays in the image.

use valetkey_integration::private_build::private_text;
use valetkey_integration::{Engine, GatewayBuild};

const STEPS: &str = "{step} git clone {url} /cloned && \
    pip install --no-index --no-build-isolation --target /installed 'omnibus @ git+{url}@v1.0.0'";

/// With a Compose file for all: where it is not used it is in nobody's way.
fn project() -> GatewayBuild {
    GatewayBuild::with_steps(STEPS).with_compose()
}

fn expect_in(engine: &Engine, image: &str) {
    let show = "cat /cloned/omnibus/__init__.py /installed/omnibus/__init__.py; ls -A /usr/local/bin";
    let shown = engine.in_image(image, &["sh", "-c", show]).succeed().stdout;
    let rest = shown.strip_prefix(&private_text().repeat(2)).unwrap_or_else(|| panic!("not installed: {shown}"));
    assert!(rest.contains("poetry") && !rest.lines().any(|name| name == "ssh"), "the guest stayed: {rest}");
}

fn builds(engine: &str, command: &[&str], image: Image) {
    let engine = Engine::named(engine);
    let build = project();
    let name = build.project.name.as_str();
    let command: Vec<&str> = command.iter().map(|word| if *word == "NAME" { name } else { word }).collect();
    build.check(build.lend(&engine).args(&command));
    match image {
        Image::Tagged => expect_in(&engine, name),
        Image::Service => expect_in(&engine, &build.project.service_image()),
    }
    if command.contains(&"up") {
        engine.command("docker").args(["compose", "down"]).within(build.project.path()).succeed();
    }
}

enum Image {
    Tagged,
    Service,
}

const DOCKER: &[&str] = &["docker", "build", "--network", "host", "--tag", "NAME", "."];
const BUILDX: &[&str] = &["docker", "buildx", "build", "--load", "--network", "host", "--tag", "NAME", "."];
const COMPOSE: &[&str] = &["docker", "compose", "build"];
const UP: &[&str] = &["docker", "compose", "up", "--build", "--detach"];
const RUN: &[&str] = &["docker", "compose", "run", "--rm", "-T", "app", "true"];
const BAKE: &[&str] =
    &["docker", "buildx", "bake", "--allow", "network.host", "--file", "compose.yaml", "--set", "app.tags=NAME"];
const PODMAN: &[&str] = &["podman", "build", "--network", "host", "--tag", "NAME", "."];
const BUILDAH: &[&str] = &["buildah", "build", "--network", "host", "--tag", "NAME", "."];

#[test]
fn docker_26_build() {
    builds("docker-26", DOCKER, Image::Tagged);
}

#[test]
fn docker_28_build() {
    builds("docker-28", DOCKER, Image::Tagged);
}

#[test]
fn docker_26_buildx_build() {
    builds("docker-26", BUILDX, Image::Tagged);
}

#[test]
fn docker_28_buildx_build() {
    builds("docker-28", BUILDX, Image::Tagged);
}

#[test]
fn docker_26_compose_build() {
    builds("docker-26", COMPOSE, Image::Service);
}

#[test]
fn docker_28_compose_build() {
    builds("docker-28", COMPOSE, Image::Service);
}

#[test]
fn docker_26_compose_up() {
    builds("docker-26", UP, Image::Service);
}

#[test]
fn docker_28_compose_up() {
    builds("docker-28", UP, Image::Service);
}

#[test]
fn docker_26_compose_run() {
    builds("docker-26", RUN, Image::Service);
}

#[test]
fn docker_28_compose_run() {
    builds("docker-28", RUN, Image::Service);
}

#[test]
fn docker_28_bake() {
    let engine = Engine::named("docker-28");
    let build = project();
    let tag = format!("app.tags={}", build.project.name);
    let command = BAKE.iter().map(|word| if *word == "app.tags=NAME" { &tag } else { *word });
    build.check(build.lend(&engine).args(command));
    expect_in(&engine, &build.project.name);
}

#[test]
fn podman_4_build() {
    builds("podman", PODMAN, Image::Tagged);
}

#[test]
fn podman_5_build() {
    builds("podman-5", PODMAN, Image::Tagged);
}

#[test]
fn buildah_with_podman_4() {
    builds("podman", BUILDAH, Image::Tagged);
}

#[test]
fn buildah_with_podman_5() {
    builds("podman-5", BUILDAH, Image::Tagged);
}
