//! Two deploy keys, one host, one RUN step: each key opens one repository at the server, and the
//! gateway uses for each the key that its grant names, whichever stands first.

use valetkey_integration::gateway_build::grant;
use valetkey_integration::{Engine, GatewayBuild, Key};

fn two_deploy_keys(engine: &str) {
    let (first, second) = (Key::ed25519("first"), Key::ed25519("second"));
    let build = GatewayBuild::new();
    let server = &build.server;
    for (key, name) in [(&first, "team/first.git"), (&second, "team/second.git")] {
        server.add_package(name);
        server.authorize_only(key, name);
    }
    let config = format!(
        "known_hosts = \"{}\"\n{}{}",
        server.known_hosts().display(),
        grant(&first.source(), server, &["team/first"]),
        grant(&second.source(), server, &["team/second"])
    );
    let (one, two) = (server.url("team/first.git"), server.url("team/second.git"));
    let build = build.writing("valetkey.toml", &config);
    let build = build.stepping(&format!("{{step}} git clone {two} /two && git clone {one} /one"));
    let finished = build.build(&Engine::named(engine)).succeed().expect_not("refused");
    let finished = finished.expect(&build.carried("team/first")).expect(&build.carried("team/second"));
    build.expect_logins(&finished, 2);
    for key in [&first, &second] {
        assert!(build.server.log().contains(&key.fingerprint()), "{}", build.server.log());
    }

    // The control: the server holds each key to its repository.
    let swapped =
        config.replace("team/first", "team/x").replace("team/second", "team/first").replace("team/x", "team/second");
    let build = build.writing("valetkey.toml", &swapped).stepping(&format!("{{step}} git clone {two} /swapped"));
    build.build(&Engine::named(engine)).finish().expect_failure().expect("with this key");
}

#[test]
fn with_docker_28() {
    two_deploy_keys("docker-28");
}

#[test]
fn with_podman_5() {
    two_deploy_keys("podman-5");
}
