//! `valetkey start` lends to builds that valetkey does not start itself: what it prints is all that
//! they need, and `stop` says what they did.

use valetkey_integration::gateway_build::GRANTED;
use valetkey_integration::{Engine, GatewayBuild, PrivateBuild, RuntimeFolder, private_build::private_text};

/// A job that builds with these commands, by agent: one login, bound to its host.
fn by_agent(engine: &str, build: &PrivateBuild, commands: &str) -> String {
    let engine = Engine::named(engine);
    let place = RuntimeFolder::new();
    let before = build.project.files();
    let script = format!(
        r#"eval "$(valetkey start --no-config --key env:DEPLOY_KEY --known-hosts '{}')"
        [[ -z ${{DEPLOY_KEY-}} ]]
        {commands}
        eval "$(valetkey stop)"
        [[ -z ${{VALETKEY_LEASE-}}${{SSH_AUTH_SOCK-}}${{COMPOSE_FILE-}} ]]"#,
        build.server.known_hosts().display(),
    );
    let job = engine.job(&script).env("DEPLOY_KEY", build.key.private()).env("TAG", &build.project.name);
    let finished = job.env("XDG_RUNTIME_DIR", place.path()).within(build.project.path()).succeed();
    let finished = finished.expect(&build.bound()).expect_not("refused");
    assert_eq!(build.server.accepted(), 1, "{}\n{}", build.server.log(), finished.report());
    assert_eq!(build.project.files(), before, "the files of the project are not what they were");
    place.expect_no_process();
    assert!(place.leases().is_empty(), "{:?}", place.leases());
    finished.stdout
}

fn image_by_agent(engine: &str, command: &str) {
    let build = PrivateBuild::new();
    by_agent(engine, &build, &format!("{command} $VALETKEY_BUILD_ARGS --network host --tag $TAG ."));
    build.expect_in(&Engine::named(engine), &build.project.name);
}

#[test]
fn docker_build_by_agent_on_docker_20() {
    image_by_agent("docker-20.10", "docker build");
}

#[test]
fn docker_build_by_agent_on_docker_28() {
    image_by_agent("docker-28", "docker build");
}

#[test]
fn docker_build_with_the_plain_flag_of_every_recipe_by_agent_on_docker_26() {
    let build = PrivateBuild::new();
    let flags = "--ssh default --secret id=known_hosts,src=$VALETKEY_KNOWN_HOSTS";
    by_agent("docker-26", &build, &format!("docker build {flags} --network host --tag $TAG ."));
    build.expect_in(&Engine::named("docker-26"), &build.project.name);
}

#[test]
fn podman_build_by_agent() {
    image_by_agent("podman", "podman build");
}

#[test]
fn podman_build_by_agent_on_podman_5() {
    image_by_agent("podman-5", "podman build");
}

#[test]
fn buildah_build_by_agent() {
    image_by_agent("podman", "buildah build");
}

fn compose_by_agent(engine: &str) {
    let build = PrivateBuild::with_compose();
    let shown = by_agent(engine, &build, "docker compose run --rm -T app");
    assert!(shown.ends_with(&private_text()), "{shown}");
}

#[test]
fn compose_run_that_builds_by_agent_on_docker_20() {
    compose_by_agent("docker-20.10");
}

#[test]
fn compose_run_that_builds_by_agent_on_docker_26() {
    compose_by_agent("docker-26");
}

#[test]
fn compose_run_that_builds_by_agent_on_docker_28() {
    compose_by_agent("docker-28");
}

/// A job that builds with these commands, by gateway: the build holds no key.
fn by_gateway(engine: &str, build: &GatewayBuild, start: &str, commands: &str) {
    let engine = Engine::named(engine);
    let place = RuntimeFolder::new();
    let before = build.project.files();
    let script = format!("eval \"$(valetkey start {start})\"\n{commands}\nvaletkey status\neval \"$(valetkey stop)\"");
    let job = engine.job(&script).env("DEPLOY_KEY", build.key.private()).env("TAG", &build.project.name);
    let finished = job.env("XDG_RUNTIME_DIR", place.path()).within(build.project.path()).succeed();
    let carried = build.carried(GRANTED);
    let finished = finished.expect(&carried).expect("the build held no key").expect_not("refused");
    assert!(finished.stdout.contains(&carried), "what status shows: {}", finished.report());
    build.expect_logins(&finished, 1);
    assert_eq!(build.project.files(), before, "the files of the project are not what they were");
    place.expect_no_process();
    assert!(place.leases().is_empty(), "{:?}", place.leases());
}

fn cloning() -> GatewayBuild {
    GatewayBuild::with_steps("{step} git clone {url} /cloned")
}

fn image_by_gateway(engine: &str, start: &str, command: &str) {
    let build = cloning();
    by_gateway(engine, &build, start, command);
    let shown = Engine::named(engine).in_image(&build.project.name, &["cat", "/cloned/omnibus/__init__.py"]).succeed();
    assert_eq!(shown.stdout, private_text());
}

/// As docker/build-push-action has it: a file, contexts, sockets.
const REWRITTEN: &str =
    "docker build $VALETKEY_BUILD_ARGS -f \"$(valetkey rewrite)\" --network host --progress plain --tag $TAG .";

#[test]
fn docker_build_with_a_rewritten_dockerfile_by_gateway_on_docker_26() {
    image_by_gateway("docker-26", "", REWRITTEN);
}

#[test]
fn docker_build_with_a_rewritten_dockerfile_by_gateway_on_docker_28() {
    image_by_gateway("docker-28", "", REWRITTEN);
}

#[test]
fn docker_build_with_a_dockerfile_from_a_pipe_by_gateway() {
    let piped = "valetkey rewrite -o - | docker build $VALETKEY_BUILD_ARGS -f - --network host --tag $TAG .";
    image_by_gateway("docker-28", "", piped);
}

#[test]
fn podman_build_with_a_rewritten_dockerfile_by_gateway() {
    image_by_gateway(
        "podman-5",
        "",
        "podman build $VALETKEY_BUILD_ARGS -f \"$(valetkey rewrite)\" --network host --tag $TAG .",
    );
}

fn compose_by_gateway(engine: &str) {
    let build = cloning().with_compose();
    by_gateway(engine, &build, "--compose", "docker compose build");
    let image = build.project.service_image();
    let shown = Engine::named(engine).in_image(&image, &["cat", "/cloned/omnibus/__init__.py"]).succeed();
    assert_eq!(shown.stdout, private_text());
}

#[test]
fn compose_build_by_gateway_on_docker_26() {
    compose_by_gateway("docker-26");
}

#[test]
fn compose_build_by_gateway_on_docker_28() {
    compose_by_gateway("docker-28");
}

fn bake_by_gateway(engine: &str, build: &GatewayBuild, start: &str, flags: &str) {
    by_gateway(engine, build, start, &format!("docker buildx bake {flags} $VALETKEY_BAKE_ARGS"));
    let shown = Engine::named(engine).in_image(&build.project.name, &["cat", "/cloned/omnibus/__init__.py"]).succeed();
    assert_eq!(shown.stdout, private_text());
}

#[test]
fn bake_by_gateway_on_docker_28() {
    let build = cloning();
    let name = &build.project.name;
    let target = format!("target \"default\" {{\n  network = \"host\"\n  tags = [\"{name}\"]\n}}\n");
    let build = build.writing("docker-bake.hcl", &target);
    bake_by_gateway("docker-28", &build, "--bake", "--file docker-bake.hcl --allow=network.host");
}

/// Its HCL files know no `network`.
#[test]
fn bake_of_a_compose_file_by_gateway_on_docker_26() {
    let build = cloning().with_compose();
    bake_by_gateway("docker-26", &build, "--bake app", "--file compose.yaml app --set app.tags=$TAG");
}
