//! `doctor --last` says that the build asked for what was not granted, or for an ssh id under which
//! nothing was lent; and where the server was not there at all, says that.

use valetkey_integration::{Doctor, Engine, GatewayBuild, PrivateBuild};

#[test]
fn a_repository() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let build = GatewayBuild::new();
    let other = build.server.url("platform/other.git");
    let build = build.stepping(&format!("{{step}} git clone {other} /cloned"));
    doctor.explains(build.build(&engine), "not-granted", "certain");
    let told = doctor.last(&[]).succeed();
    told.expect("platform/other is not granted").expect("  do: if the build needs it, add \"platform/other\"");
}

#[test]
fn a_host() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let build = GatewayBuild::with_steps("{step} git clone ssh://git@git.example.com/org/repo.git /cloned");
    doctor.explains(build.build(&engine), "not-granted", "certain");
    doctor.last(&[]).succeed().expect("git.example.com is not granted");
}

fn an_ssh_id(engine: &str) {
    let engine = Engine::named(engine);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps("RUN --mount=type=ssh,id=lib,required=true {fresh} git clone {url} /cloned");
    let says = doctor.explains(build.lend(&engine).args(build.command(&engine)), "not-forwarded", "certain");
    assert_eq!(says, "a step asks for the ssh id \"lib\", under which nothing was lent");
}

#[test]
fn an_ssh_id_on_docker_28() {
    an_ssh_id("docker-28");
}

#[test]
fn an_ssh_id_on_podman_5() {
    an_ssh_id("podman-5");
}

#[test]
fn nothing_at_all_to_a_server_that_is_not_there() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps("{step} git clone ssh://git@127.0.0.1:1/a/b.git /cloned");
    let says = doctor.explains(build.lend(&engine).args(build.command(&engine)), "unreachable", "certain");
    assert_eq!(says, "127.0.0.1 could not be reached");
}
