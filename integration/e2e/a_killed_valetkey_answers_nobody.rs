//! `kill -9` of valetkey while a step runs: the step finds no identity any more, what was left
//! on disk holds no secret, and the next run sweeps it up.

use std::fs;
use std::os::unix::net::UnixStream;

use valetkey_integration::{Engine, Key, Project, RuntimeFolder, WaitingStep, process};

fn answers_nobody(engine: &str) {
    let engine = Engine::named(engine);
    let key = Key::ed25519("lent");
    let runtime = RuntimeFolder::new();
    let step = WaitingStep::new();
    let project = Project::new();
    let steps = format!("RUN --mount=type=ssh : {} && {}\n", project.name, step.command());
    let project = project.write("Dockerfile", &format!("FROM valetkey-test/python:latest\n{steps}"));
    let lend = |flags: &[&str]| engine.lend(flags).env("XDG_RUNTIME_DIR", runtime.path()).within(project.path());
    let build = [engine.tool(), "build", "--network", "host", "."];
    let mut child = lend(&["--key", "env:DEPLOY_KEY"]).env("DEPLOY_KEY", key.private()).args(build).spawn();

    let mut arrived = step.arrived();
    assert_eq!(arrived.identities, key.public());
    let leases = runtime.leases();
    assert_eq!(leases.len(), 1);
    let socket = leases[0].join("agent.sock");
    drop(UnixStream::connect(&socket).expect("the control: somebody listens"));

    child.kill().expect("valetkey runs");
    // Only the processes that it left hold the pipes open, so it is waited for alone.
    child.wait().expect("valetkey");
    UnixStream::connect(&socket).expect_err("somebody listens");
    assert_eq!(arrived.go_on(), "none\n", "the step still had an identity");
    let _ = process::finish(child, "a build whose valetkey was killed");

    for path in files(&leases[0]) {
        let held = fs::read(&path).unwrap_or_default();
        assert!(!holds(&held, &key), "{} holds the key", path.display());
    }
    assert!(holds(&fs::read(key.path()).unwrap(), &key), "the control: the search finds a key");
    lend(&["--key", &key.source()]).arg("true").succeed();
    assert_eq!(runtime.leases(), Vec::<std::path::PathBuf>::new(), "the next run swept nothing up");
    runtime.expect_no_process();
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let files: Vec<_> = fs::read_dir(folder).expect("the lease").map(|entry| entry.unwrap().path()).collect();
    assert!(files.iter().any(|path| path.ends_with("known_hosts")), "{files:?}");
    files
}

fn holds(bytes: &[u8], key: &Key) -> bool {
    let body = key.body();
    bytes.windows(body.len()).any(|window| window == body.as_bytes())
}

#[test]
fn with_docker_28() {
    answers_nobody("docker-28");
}

#[test]
fn with_docker_20() {
    answers_nobody("docker-20.10");
}

#[test]
fn with_podman_5() {
    answers_nobody("podman-5");
}
