//! `valetkey run -- docker compose build` lends the key to the step that asks for it.

use valetkey_integration::{Engine, GitServer, Key, Project};

fn builds(engine: &str) {
    let key = Key::ed25519("deploy");
    let server = GitServer::with_package(&key);
    let project = Project::cloning(&server.url("platform/omnibus.git")).with_compose();
    let known_hosts = server.known_hosts();
    let flags = ["--key", "env:DEPLOY_KEY", "--known-hosts", known_hosts.to_str().unwrap()];
    let run = Engine::named(engine).lend(&flags).args(["docker", "compose", "build"]);
    run.env("DEPLOY_KEY", key.private())
        .within(project.path())
        .succeed()
        .expect(&format!("signed 1 login, bound to [127.0.0.1]:{}", server.port));
    assert_eq!(server.accepted(), 1, "{}", server.log());
}

#[test]
fn with_docker_28_and_compose_2_40() {
    builds("docker-28");
}

#[test]
fn with_docker_26_and_compose_2_26() {
    builds("docker-26");
}
