//! `kill -9` of valetkey while a step runs: the path of the secret answers nobody any more, and
//! no file that is left holds it, be it in memory, of the lease, or of Docker's engine. podman and
//! buildah write a copy into their own storage for a step, and leave it there when they are killed:
//! that is theirs, and the one place where it may be.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use valetkey_integration::{Engine, Run, RuntimeFolder, SecretBuild, WaitingStep, process};

/// How long what was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// The files below a folder that hold the text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    // Sockets and what is gone meanwhile are none of its business.
    let found = Run::new("grep").args(["-rlaF", "--devices=skip", "--no-messages", "-e", text]).arg(folder).finish();
    found.stdout.lines().map(PathBuf::from).collect()
}

/// Where a secret was lent from, as the client was told.
fn lent_path(runtime: &RuntimeFolder) -> PathBuf {
    let words = runtime.processes().into_iter().flat_map(|process| {
        process
            .line
            .split([' ', ','])
            .filter_map(|word| word.strip_prefix("src="))
            .map(PathBuf::from)
            .collect::<Vec<_>>()
    });
    let end = words.into_iter().find(|path| !path.ends_with("known_hosts"));
    end.expect("a client that was lent a secret")
}

fn is_gone(engine: &str, command: &[&str], is_file: bool) {
    let engine = Engine::named(engine);
    let runtime = RuntimeFolder::new();
    let step = WaitingStep::new();
    let secret = format!("tok-killed-{}-{}", engine.name, command.len());
    let steps =
        format!("RUN --mount=type=secret,id=all {{fresh}} grep -q tok- /run/secrets/all && {}", step.bare_command());
    let build = SecretBuild::with_steps(secret.clone().into_bytes(), &steps);
    let command: Vec<&str> = if command.is_empty() { build.command(&engine).to_vec() } else { command.to_vec() };
    let run = build.lend(&engine).env("XDG_RUNTIME_DIR", runtime.path()).args(&command);
    let mut child = run.spawn();
    let mut arrived = step.arrived();
    let path = lent_path(&runtime);
    assert_eq!(fs::read_to_string(&path).expect("the control: it can be read"), secret);
    assert_eq!(path.starts_with("/proc"), !is_file, "{}", path.display());
    if is_file {
        assert!(holding(Path::new("/dev/shm"), &secret).contains(&path), "the control of the search");
    }

    child.kill().expect("valetkey runs");
    child.wait().expect("valetkey");
    let end = Instant::now() + PATIENCE;
    while path.exists() {
        assert!(Instant::now() < end, "{} is still there", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = arrived.go_on();
    let _ = process::finish(child, "a build whose valetkey was killed");
    let state = PathBuf::from(std::env::var_os("VALETKEY_TEST_STATE").expect("set")).join(&engine.name);
    let copies = if engine.tool() == "podman" { Some("userdata/secrets/") } else { None };
    for folder in ["/dev/shm".as_ref(), "/run".as_ref(), runtime.path(), build.project.path(), &state] {
        let left = holding(folder, &secret).into_iter();
        let left = left.filter(|path| !copies.is_some_and(|copies| path.to_string_lossy().contains(copies)));
        assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "below {}", folder.display());
    }
    runtime.expect_no_process();
}

#[test]
fn with_docker_28() {
    is_gone("docker-28", &[], false);
}

#[test]
fn with_docker_20() {
    is_gone("docker-20.10", &[], false);
}

#[test]
fn with_podman_5_but_for_its_own_copy() {
    is_gone("podman-5", &[], false);
}

#[test]
fn with_bake_of_docker_28_whose_secret_is_a_file_in_memory() {
    is_gone("docker-28", &["docker", "buildx", "bake", "--allow", "network.host"], true);
}
