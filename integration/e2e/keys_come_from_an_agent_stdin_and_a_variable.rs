//! Every source that needs no keychain, into a real build: the step clones with that key and
//! sees no other.

use std::fs::File;

use valetkey_integration::{Engine, Finished, Key, PrivateBuild, Run, SshAgent};

const STEP: &str = "{step} ssh-add -L > /lent && git clone {url} /cloned";

/// Runs the build with `--key SOURCE`, and expects the step to have had `key` alone.
fn lends(engine: &str, source: &str, build: &PrivateBuild, prepare: impl Fn(Run) -> Run) -> Finished {
    let engine = Engine::named(engine);
    let known_hosts = build.server.known_hosts();
    let flags = ["--key", source, "--known-hosts", known_hosts.to_str().unwrap()];
    let run = prepare(engine.lend(&flags).args(build.command(&engine)).within(build.project.path()));
    let finished = build.check(run);
    let name = &build.project.name;
    build.expect_in(&engine, name);
    let lent = engine.in_image(name, &["cat", "/lent"]).succeed().stdout;
    assert_eq!(body(&lent), body(&build.key.public()));
    assert_eq!(lent.lines().count(), 1, "{lent}");
    finished
}

/// The key without its comment.
fn body(line: &str) -> &str {
    line.split(' ').nth(1).expect("a public key")
}

/// The user's agent holds another key in front of the one that is lent.
fn from_an_agent(engine: &str) {
    let build = PrivateBuild::with_steps(STEP);
    let other = Key::ed25519("personal");
    build.server.authorize(&other);
    let agent = SshAgent::with(&[&other, &build.key]);
    let source = format!("agent:{}", build.key.fingerprint());
    let finished = lends(engine, &source, &build, |run| run.env("SSH_AUTH_SOCK", agent.socket()));
    finished.expect(&build.key.fingerprint()).expect_not(&other.fingerprint());
}

#[test]
fn an_agent_with_docker_28() {
    from_an_agent("docker-28");
}

#[test]
fn an_agent_with_docker_20() {
    from_an_agent("docker-20.10");
}

#[test]
fn an_agent_with_podman_5() {
    from_an_agent("podman-5");
}

#[test]
fn stdin_with_docker_28() {
    let build = PrivateBuild::with_steps(STEP);
    lends("docker-28", "stdin", &build, |run| run.stdin(File::open(build.key.path()).expect("the key")));
}

#[test]
fn stdin_with_podman_4() {
    let build = PrivateBuild::with_steps(STEP);
    lends("podman", "stdin", &build, |run| run.stdin(File::open(build.key.path()).expect("the key")));
}

#[test]
fn a_variable_with_docker_26() {
    let build = PrivateBuild::with_steps(STEP);
    lends("docker-26", "env:CI_SECRET", &build, |run| run.env("CI_SECRET", build.key.private()));
}
