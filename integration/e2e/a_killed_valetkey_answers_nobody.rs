//! `kill -9` of valetkey, with and without a step that runs: nobody finds an identity any more,
//! what was left on disk holds no secret, and the next run of the same user sweeps it up.

use std::fs;
use std::os::unix::net::UnixStream;

use valetkey_integration::user::run_as;
use valetkey_integration::{Engine, Held, Key, Project, RuntimeFolder, WaitingStep, process, valetkey};

fn answers_nobody(engine: &str) {
    let engine = Engine::named(engine);
    let key = Key::ed25519("lent");
    let runtime = RuntimeFolder::new();
    let step = WaitingStep::new();
    let project = Project::new();
    let steps = format!("RUN --mount=type=ssh : {} && {}\n", project.name, step.command());
    let project = project.write("Dockerfile", &format!("FROM valetkey-test/python:latest\n{steps}"));
    let lend = |flags: &[&str]| engine.lend(flags).env("XDG_RUNTIME_DIR", runtime.path()).within(project.path());
    let build = [engine.tool(), "build", "--network", "host", "."];
    let mut child = lend(&["--key", "env:DEPLOY_KEY"]).env("DEPLOY_KEY", key.private()).args(build).spawn();

    let mut arrived = step.arrived();
    assert_eq!(arrived.identities, key.public());
    let leases = runtime.leases();
    assert_eq!(leases.len(), 1);
    let socket = leases[0].join("agent.sock");
    drop(UnixStream::connect(&socket).expect("the control: somebody listens"));

    child.kill().expect("valetkey runs");
    // Only the processes that it left hold the pipes open, so it is waited for alone.
    child.wait().expect("valetkey");
    UnixStream::connect(&socket).expect_err("somebody listens");
    assert_eq!(arrived.go_on(), "none\n", "the step still had an identity");
    let _ = process::finish(child, "a build whose valetkey was killed");

    for path in files(&leases[0]) {
        let held = fs::read(&path).unwrap_or_default();
        assert!(!holds(&held, &key), "{} holds the key", path.display());
    }
    assert!(holds(&fs::read(key.path()).unwrap(), &key), "the control: the search finds a key");
    lend(&["--key", &key.source()]).arg("true").succeed();
    assert_eq!(runtime.leases(), Vec::<std::path::PathBuf>::new(), "the next run swept nothing up");
    runtime.expect_no_process();
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let files: Vec<_> = fs::read_dir(folder).expect("the lease").map(|entry| entry.unwrap().path()).collect();
    assert!(files.iter().any(|path| path.ends_with("known_hosts")), "{files:?}");
    files
}

fn holds(bytes: &[u8], key: &Key) -> bool {
    let body = key.body();
    bytes.windows(body.len()).any(|window| window == body.as_bytes())
}

#[test]
fn with_docker_28() {
    answers_nobody("docker-28");
}

#[test]
fn with_docker_20() {
    answers_nobody("docker-20.10");
}

#[test]
fn with_podman_5() {
    answers_nobody("podman-5");
}

/// As a user of its own, asked from beside it.
#[test]
fn and_what_it_leaves_holds_no_secret_and_is_removed_by_the_next_start() {
    let key = Key::ed25519("deploy");
    let held = Held::around(&key, &[], "ssh-add -l >listed");
    // The control: it answered before.
    assert!(fs::read_to_string(held.runtime().join("listed")).expect("a list").contains(&key.fingerprint()));
    run_as("valet", "kill").args(["-KILL", &held.pid().to_string()]).succeed();
    let (held, status) = held.ended();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));

    assert!(held.socket.exists(), "a kill cleans nothing up");
    held.beside("ssh-add").arg("-l").finish().expect_failure().expect_not(&key.fingerprint());
    held.beside("sh")
        .args(["-c", "ssh-add -l 2>&1; socat -u OPEN:/dev/null UNIX-CONNECT:$SSH_AUTH_SOCK"])
        .finish()
        .expect_failure()
        .expect("Connection refused");
    let folder = held.socket.parent().expect("a folder").to_owned();
    let left: Vec<_> = fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert!(left.iter().any(|path| path.ends_with("known_hosts")), "{left:?}");
    for path in left.iter().filter(|path| path.is_file()) {
        assert!(!key.is_in(&fs::read(path).expect("a file")), "{}", path.display());
    }

    let script = format!("XDG_RUNTIME_DIR={} exec \"$0\" \"$@\"", held.runtime().display());
    let next = run_as("valet", "sh").args(["-c", &script]).arg(valetkey());
    let next = next.args(["run", "--no-config", "--key", "env:DEPLOY_KEY", "--", "true"]);
    next.env("DEPLOY_KEY", key.private()).succeed();
    assert!(!folder.exists());
}
