//! The tool that is wrapped keeps the user's SSH_AUTH_SOCK, because `DOCKER_HOST=ssh://…` needs
//! it; the step gets the lent key all the same, and not the user's.

use valetkey_integration::{Engine, Key, Project, RuntimeFolder, SshAgent, WaitingStep, process};

fn stays(engine: &str, compose: bool) {
    let engine = Engine::named(engine);
    let (own, lent) = (Key::ed25519("own"), Key::ed25519("lent"));
    let agent = SshAgent::with(&[&own]);
    let (runtime, step, project) = (RuntimeFolder::new(), WaitingStep::new(), Project::new());
    let steps = format!("RUN --mount=type=ssh : {} && {}", project.name, step.command());
    let project = project.write("Dockerfile", &format!("FROM valetkey-test/python:latest\n{steps}\n"));
    let project = if compose { project.with_compose() } else { project };
    let command: &[&str] = if compose { &["compose", "build"] } else { &["build", "--network", "host", "."] };

    let run = engine.lend(&["--key", &lent.source()]).arg(engine.tool()).args(command).within(project.path());
    let run = run.env("SSH_AUTH_SOCK", agent.socket()).env("XDG_RUNTIME_DIR", runtime.path());
    let child = run.spawn();
    let valetkey = child.id();
    let mut arrived = step.arrived();
    // What runs below valetkey now: the tool, and its plugins.
    let wanted = format!("SSH_AUTH_SOCK={}", agent.socket().display());
    let below: Vec<_> = runtime.processes().into_iter().filter(|process| process.pid != valetkey).collect();
    assert!(!below.is_empty(), "the tool does not run");
    for process in below {
        assert!(process.environment.contains(&wanted), "{process:?} has another SSH_AUTH_SOCK");
    }
    assert_eq!(arrived.identities, lent.public());
    assert_eq!(arrived.go_on(), lent.public());
    process::finish(child, "the build").expect_code(0);
}

#[test]
fn of_docker_20() {
    stays("docker-20.10", false);
}

#[test]
fn of_docker_28() {
    stays("docker-28", false);
}

#[test]
fn of_compose_2_26() {
    stays("docker-26", true);
}

#[test]
fn of_compose_2_40() {
    stays("docker-28", true);
}

#[test]
fn of_podman_5() {
    stays("podman-5", false);
}
