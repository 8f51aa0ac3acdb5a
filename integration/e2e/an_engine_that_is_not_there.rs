//! A build on an engine that is not there: the tool's own message and exit code come through,
//! and the lease is gone.

use valetkey_integration::{Engine, PrivateBuild, RuntimeFolder};

fn says_so(engine: &str, command: &[&str]) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_compose();
    let runtime = RuntimeFolder::new();
    let dead = format!("unix://{}/nobody.sock", runtime.path().display());
    let alone = engine.command(command[0]).args(&command[1..]).env("DOCKER_HOST", &dead).within(build.project.path());
    let alone = alone.finish().expect_failure();
    // 20.10 says it in one of two ways, by which of its connections fails first.
    const MESSAGE: &str = "annot connect to the Docker daemon";
    assert!(alone.stderr.contains(MESSAGE), "{}", alone.report());

    let lent = build.lend(&engine).args(command).env("DOCKER_HOST", &dead).env("XDG_RUNTIME_DIR", runtime.path());
    let lent = lent.finish().expect_code(alone.code).expect(MESSAGE).expect("signed no login");
    assert_eq!(runtime.leases(), Vec::<std::path::PathBuf>::new(), "{}", lent.report());
    // The control: it is the engine that is missing, and nothing else.
    build.run(&engine, command);
}

#[test]
fn with_docker_20() {
    says_so("docker-20.10", &["docker", "build", "--network", "host", "."]);
}

#[test]
fn with_docker_28() {
    says_so("docker-28", &["docker", "build", "--network", "host", "."]);
}

#[test]
fn with_compose_2_26() {
    says_so("docker-26", &["docker", "compose", "build"]);
}

#[test]
fn with_compose_2_40() {
    says_so("docker-28", &["docker", "compose", "build"]);
}
