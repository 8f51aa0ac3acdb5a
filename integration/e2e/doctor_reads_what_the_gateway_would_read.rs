//! `valetkey doctor` on real engines: tool and engine with their versions, Compose's files, the steps,
//! the key, and the repository read through the gateway's own code. It says that all is well where the
//! build then works, and builds and fetches nothing itself.

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::project::SSH_STEP;
use valetkey_integration::{Engine, GatewayBuild, GitServer, Key, SshAgent, SshEngine};

const STEP: &str = "{step} git clone {url} /cloned";

fn looks(engine: &str, build: &GatewayBuild, command: &[&str], said: &[&str]) {
    let engine = Engine::named(engine);
    let doctor = |flags: &[&str]| {
        let run = engine.valetkey(&["doctor"]).args(flags).arg("--").args(command);
        run.env("DEPLOY_KEY", build.key.private()).within(build.project.path()).finish()
    };
    let before = build.project.files();
    let finished = doctor(&[]).expect_code(0).expect("nothing failed");
    let host = format!("[127.0.0.1]:{}", build.server.port);
    let all = ["ssh id default, not required", "platform/omnibus can be read", "ssh-ed25519 SHA256:", "named contexts"];
    let finished = all.iter().chain(said).fold(finished, |finished, words| finished.expect(words));
    let finished = finished.expect(&format!("{host} shows a pinned host key"));
    // One login, to list; where the account's folder has no such repository, more.
    let logins = build.server.accepted();
    assert!((1..=3).contains(&logins), "{}\n{}", logins, finished.report());
    assert_eq!(build.project.files(), before);
    assert_eq!(engine.command(engine.tool()).args(["images", "-q", &build.project.name]).succeed().stdout, "");
    // With the key of nobody everything else is as it was.
    let key = Key::ed25519("nobody");
    let run = engine.valetkey(&["doctor", "--json", "--"]).args(command).env("DEPLOY_KEY", key.private());
    let refused = run.within(build.project.path()).finish().expect_code(111);
    refused.expect("does not accept the login").expect("\"version\": 1");
    assert_eq!(build.server.accepted(), logins);
}

fn image(engine: &str, said: &[&str]) {
    let build = GatewayBuild::with_steps(STEP);
    let of = Engine::named(engine);
    let command = build.command(&of);
    looks(engine, &build, &command, said);
    // What it said is so.
    let before = build.server.accepted();
    build.lend(&of).args(command).succeed();
    assert!(build.server.accepted() > before);
}

#[test]
fn with_docker_28() {
    image("docker-28", &["docker 28.", "engine 28.", "buildx ", "the engine's clock is the same"]);
}

#[test]
fn with_docker_26() {
    image("docker-26", &["docker 26.", "engine 26.", "buildx "]);
}

#[test]
fn with_podman() {
    image("podman", &["podman 4.", "podman build, Dockerfile line"]);
}

#[test]
fn with_compose_2_40() {
    let build = GatewayBuild::with_steps(STEP).with_compose();
    let command = ["docker", "compose", "build"];
    looks("docker-28", &build, &command, &["Compose 2.40", "compose.yaml, and accepts them", "service app"]);
    build.lend(&Engine::named("docker-28")).args(command).succeed();
}

#[test]
fn with_compose_2_26() {
    let build = GatewayBuild::with_steps(STEP).with_compose();
    looks("docker-26", &build, &["docker", "compose", "build"], &["Compose 2.26", "accepts them", "service app"]);
}

#[test]
fn a_compose_file_that_compose_refuses_is_told_in_its_words() {
    let build = GatewayBuild::with_steps(STEP).writing("compose.yaml", "services:\n  app:\n    bulid: .\n");
    let run = Engine::named("docker-28").valetkey(&["doctor", "--", "docker", "compose", "build"]);
    let finished = run.env("DEPLOY_KEY", build.key.private()).within(build.project.path()).finish();
    finished.expect_code(113).expect("docker compose config").expect("bulid").expect("can be read");
}

#[test]
fn with_buildah() {
    let build = GatewayBuild::with_steps(STEP);
    looks(
        "podman",
        &build,
        &["buildah", "bud", "--isolation", "chroot", "."],
        &["buildah 1.", "buildah build, Dockerfile line"],
    );
}

#[test]
fn an_engine_behind_ssh_is_said_and_reached_with_the_users_own_key() {
    let (engine, build) = (Engine::named("docker-28"), GatewayBuild::with_steps(STEP));
    let own = Key::ed25519("own");
    let (agent, behind) = (SshAgent::with(&[&own]), SshEngine::to(&engine, &own));
    let doctor = || {
        let run = engine.valetkey(&["doctor", "--"]).args(build.command(&engine)).within(build.project.path());
        behind.reached_by(run.env("DEPLOY_KEY", build.key.private()))
    };
    doctor().finish().expect_code(113).expect("no engine answers at ssh://root@127.0.0.1").expect("can be read");
    let finished = doctor().env("SSH_AUTH_SOCK", agent.socket()).finish().expect_code(0);
    finished.expect("at ssh://root@127.0.0.1").expect("another machine (SSH, with your own agent");
    assert!(!behind.log().contains(&build.key.fingerprint()), "{}", behind.log());
}

#[test]
fn a_server_that_binds_no_logins_is_told_before_every_login_from_a_build_is_refused() {
    let engine = Engine::named("docker-28");
    let text = format!("FROM {BASE_IMAGE}\n{SSH_STEP} {{fresh}} git clone {{url}} /cloned\n");
    let by_agent = |server: GitServer| {
        let build = GatewayBuild::at(server);
        let text = build.filled(&text);
        let build = build.writing("Dockerfile", &text);
        let run = engine.valetkey(&["doctor", "--lend", "agent", "--"]).args(build.command(&engine));
        let doctor = run.env("DEPLOY_KEY", build.key.private()).within(build.project.path()).finish();
        let built = build.lend_with(&engine, &["--lend", "agent"]).args(build.command(&engine)).finish();
        (doctor, built)
    };
    let (doctor, built) = by_agent(GitServer::up_unbinding());
    doctor.expect_code(112).expect("does not bind logins").expect("valetkey host add");
    built.expect_failure().expect("refused");
    let (doctor, built) = by_agent(GitServer::up());
    doctor.expect_code(0).expect_not("bind logins");
    built.expect_code(0);
}
