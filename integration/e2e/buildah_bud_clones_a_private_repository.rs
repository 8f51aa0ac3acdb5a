//! `buildah bud` is the older name of `buildah build`.

use valetkey_integration::{Engine, PrivateBuild};

fn builds(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::new();
    let name = build.project.name.as_str();
    build.run(&engine, &["buildah", "bud", "--network=host", "-t", name, "."]);
    build.expect_in(&engine, name);
}

#[test]
fn with_buildah_1_28() {
    builds("podman");
}

#[test]
fn with_buildah_1_43() {
    builds("podman-5");
}
