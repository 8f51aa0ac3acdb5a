//! `DOCKER_HOST=ssh://…`: docker logs in to the engine with the user's own agent, the step sees
//! the lent key alone, and neither key is used for the other's purpose.

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::{Engine, Key, Project, SshAgent, SshEngine};

fn is_reached(engine: &str, compose: bool) {
    let engine = Engine::named(engine);
    let (own, lent) = (Key::ed25519("own"), Key::ed25519("lent"));
    let agent = SshAgent::with(&[&own]);
    let behind = SshEngine::to(&engine, &own);
    let project = Project::new();
    let steps = format!("RUN --mount=type=ssh : {} && ssh-add -L > /seen", project.name);
    let project = project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n")).with_compose();
    let name = if compose { project.service_image() } else { project.name.clone() };
    let build: &[&str] =
        if compose { &["compose", "build"] } else { &["build", "--network", "host", "--tag", &name, "."] };
    let lend = || {
        let run = engine.lend(&["--key", &lent.source()]).arg("docker").args(build).within(project.path());
        behind.reached_by(run)
    };

    // The control: without the user's agent nobody gets in.
    lend().finish().expect_failure().expect("Permission denied");
    assert!(!behind.log().contains("Accepted publickey"), "{}", behind.log());

    lend().env("SSH_AUTH_SOCK", agent.socket()).succeed();
    assert_eq!(engine.in_image(&name, &["cat", "/seen"]).succeed().stdout, lent.public());
    let log = behind.log();
    let accepted: Vec<_> = log.lines().filter(|line| line.contains("Accepted publickey")).collect();
    assert!(!accepted.is_empty() && accepted.iter().all(|line| line.contains(&own.fingerprint())), "{log}");
    assert!(!log.contains(&lent.fingerprint()), "the lent key was offered to the engine's host\n{log}");
}

#[test]
fn by_docker_28() {
    is_reached("docker-28", false);
}

#[test]
fn by_docker_20() {
    is_reached("docker-20.10", false);
}

#[test]
fn by_compose_2_40() {
    is_reached("docker-28", true);
}

#[test]
fn by_compose_2_26() {
    is_reached("docker-26", true);
}
