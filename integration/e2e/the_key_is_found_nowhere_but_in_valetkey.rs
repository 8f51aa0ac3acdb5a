//! During a build, and after it: the key is in no process's environment or arguments, in no file
//! of the lease, in nothing that was printed or written, and in no byte of the image.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use valetkey_integration::process::finish;
use valetkey_integration::project::SSH_STEP;
use valetkey_integration::{Engine, GitServer, Key, PrivateBuild, Project};

const ENGINE: &str = "docker-28";
/// How long the build may take to come to the step that waits.
const PATIENCE: Duration = Duration::from_secs(300);

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

/// What of every process but one is searched.
fn of_processes(but: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).filter(|pid| *pid != but);
    let both = |pid: u32| ["environ", "cmdline"].map(|name| PathBuf::from(format!("/proc/{pid}/{name}")));
    // valetkey got the variable from whoever started it; its arguments are searched as well.
    pids.flat_map(both).chain([PathBuf::from(format!("/proc/{but}/cmdline"))]).collect()
}

/// Those of the files that hold the key. A process may be gone by the time it is looked at.
fn holding(key: &Key, files: &[PathBuf]) -> Vec<PathBuf> {
    let holds = |path: &&PathBuf| fs::read(path).is_ok_and(|bytes| key.is_in(&bytes));
    files.iter().filter(holds).cloned().collect()
}

/// Whether an image holds the key, in any byte of it.
fn image_holds(key: &Key, image: &str) -> bool {
    let patterns = tempfile::NamedTempFile::new().expect("a file");
    fs::write(patterns.path(), key.secrets()[..2].join(&b'\n')).expect("written");
    let script =
        "set -o pipefail; docker save \"$1\" | { grep -aqF -f \"$2\"; found=$?; cat >/dev/null; exit $found; }";
    let docker = Engine::named(ENGINE).command("bash");
    let searched = docker.args(["-c", script, "bash", image]).arg(patterns.path()).finish();
    assert!(searched.code < 2 && searched.stderr.is_empty(), "{}", searched.report());
    searched.code == 0
}

#[test]
fn while_a_step_runs_and_after_the_build() {
    let key = Key::ed25519("deploy");
    let server = GitServer::with_package(&key);
    // The step prints all environments that it can see, and then waits until it was looked at.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let look = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && env && cat /proc/*/environ && read -r -u 3 go");
    let steps = format!("{SSH_STEP} git clone {} /cloned && bash -c '{look}'", server.url("platform/omnibus.git"));
    let project = Project::with_steps(&steps);
    let places = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().expect("a folder");
    let (receipt, log) = (places.path().join("receipt.json"), places.path().join("decisions"));

    let known_hosts = server.known_hosts();
    let flags = ["--key", "env:DEPLOY_KEY", "--known-hosts", known_hosts.to_str().unwrap(), "--receipt"];
    let flags = [&flags[..], &[receipt.to_str().unwrap(), "--decision-log", log.to_str().unwrap()]].concat();
    let run = Engine::named(ENGINE).lend(&flags);
    let run = run.args(["docker", "build", "--progress", "plain", "--network", "host", "-t", &project.name, "."]);
    let run = run.env("DEPLOY_KEY", key.private()).env("XDG_RUNTIME_DIR", places.path()).env("TMPDIR", places.path());
    let mut child = run.within(project.path()).spawn();

    listener.set_nonblocking(true).expect("a mode");
    let end = Instant::now() + PATIENCE;
    let mut step = loop {
        match listener.accept() {
            Ok((step, _)) => break step,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}"),
        }
        if child.try_wait().expect("a child").is_some() {
            panic!("the step was not reached\n{}", finish(child, "valetkey run").report());
        }
        if Instant::now() >= end {
            child.kill().expect("a child");
            panic!("the step was not reached in time\n{}", finish(child, "valetkey run").report());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let during = [of_processes(child.id()), files(places.path())].concat();
    assert!(during.iter().any(|path| path.ends_with("known_hosts")), "the lease is among them: {during:?}");
    assert_eq!(holding(&key, &during), Vec::<PathBuf>::new());
    // The control: the same search finds it in valetkey's own initial environment.
    let own = [PathBuf::from(format!("/proc/{}/environ", child.id()))];
    assert_eq!(holding(&key, &own), own);
    step.write_all(b"go\n").expect("the step waits");

    let built = finish(child, "valetkey run").expect_code(0).expect("SSH_AUTH_SOCK=").expect("signed 1 login");
    assert!(!key.is_in(built.output().as_bytes()), "{}", built.report());
    let written = files(places.path());
    assert!(written.contains(&receipt) && written.contains(&log), "{written:?}");
    assert_eq!(holding(&key, &written), Vec::<PathBuf>::new());
    assert!(!image_holds(&key, &project.name));
}

#[test]
fn and_the_same_searches_find_a_key_that_was_planted() {
    let key = Key::ed25519("deploy");
    let plant = |command: &mut Command| {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        child
    };
    let script = ["-c", "echo ready; cat"];
    let mut of_environ = plant(Command::new("sh").args(script).env("PLANTED", key.private()));
    let mut of_cmdline = plant(Command::new("sh").args(script).args(["sh", &key.private()]));
    let found = holding(&key, &of_processes(0));
    for path in [format!("/proc/{}/environ", of_environ.id()), format!("/proc/{}/cmdline", of_cmdline.id())] {
        assert!(found.contains(&PathBuf::from(&path)), "{path} is not in {found:?}");
    }
    for child in [&mut of_environ, &mut of_cmdline] {
        drop(child.stdin.take());
        child.wait().expect("ended");
    }

    let project = Project::with_steps("COPY deploy /root/.ssh/id_ed25519\nRUN rm /root/.ssh/id_ed25519");
    let project = project.write("deploy", &key.private());
    assert_eq!(holding(&key, &files(project.path())), [project.file("deploy")]);
    let docker = Engine::named(ENGINE).command("docker");
    docker.args(["build", "--network", "host", "-t", &project.name, "."]).within(project.path()).succeed();
    assert!(image_holds(&key, &project.name));
}

/// Each engine saves an image in a way of its own: all layers, configuration and history, and the
/// output of the build.
fn is_in_no_image(engine: &str) {
    let engine = Engine::named(engine);
    // The step keeps all that it can see: its environment, and what is mounted.
    let build = PrivateBuild::with_steps("{step} git clone {url} /cloned && env > /env && cp -r /run /kept");
    let body = build.key.body();
    build.run(&engine, &build.command(&engine)).expect_not(&body);
    assert!(!engine.image_holds(&build.project.name, &body), "the key is in the image");
    is_found_where_it_was_copied_in(&engine, &build.key);
}

/// A key that was copied in, and shown, is found by the same search.
fn is_found_where_it_was_copied_in(engine: &Engine, key: &Key) {
    let project = Project::with_steps("COPY key /leaked\nRUN cat /leaked").write("key", &key.private());
    let build = ["build", "--network", "host", "--tag", &project.name, "."];
    engine.command(engine.tool()).args(build).within(project.path()).succeed().expect(&key.body());
    assert!(engine.image_holds(&project.name, &key.body()), "the search finds nothing");
}

#[test]
fn in_no_image_of_docker_20() {
    is_in_no_image("docker-20.10");
}

#[test]
fn in_no_image_of_docker_26() {
    is_in_no_image("docker-26");
}

#[test]
fn in_no_image_of_docker_28() {
    is_in_no_image("docker-28");
}

#[test]
fn in_no_image_of_podman_4() {
    is_in_no_image("podman");
}

#[test]
fn in_no_image_of_podman_5() {
    is_in_no_image("podman-5");
}
