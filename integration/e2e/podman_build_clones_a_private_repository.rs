//! `podman build` lends the key, with a flag of podman before the verb.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::new();
    let name = build.project.name.as_str();
    build.run(&engine, &["podman", "--log-level=info", "build", "--network", "host", "-t", name, "."]);
    build.expect_in(&engine, name);
}

#[test]
fn with_podman_4() {
    builds("podman");
}

#[test]
fn with_podman_5() {
    builds("podman-5");
}
