//! `docker buildx bake` lends the key to the targets that are built, whichever kind of file
//! describes them, with a flag of docker before the verb and a `--set` of the user's own behind it.

use valetkey_integration::{Engine, PrivateBuild};

/// Since 0.20 bake asks for the person's own leave to use the host's network, lease or none.
const LEAVE: [&str; 2] = ["--allow", "network.host"];

fn builds(engine: &str, build: &PrivateBuild, flags: &[&str], image: &str) {
    let engine = Engine::named(engine);
    build.run(&engine, &[&["docker", "--log-level", "warn", "buildx", "bake"], flags].concat());
    build.expect_in(&engine, image);
}

#[test]
fn from_an_hcl_file_with_docker_28() {
    let build = PrivateBuild::new();
    let name = build.project.name.clone();
    let target = format!("target \"default\" {{\n  tags = [\"{name}\"]\n  network = \"host\"\n}}\n");
    let build = PrivateBuild { project: build.project.write("docker-bake.hcl", &target), ..build };
    builds("docker-28", &build, &LEAVE, &name);
}

#[test]
fn from_a_compose_file_with_docker_28() {
    let build = PrivateBuild::with_compose();
    let tag = format!("app.tags={}", build.project.name);
    builds("docker-28", &build, &[&LEAVE[..], &["--set", &tag]].concat(), &build.project.name);
}

/// Its HCL files know no `network`.
#[test]
fn from_a_compose_file_with_docker_26() {
    let build = PrivateBuild::with_compose();
    let tag = format!("--set=app.tags={}", build.project.name);
    builds("docker-26", &build, &[&tag, "app"], &build.project.name);
}
