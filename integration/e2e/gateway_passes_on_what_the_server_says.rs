//! The server has its own word: its answer for a repository that it lacks reaches Git unchanged;
//! and a server that shows another host key than the pinned one gets no login at all.

use std::fs;

use valetkey_integration::{Engine, GatewayBuild, GitServer, Key};

const ENGINE: &str = "docker-28";

#[test]
fn an_unknown_repository_is_named_by_the_forge_itself() {
    let build = GatewayBuild::new().granting(&["platform/*"]);
    let missing = build.server.url("platform/missing.git");
    let build = build.stepping(&format!("{{step}} git clone {{url}} /cloned && ! git clone {missing} /missing"));
    let finished = build.build(&Engine::named(ENGINE)).succeed();
    // As git-shell says it, and Git on top of it.
    let finished =
        finished.expect("fatal: '/srv/repositories/platform/missing.git' does not appear to be a git repository");
    let finished = finished.expect("fatal: Could not read from remote repository.").expect_not("valetkey: fatal");
    let finished = finished.expect(&build.carried("platform/missing")).expect("without success").expect_not("refused");
    build.expect_logins(&finished, 2);
}

#[test]
fn a_host_key_that_changed_after_it_was_pinned_stops_the_login() {
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned");
    // Pinned is the key of before; the server has another one now.
    let before = Key::ed25519("the host key of before");
    let mut words = before.public();
    words.truncate(words.trim_end().rfind(" the host key").expect("a comment"));
    let pins = build.project.file("pins");
    fs::write(&pins, format!("[127.0.0.1]:{} {words}\n", build.server.port)).expect("a file");
    let config = fs::read_to_string(build.project.file("valetkey.toml")).expect("the config");
    let real = build.server.known_hosts();
    let changed = config.replace(real.to_str().expect("a path in UTF-8"), pins.to_str().expect("a path in UTF-8"));
    assert_ne!(config, changed);

    let build = build.writing("valetkey.toml", &changed);
    let finished = build.build(&Engine::named(ENGINE)).finish().expect_failure();
    let message = format!("the host key of [127.0.0.1]:{} has changed: it shows ", build.server.port);
    let finished = finished.expect(&format!("valetkey: {message}")).expect("nothing was sent to it");
    let finished = finished.expect(&before.fingerprint()).expect(&host_key(&build.server));
    build.expect_logins(&finished, 0);
    let log = build.server.log();
    assert!(!log.contains("publickey") && !log.contains("user git"), "a login was tried\n{log}");

    // The control: with its own key pinned the same build works.
    build.writing("valetkey.toml", &config).run(&Engine::named(ENGINE));
}

/// The fingerprint of the server's Ed25519 key.
fn host_key(server: &GitServer) -> String {
    let file = server.state().join("host-keys/ed25519.pub");
    let shown = valetkey_integration::Run::new("ssh-keygen").arg("-lf").arg(file).succeed().stdout;
    shown.split(' ').nth(1).expect("a fingerprint").to_owned()
}
