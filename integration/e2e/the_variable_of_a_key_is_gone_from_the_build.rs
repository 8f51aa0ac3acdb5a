//! `--key env:NAME` takes the variable from the command that is run, so that no build argument,
//! no Compose file and no secret of the build can pick it up. Its neighbour arrives.

use valetkey_integration::{Engine, Key, Project, Run};

const SEEN: &str = "ARG DEPLOY_KEY=gone\nARG NEIGHBOUR=gone\nRUN --mount=type=ssh : {name} && printf '%s %s' \"$DEPLOY_KEY\" \"$NEIGHBOUR\" > /seen && ssh-add -L > /lent";

fn project() -> Project {
    let project = Project::new();
    let dockerfile = format!("FROM valetkey-test/python:latest\n{}\n", SEEN.replace("{name}", &project.name));
    project.write("Dockerfile", &dockerfile)
}

fn with_variables(run: Run, key: &Key) -> Run {
    // One line, so that it is a build argument of every tool.
    run.env("DEPLOY_KEY", key.private().replace('\n', "\\n")).env("NEIGHBOUR", "here")
}

fn is_gone(engine: &str) {
    let engine = Engine::named(engine);
    let (key, project) = (Key::ed25519("deploy"), project());
    let flags = ["--build-arg", "DEPLOY_KEY", "--build-arg", "NEIGHBOUR", "--tag", &project.name, "."];
    let build = [&[engine.tool(), "build", "--network", "host"][..], &flags].concat();
    let seen = || engine.in_image(&project.name, &["cat", "/seen"]).succeed().stdout;

    let lent = with_variables(engine.lend(&["--key", "env:DEPLOY_KEY"]), &key).args(&build);
    lent.within(project.path()).succeed();
    assert_eq!(seen(), "gone here");
    assert_eq!(engine.in_image(&project.name, &["cat", "/lent"]).succeed().stdout, key.public());

    // The control: without valetkey the build argument is the key. (The step finds no agent.)
    std::fs::write(
        project.file("Dockerfile"),
        "FROM valetkey-test/python:latest\nARG DEPLOY_KEY\nRUN echo \"$DEPLOY_KEY\"\n",
    )
    .expect("a Dockerfile");
    let alone = with_variables(engine.command(build[0]), &key).args(&build[1..]);
    alone.within(project.path()).succeed().expect(&key.body());
}

#[test]
fn with_docker_20() {
    is_gone("docker-20.10");
}

#[test]
fn with_docker_28() {
    is_gone("docker-28");
}

#[test]
fn with_podman_5() {
    is_gone("podman-5");
}

/// Compose reads its variables from the environment as well.
#[test]
fn with_compose_2_26_and_2_40() {
    for engine in ["docker-26", "docker-28"] {
        let engine = Engine::named(engine);
        let (key, project) = (Key::ed25519("deploy"), project());
        let compose = format!(
            "name: {}\nservices:\n  app:\n    build:\n      context: .\n      network: host\n      args: {{DEPLOY_KEY: \"${{DEPLOY_KEY-gone}}\", NEIGHBOUR: \"${{NEIGHBOUR-gone}}\"}}\n",
            project.name
        );
        let project = project.write("compose.yaml", &compose);
        let config = engine.command("docker").args(["compose", "config"]).within(project.path());
        with_variables(config, &key).succeed().expect(&key.body());

        let lent = with_variables(engine.lend(&["--key", "env:DEPLOY_KEY"]), &key).args(["docker", "compose", "build"]);
        lent.within(project.path()).succeed();
        let image = project.service_image();
        assert_eq!(engine.in_image(&image, &["cat", "/seen"]).succeed().stdout, "gone here");
        assert_eq!(engine.in_image(&image, &["cat", "/lent"]).succeed().stdout, key.public());
    }
}
