//! `doctor --last` tells a host key that changed from one that nobody pinned, by agent; and through
//! the gateway, which does not begin a build for a host that nobody pinned.

use std::fs;

use valetkey_integration::{Doctor, Engine, GatewayBuild, Key, PrivateBuild};

const ENGINE: &str = "docker-28";

/// A file that pins another key of the server's.
fn another_pin(file: &std::path::Path, port: u16) {
    let public = Key::ed25519("before").public();
    let words: Vec<&str> = public.split_whitespace().take(2).collect();
    fs::write(file, format!("[127.0.0.1]:{port} {}\n", words.join(" "))).expect("a file");
}

fn by_agent(steps: &str, is_changed: bool, id: &str) -> String {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps(steps);
    let pins = build.project.file("pins");
    another_pin(&pins, build.server.port);
    let flags = ["--key", "env:DEPLOY_KEY", "--known-hosts", pins.to_str().expect("a path in UTF-8")];
    let run = if is_changed { engine.lend(&flags) } else { build.lend(&engine) };
    let run = run.env("DEPLOY_KEY", build.key.private()).within(build.project.path());
    doctor.explains(run.args(build.command(&engine)).args(["--progress", "plain"]), id, "certain")
}

#[test]
fn that_changed() {
    let says = by_agent("{step} git clone {url} /cloned", true, "host-key-changed");
    assert_eq!(says, "the server showed another host key than the one that the step on line 2 of Dockerfile knows");
}

#[test]
fn that_the_step_does_not_know() {
    let says = by_agent("RUN --mount=type=ssh {fresh} git clone {url} /cloned", false, "host-unknown");
    assert_eq!(says, "the step on line 2 of Dockerfile does not know the server's host key");
}

#[test]
fn that_changed_for_the_gateway() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned");
    let file = build.project.file("pins");
    another_pin(&file, build.server.port);
    let config = fs::read_to_string(build.project.file("valetkey.toml")).expect("the config");
    let real = build.server.known_hosts();
    let changed = config.replace(real.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    let build = build.writing("valetkey.toml", &changed);
    doctor.explains(build.build(&engine), "host-key-changed", "certain");
}
