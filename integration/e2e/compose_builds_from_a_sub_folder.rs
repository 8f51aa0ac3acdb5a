//! A run from a folder below the compose file's, with a `compose.override.yaml` beside it: both
//! are found, and the files of the project stay what they are.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    let overriding = "services:\n  app:\n    build:\n      labels: {found: override}\n";
    let project = build.project.write("compose.override.yaml", overriding).write("docs/drafts/note", "");
    let build = PrivateBuild { project, ..build };
    build.check(build.lend(&engine).within(build.project.file("docs/drafts")).args(["docker", "compose", "build"]));
    let image = build.project.service_image();
    build.expect_in(&engine, &image);
    let label = ["image", "inspect", "--format", "{{.Config.Labels.found}}", &image];
    assert_eq!(engine.command("docker").args(label).succeed().stdout.trim(), "override");
}

#[test]
fn with_docker_28_and_compose_2_40() {
    builds("docker-28");
}

#[test]
fn with_docker_26_and_compose_2_26() {
    builds("docker-26");
}
