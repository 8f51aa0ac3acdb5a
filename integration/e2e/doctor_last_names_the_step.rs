//! `doctor --last` names the step, by file and line: it has no ssh mount, its user cannot open the
//! socket, it came from the cache.

use valetkey_integration::project::SSH_STEP;
use valetkey_integration::{Doctor, Engine, GatewayBuild, PrivateBuild};

/// `ENGINE build` as plain lines.
fn command<'a>(build: &'a PrivateBuild, engine: &Engine) -> Vec<&'a str> {
    let plain: &[&str] = if engine.tool() == "docker" { &["--progress", "plain"] } else { &[] };
    [&build.command(engine)[..], plain].concat()
}

const KNOWN_HOSTS: &str = "--mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444";

fn without_a_mount(engine: &str) {
    let engine = Engine::named(engine);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps(&format!("RUN true\nRUN {KNOWN_HOSTS} {{fresh}} git clone {{url}} /cloned"));
    let run = build.lend(&engine).args(command(&build, &engine));
    let says = doctor.explains(run, "no-mount", "certain");
    assert_eq!(says, "the step on line 3 of Dockerfile has no ssh mount");
}

#[test]
fn that_has_no_mount_on_docker_28() {
    without_a_mount("docker-28");
}

#[test]
fn that_has_no_mount_on_podman_5() {
    without_a_mount("podman-5");
}

#[test]
fn that_has_no_mount_of_one_service_among_two() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::new();
    let url = build.server.url("platform/omnibus.git");
    let dockerfile = |step: &str| {
        let name = &build.project.name;
        format!("FROM {}\n{step} : {name} && git clone {url} /cloned\n", valetkey_integration::engine::BASE_IMAGE)
    };
    let (good, bad) = (dockerfile(SSH_STEP), dockerfile(&format!("RUN {KNOWN_HOSTS}")));
    let service = |name: &str| format!("  {name}:\n    build: {{context: {name}, network: host}}\n");
    let compose = format!("name: {}\nservices:\n{}{}", build.project.name, service("app"), service("lib"));
    let project = build.project.write("app/Dockerfile", &good).write("lib/Dockerfile", &bad);
    let build = PrivateBuild { project: project.write("compose.yaml", &compose), ..build };
    let run = build.lend(&engine).args(["docker", "compose", "build"]);
    let says = doctor.explains(run, "no-mount", "certain");
    assert_eq!(says, "the step on line 2 of lib/Dockerfile has no ssh mount");
}

fn of_another_user(mount: &str) -> String {
    format!("RUN useradd --uid 1000 app\nUSER app\nRUN {mount} {KNOWN_HOSTS} {{fresh}} git clone {{url}} /tmp/cloned")
}

fn with_a_closed_socket(engine: &str) {
    let engine = Engine::named(engine);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps(&of_another_user("--mount=type=ssh"));
    let run = build.lend(&engine).args(command(&build, &engine));
    let says = doctor.explains(run, "closed-socket", "certain");
    assert_eq!(says, "the step on line 4 of Dockerfile cannot open the agent's socket as user app");
    // The control: with what it says to do, nothing is wrong.
    let build = PrivateBuild::with_steps(&of_another_user("--mount=type=ssh,uid=1000,required=true"));
    doctor.recording(build.lend(&engine).args(command(&build, &engine))).succeed();
    doctor.last(&[]).succeed().expect("nothing went wrong");
}

#[test]
fn whose_user_cannot_open_the_socket_on_docker_28() {
    with_a_closed_socket("docker-28");
}

#[test]
fn whose_user_cannot_open_the_socket_on_podman_5() {
    with_a_closed_socket("podman-5");
}

#[test]
fn whose_user_cannot_open_the_socket_of_the_gateway() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let steps = "RUN useradd --uid 1000 app\nUSER app\n{step} git clone {url} /tmp/cloned";
    let build = GatewayBuild::with_steps(steps);
    let says = doctor.explains(build.build(&engine), "closed-socket", "certain");
    assert_eq!(says, "the step on line 5 of Dockerfile cannot open the agent's socket as user app");
}

fn from_the_cache(engine: &str) {
    let engine = Engine::named(engine);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::new();
    let run = || doctor.recording(build.lend(&engine).args(command(&build, &engine))).succeed();
    run().expect(&build.bound());
    doctor.last(&[]).succeed().expect("nothing went wrong").expect_not("cached");
    let again = run().expect("signed no login").expect_not("says more");
    let says = doctor.is_told(&again, "cached", "certain");
    assert_eq!(says, "the step on line 2 of Dockerfile came from the build cache, and asked for nothing");
}

#[test]
fn that_came_from_the_cache_on_docker_28() {
    from_the_cache("docker-28");
}

#[test]
fn that_came_from_the_cache_on_podman_5() {
    from_the_cache("podman-5");
}

#[test]
fn that_failed_for_a_reason_of_its_own_is_not_explained_away() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps("{step} git clone {url} /cloned\nRUN exit 3");
    let finished = doctor.recording(build.lend(&engine).args(command(&build, &engine))).finish().expect_failure();
    finished.expect(&build.bound()).expect_not("says more");
    doctor.last(&[]).succeed().expect("nothing speaks for access");
}
