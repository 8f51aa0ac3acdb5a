//! A server whose only host key is RSA, as Azure DevOps is: read through the system's `ssh`, with
//! nothing else changed for the build.

use std::fs;

use valetkey_integration::{Engine, GatewayBuild, GitServer, Key};

const ENGINE: &str = "docker-28";

#[test]
fn a_stock_build_clones_and_does_not_push_and_a_changed_key_stops_it() {
    let build = GatewayBuild::at(GitServer::up_with_rsa_alone());
    let build = build.stepping(
        "{step} git clone {url} /cloned && test -e /cloned/pyproject.toml \
         && ! git -C /cloned push origin HEAD:refs/heads/stolen",
    );
    let finished = build.build(&Engine::named(ENGINE)).succeed().expect(&build.carried("platform/omnibus"));
    let finished = finished.expect("was refused: this build may only read it").expect("the build held no key");
    build.expect_logins(&finished, 1);
    assert!(!build.server.log().contains("git-receive-pack"), "{}", build.server.log());

    // Pinned is another RSA key now, and the step is one that no cache has.
    let build = build.stepping("{step} git clone {url} /again");
    let before = Key::made(&["-t", "rsa", "-b", "2048"], "the host key of before");
    let words = before.public();
    let words: Vec<&str> = words.split(' ').take(2).collect();
    let pins = build.project.file("pins");
    fs::write(&pins, format!("[127.0.0.1]:{} {}\n", build.server.port, words.join(" "))).expect("a file");
    let config = fs::read_to_string(build.project.file("valetkey.toml")).expect("the config");
    let rest = config.split_once('\n').expect("known_hosts in front").1.to_owned();
    let build = build.writing("valetkey.toml", &format!("known_hosts = \"{}\"\n{rest}", pins.display()));
    let finished = build.build(&Engine::named(ENGINE)).finish().expect_failure();
    let message = format!("the host key of [127.0.0.1]:{} has changed: it shows SHA256:", build.server.port);
    let finished = finished.expect(&format!("valetkey: {message}")).expect("nothing was sent to it");
    let finished = finished.expect(&before.fingerprint());
    build.expect_logins(&finished, 1);
}
