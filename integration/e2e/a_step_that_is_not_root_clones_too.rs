//! `USER app` reaches the lease through `--mount=type=ssh,uid=…`, and reads known_hosts, as the
//! README has it.

use valetkey_integration::{Engine, PrivateBuild};

fn dockerfile(ssh: &str) -> String {
    let known_hosts = "--mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444";
    format!(
        "RUN useradd --uid 1000 --create-home app && install -d -o app /cloned\nUSER app\nRUN {ssh} {known_hosts} {{fresh}} git clone {{url}} /cloned"
    )
}

fn clones(engine: &str) {
    let engine = Engine::named(engine);
    let build = PrivateBuild::with_steps(&dockerfile("--mount=type=ssh,uid=1000"));
    let name = &build.project.name;
    build.run(&engine, &build.command(&engine));
    build.expect_in(&engine, name);
    let owner = engine.in_image(name, &["stat", "--format", "%u", "/cloned/omnibus/__init__.py"]).succeed();
    assert_eq!(owner.stdout.trim(), "1000", "the step was root");
}

#[test]
fn with_docker_20() {
    clones("docker-20.10");
}

#[test]
fn with_docker_26() {
    clones("docker-26");
}

#[test]
fn with_docker_28() {
    clones("docker-28");
}

#[test]
fn with_podman_4() {
    clones("podman");
}

#[test]
fn with_podman_5() {
    clones("podman-5");
}

/// The control: the socket is root's alone unless the step says otherwise.
#[test]
fn and_not_without_the_uid() {
    let engine = Engine::named("docker-28");
    let build = PrivateBuild::with_steps(&dockerfile("--mount=type=ssh"));
    build.fail(&engine, &build.command(&engine)).expect("Permission denied (publickey)").expect("signed no login");
}
