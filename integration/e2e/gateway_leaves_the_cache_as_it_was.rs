//! A step's cache key does not change with the lease: the second run of the same build takes the
//! step from the cache, and carries no Git command.

use valetkey_integration::{Engine, GatewayBuild};

fn is_cached(engine: &str, command: &[&str]) {
    let engine = Engine::named(engine);
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned").with_compose();
    let run = || build.lend(&engine).args(command).env("BUILDKIT_PROGRESS", "plain");
    build.check(run());
    let again = run().succeed().expect("carried no Git command").expect("CACHED").expect_not("refused");
    build.expect_logins(&again, 1);
}

#[test]
fn with_docker_26() {
    is_cached("docker-26", &["docker", "build", "--network", "host", "."]);
}

#[test]
fn with_docker_28() {
    is_cached("docker-28", &["docker", "build", "--network", "host", "."]);
}

#[test]
fn with_compose() {
    is_cached("docker-28", &["docker", "compose", "build"]);
}
