//! What `docker compose up` started with valetkey in front belongs to the same project as ever:
//! the same labels, and the next plain `up` does not recreate it.

use valetkey_integration::{Engine, PrivateBuild};

fn goes_on(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    let overriding = "services:\n  app:\n    command: sleep infinity\n    stop_signal: SIGKILL\n";
    let build = PrivateBuild { project: build.project.write("compose.override.yaml", overriding), ..build };
    build.run(&engine, &["docker", "compose", "up", "--build", "--detach"]);
    let compose = || engine.command("docker").arg("compose").within(build.project.path());
    let id = || compose().args(["ps", "--quiet", "app"]).succeed().stdout.trim().to_owned();
    let label = |name: &str, id: &str| {
        let format = format!("{{{{index .Config.Labels \"com.docker.compose.project{name}\"}}}}");
        engine.command("docker").args(["inspect", "--format", &format, id]).succeed().stdout.trim().to_owned()
    };
    let lent = id();
    assert!(!lent.is_empty(), "nothing was started");
    assert_eq!(label("", &lent), build.project.name);
    assert_eq!(label(".working_dir", &lent), build.project.path().to_str().unwrap());

    compose().args(["up", "--no-build", "--detach"]).succeed();
    assert_eq!(id(), lent, "the container was made anew");
    // The control: a change of the configuration does make it anew.
    std::fs::write(build.project.file("compose.override.yaml"), overriding.replace("infinity", "99999")).unwrap();
    compose().args(["up", "--no-build", "--detach"]).succeed();
    assert_ne!(id(), lent);
    compose().arg("down").succeed();
}

#[test]
fn with_docker_28_and_compose_2_40() {
    goes_on("docker-28");
}

#[test]
fn with_docker_26_and_compose_2_26() {
    goes_on("docker-26");
}
