//! A step reads a lent secret byte for byte, with every tool: as a file, and where the builder
//! can, in a variable that the step asks for. 500 KiB are lent, and one byte more is refused
//! before the build starts.

use valetkey_integration::secret_build::every_byte;
use valetkey_integration::{Engine, SecretBuild};

/// BuildKit's `MaxSecretSize`.
const MOST: usize = 500 * 1024;
/// Since 0.20 bake asks for the person's own leave to use the host's network, lease or none.
const LEAVE: [&str; 2] = ["--allow", "network.host"];

fn by(engine: &str, command: &[&str]) {
    let engine = Engine::named(engine);
    let build = SecretBuild::kept_as_digest(every_byte());
    build.run(&engine, command);
    build.expect_digest(&engine, &build.project.service_image());
}

fn build(engine: &str) {
    let engine = Engine::named(engine);
    for bytes in [every_byte(), vec![b'x'; MOST]] {
        let build = SecretBuild::kept_as_digest(bytes);
        build.run(&engine, &build.command(&engine));
        build.expect_digest(&engine, &build.project.name);
    }
    let build = SecretBuild::kept_as_digest(vec![b'x'; MOST + 1]);
    let refused = build.lend(&engine).args(build.command(&engine)).finish().expect_code(111);
    refused.expect("the secret all cannot be lent as raw").expect_not("sha256sum");
}

fn bake(engine: &str, flags: &[&str]) {
    let engine = Engine::named(engine);
    let build = SecretBuild::kept_as_digest(every_byte());
    let tag = format!("--set=app.tags={}", build.project.name);
    build.run(&engine, &[&["docker", "buildx", "bake", &tag][..], flags].concat());
    build.expect_digest(&engine, &build.project.name);
}

fn buildah(engine: &str) {
    let engine = Engine::named(engine);
    let build = SecretBuild::kept_as_digest(every_byte());
    build.run(&engine, &["buildah", "build", "--network", "host", "--tag", &build.project.name, "."]);
    build.expect_digest(&engine, &build.project.name);
}

/// BuildKit gives a variable as text, so each character up to the second page of Unicode but NUL.
fn in_a_variable(engine: &str) {
    let engine = Engine::named(engine);
    let text: String = ('\u{1}'..'\u{200}').chain("\r\n\u{1b}[31m$(id) `id` ${HOME}\n- {a: *b}\n".chars()).collect();
    let step = "RUN --mount=type=secret,id=all,env=ALL {fresh} test ! -e /run/secrets/all && \
                printf %s \"$ALL\" | sha256sum >/digest";
    let build = SecretBuild::with_steps(text.into_bytes(), step);
    build.run(&engine, &build.command(&engine));
    build.expect_digest(&engine, &build.project.name);
}

#[test]
fn of_docker_20() {
    build("docker-20.10");
}

#[test]
fn of_docker_26() {
    build("docker-26");
}

#[test]
fn of_docker_28() {
    build("docker-28");
}

#[test]
fn of_podman_4() {
    build("podman");
}

#[test]
fn of_podman_5() {
    build("podman-5");
}

#[test]
fn of_buildah_1_28() {
    buildah("podman");
}

#[test]
fn of_buildah_1_43() {
    buildah("podman-5");
}

#[test]
fn of_buildx_with_docker_28() {
    let engine = Engine::named("docker-28");
    let build = SecretBuild::kept_as_digest(every_byte());
    build.run(&engine, &["docker", "buildx", "build", "--network", "host", "-t", &build.project.name, "."]);
    build.expect_digest(&engine, &build.project.name);
}

#[test]
fn of_bake_with_docker_26() {
    bake("docker-26", &[]);
}

#[test]
fn of_bake_with_docker_28() {
    bake("docker-28", &LEAVE);
}

#[test]
fn of_compose_build_with_docker_26() {
    by("docker-26", &["docker", "compose", "build"]);
}

#[test]
fn of_compose_build_with_docker_28() {
    by("docker-28", &["docker", "compose", "build"]);
}

#[test]
fn of_compose_run_with_docker_26() {
    by("docker-26", &["docker", "compose", "run", "--rm", "app", "true"]);
}

#[test]
fn of_compose_run_with_docker_28() {
    by("docker-28", &["docker", "compose", "run", "--rm", "app", "true"]);
}

#[test]
fn in_a_variable_of_docker_28() {
    in_a_variable("docker-28");
}

#[test]
fn in_a_variable_of_docker_26_as_its_builder_has_none_fails_by_name() {
    let engine = Engine::named("docker-26");
    let build = SecretBuild::with_steps(b"x".to_vec(), "RUN --mount=type=secret,id=all,env=ALL {fresh} true");
    build.lend(&engine).args(build.command(&engine)).finish().expect_failure().expect("unexpected key 'env'");
}

/// A secret that was typed, or stands in a Compose file, is the one that the step gets.
#[test]
fn but_one_of_the_same_id_that_was_typed_stays() {
    let engine = Engine::named("docker-28");
    let step = "RUN --mount=type=secret,id=all {fresh} grep -qx typed /run/secrets/all";
    let build = SecretBuild::with_steps(every_byte(), step);
    let typed = ["docker", "build", "--network", "host", "--secret", "id=all,env=TYPED", "."];
    let warned = "the secret `all` stays as typed";
    build.lend(&engine).args(typed).env("TYPED", "typed").succeed().expect(warned);

    let compose = format!(
        "name: {}\nservices:\n  app:\n    build: {{context: ., network: host, secrets: [{{source: own, target: all}}]}}\nsecrets:\n  own: {{environment: TYPED}}\n",
        build.project.name
    );
    let build = SecretBuild { project: build.project.write("compose.yaml", &compose), ..build };
    let command = ["docker", "compose", "build", "--no-cache"];
    build.lend(&engine).args(command).env("TYPED", "typed").succeed().expect(warned);
}
