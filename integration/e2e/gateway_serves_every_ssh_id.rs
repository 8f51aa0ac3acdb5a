//! A step whose ssh mount has an id that no grant names is served all the same, and valetkey says
//! with what before the build.

use valetkey_integration::{Engine, GatewayBuild};

fn is_served(engine: &str) {
    let steps = "RUN --mount=type=ssh,id=foo {fresh} git clone {url} /cloned\n{step} git ls-remote {url}";
    let build = GatewayBuild::with_steps(steps);
    let finished = build.run(&Engine::named(engine));
    finished.expect("no grant has the ssh id `foo`, so its steps get what `default` is granted");
}

#[test]
fn with_docker_28() {
    is_served("docker-28");
}

#[test]
fn with_podman_4() {
    is_served("podman");
}

/// An id that was typed with a socket of the person's own is not the lease's to serve: the step
/// finds no gateway there.
#[test]
fn and_what_was_typed_for_it_stays() {
    let engine = Engine::named("docker-28");
    let build = GatewayBuild::with_steps("RUN --mount=type=ssh,id=foo {fresh} git clone {url} /cloned");
    let own = valetkey_integration::SshAgent::with(&[&build.key]);
    let typed = format!("foo={}", own.socket().display());
    let finished = build.build(&engine).args(["--ssh", &typed]).finish().expect_failure();
    finished.expect("the ssh id `foo` stays at").expect("no gateway is behind this step's agent socket");
    assert_eq!(build.server.accepted(), 0, "{}", build.server.log());
}
