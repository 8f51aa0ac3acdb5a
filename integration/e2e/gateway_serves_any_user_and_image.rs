//! The guest needs no root, no libc and no other program: `USER 1000` with its own socket, an
//! image that holds a static busybox alone, and one that holds nothing at all.

use std::fs;

use valetkey_integration::{Engine, GatewayBuild};

fn as_user_1000(engine: &str) {
    let engine = Engine::named(engine);
    let steps = "RUN useradd --uid 1000 --create-home app && install -d -o app /cloned\nUSER 1000\n\
        RUN --mount=type=ssh,uid=1000 {fresh} id -u && git clone {url} /cloned";
    let build = GatewayBuild::with_steps(steps);
    build.run(&engine);
    let owner = engine.in_image(&build.project.name, &["stat", "--format", "%u", "/cloned/pyproject.toml"]).succeed();
    assert_eq!(owner.stdout.trim(), "1000", "the step was root");
}

/// Without Git the guest is asked directly, as Git would: the first answer names the branches.
fn in_busybox_alone(engine: &str) {
    let engine = Engine::named(engine);
    let ask = "ssh -p {port} git@127.0.0.1 \"git-upload-pack 'platform/omnibus.git'\" </dev/null >/answer; \
        grep -q refs/heads/main /answer";
    let build = GatewayBuild::new();
    // Its shell's own names for programs that are there as links alone.
    let text = format!(
        "FROM scratch\nCOPY busybox /bin/busybox\nENV PATH=/usr/local/bin:/bin\n\
         RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nRUN --mount=type=ssh {{fresh}} {{ {ask}; }}\n"
    );
    let text = build.filled(&text);
    let build = build.writing("Dockerfile", &text);
    let busybox = build.project.file("busybox");
    fs::copy("/bin/busybox", busybox).expect("no busybox: run integration/setup base-image");
    // Not `check`: a client that hangs up during the conversation is no success for the server.
    let finished = build.build(&engine).succeed().expect(&build.carried("platform/omnibus")).expect_not("refused");
    build.expect_logins(&finished, 1);
}

/// Nothing but the guest: no shell, no folder, no file. Asked in version 2 of Git's protocol, in
/// which a client that says nothing is a success.
fn in_nothing(engine: &str) {
    let engine = Engine::named(engine);
    let build = GatewayBuild::new();
    let run = r#"["/usr/local/bin/ssh", "-n", "-o", "SetEnv=GIT_PROTOCOL=version=2", "-p", "{port}", "git@127.0.0.1","#;
    let text = format!(
        "FROM scratch\nENV FRESH={{fresh}}\nRUN --mount=type=ssh {run} \"git-upload-pack 'platform/omnibus.git'\"]\n"
    );
    let text = build.filled(&text.replace("{fresh}", &build.project.name));
    let build = build.writing("Dockerfile", &text);
    let finished = build.run(&engine).expect("version 2").expect_not("has no shell");
    assert_eq!(valetkey_integration::gateway_build::sessions(&finished), 1, "{}", finished.report());

    // The shell form needs a shell, and that is said before the build.
    let shell = build.filled("FROM scratch\n{step} git clone {url} /cloned\n");
    let build = build.writing("Dockerfile", &shell);
    build.build(&engine).finish().expect_failure().expect("Dockerfile line 2: scratch has no shell");
}

#[test]
fn nothing_at_all_with_docker_28() {
    in_nothing("docker-28");
}

#[test]
fn nothing_at_all_with_podman_4() {
    in_nothing("podman");
}

#[test]
fn user_1000_with_docker_26() {
    as_user_1000("docker-26");
}

#[test]
fn user_1000_with_docker_28() {
    as_user_1000("docker-28");
}

#[test]
fn user_1000_with_podman_4() {
    as_user_1000("podman");
}

#[test]
fn user_1000_with_podman_5() {
    as_user_1000("podman-5");
}

#[test]
fn busybox_alone_with_docker_28() {
    in_busybox_alone("docker-28");
}

#[test]
fn busybox_alone_with_podman_5() {
    in_busybox_alone("podman-5");
}
