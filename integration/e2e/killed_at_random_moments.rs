//! The process of a lease, the runner of its job, or the engine is killed at a random moment, again
//! and again: no socket answers, no secret is on any disk in any form, no process is left, and the
//! next job is served.
//!
//! The moments are random, of a fixed seed; what they hit is up to the machine.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use valetkey_integration::runtime_folder::Process;
use valetkey_integration::{Engine, Key, OwnEngine, Project, Run, RuntimeFolder, process};

/// Kills of the lease, of the runner, and of the engine: 200 in all.
const LEASES: u64 = 85;
const RUNNERS: u64 = 85;
const ENGINES: u64 = 30;
/// A kill comes within this time from the start of the job, which takes about as long.
const LONGEST: u64 = 1200;
/// How long what was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the job lends: in no form may it be on a disk.
struct Secret {
    key: Key,
    token: String,
}

/// A machine with one runner on it.
struct Machine {
    place: RuntimeFolder,
    project: Project,
    secret: Secret,
    worker: PathBuf,
}

/// The job: a lease, a build whose step uses both for a while, the end.
const JOB: &str = r#"eval "$(valetkey start --no-config --no-compose --key env:DEPLOY_KEY --secret token=env:TOKEN --quiet)"
docker build --quiet --network host $VALETKEY_BUILD_ARGS --build-arg "JOB=$JOB" .
eval "$(valetkey stop --quiet)""#;

impl Machine {
    fn new() -> Self {
        let key = Key::ed25519("killed");
        // No word that anything else could hold.
        let token = format!("vk-{}", key.fingerprint().replace(['/', '+', ':'], "x"));
        let project = Project::new();
        std::fs::copy("/bin/busybox", project.file("busybox")).expect("busybox-static is needed for this test");
        let step = "[ -S $SSH_AUTH_SOCK ] && busybox sha256sum /run/secrets/token && busybox usleep 500000";
        let project = project.write(
            "Dockerfile",
            &format!("FROM scratch\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nARG JOB\nRUN --mount=type=ssh --mount=type=secret,id=token : $JOB && {step}\n"),
        );
        let worker = project.file("Runner.Worker");
        std::os::unix::fs::symlink("/bin/bash", &worker).expect("a link");
        let project = project.write(".dockerignore", "Runner.Worker\n");
        Self { place: RuntimeFolder::new(), project, secret: Secret { key, token }, worker }
    }

    /// The runner with its one step.
    fn job(&self, engine: &Engine, name: &str, script: &str) -> Run {
        let valetkey = valetkey_integration::valetkey();
        let path = format!("{}:{}", valetkey.parent().expect("a folder").display(), engine.var("PATH"));
        let run = engine.command(self.worker.to_str().expect("a path in UTF-8"));
        // The runner waits for its step, and does not become it.
        let run = run.args(["-c", "bash -eu -o pipefail -c \"$1\"; exit $?", "worker", script]);
        let run = run.env("PATH", path).env("JOB", name).env("DEPLOY_KEY", self.secret.key.private());
        run.env("TOKEN", &self.secret.token).env("XDG_RUNTIME_DIR", self.place.path()).within(self.project.path())
    }

    /// The processes of valetkey in this place.
    fn of_valetkey(&self) -> Vec<Process> {
        let all = self.place.processes().into_iter();
        all.filter(|one| one.line.starts_with("valetkey") || one.line.starts_with("lease-")).collect()
    }

    /// What must hold after every kill.
    fn expect_clean(&self, engine: &Engine, state: &Path, moment: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = self.of_valetkey();
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < end, "{moment}: processes are left: {left:?}");
            thread::sleep(Duration::from_millis(10));
        }
        for lease in self.place.leases() {
            for entry in std::fs::read_dir(&lease).into_iter().flatten() {
                let path = entry.expect("an entry").path();
                let is_socket = path.extension().is_some_and(|extension| extension == "sock");
                assert!(!is_socket || UnixStream::connect(&path).is_err(), "{moment}: {} answers", path.display());
            }
        }
        let found = self.secret.found_below(&[self.place.path(), self.project.path(), state, Path::new("/dev/shm")]);
        assert!(found.is_empty(), "{moment}: a secret is in {found}");
        // The next job is served, and what was left is swept up by it.
        let next = r#"eval "$(valetkey start --no-config --no-compose --key env:DEPLOY_KEY --secret token=env:TOKEN --quiet)"
            ssh-add -l; eval "$(valetkey stop --quiet)""#;
        let next = self.job(engine, "next", next).succeed();
        assert!(next.stdout.contains(&self.secret.key.fingerprint()), "{moment}: {}", next.report());
        let left: Vec<PathBuf> = self.place.leases().into_iter().filter(|path| !path.ends_with("ended")).collect();
        assert!(left.is_empty(), "{moment}: {left:?}");
    }
}

impl Secret {
    /// The files that hold the key or the token, in any form: as they are, in base64 at any place,
    /// in hexadecimal.
    fn found_below(&self, folders: &[&Path]) -> String {
        let mut texts: Vec<String> =
            self.key.secrets().iter().filter_map(|text| String::from_utf8(text.clone()).ok()).collect();
        let token = self.token.as_bytes();
        texts.push(self.token.clone());
        texts.push(token.iter().map(|byte| format!("{byte:02x}")).collect());
        for phase in 0..3 {
            let shifted: Vec<u8> = std::iter::repeat_n(b'x', phase).chain(token.iter().copied()).collect();
            let encoded = Run::new("base64").arg("-w0").stdin(pipe(&shifted)).succeed().stdout;
            // The characters at both ends depend on what stands beside it.
            texts.push(encoded[4..encoded.len() - 4].to_owned());
        }
        let run = Run::new("grep").args(["-rlaF", "--devices=skip"]);
        let run = texts.iter().fold(run, |run, text| run.args(["-e", text]));
        // 2 where a file went away meanwhile.
        folders.iter().fold(run, |run, folder| run.arg(folder)).finish().stdout
    }
}

/// A file with these bytes, open at its beginning.
fn pipe(bytes: &[u8]) -> std::fs::File {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().expect("a temp file");
    file.write_all(bytes).expect("written");
    file.rewind().expect("at its beginning");
    file
}

/// Milliseconds, another one for each number: a step of a linear congruential generator.
fn moment(number: u64) -> Duration {
    let random = number.wrapping_add(1).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    Duration::from_millis((random >> 33) % LONGEST)
}

fn kill(pid: u32) {
    // It may have ended by itself meanwhile.
    let _ = Run::new("kill").args(["-KILL", &pid.to_string()]).finish();
}

/// Runs the job and strikes at a moment; gives whether something was hit.
fn strike(machine: &Machine, engine: &Engine, number: u64, hit: impl Fn(&Child) -> bool) -> bool {
    let child = machine.job(engine, &format!("{}-{number}", machine.project.name), JOB).spawn();
    thread::sleep(moment(number));
    let hit = hit(&child);
    // Its pipes stay open in what the runner leaves: the build's client, which ends by itself.
    let _ = process::finish(child, "the job");
    hit
}

/// (The control.) The job succeeds where nobody strikes, and the search finds what was planted.
fn expect_control(machine: &Machine, engine: &Engine) {
    machine.job(engine, &format!("{}-control", machine.project.name), JOB).succeed();
    for text in [machine.secret.token.clone(), machine.secret.key.private()] {
        let planted = machine.project.file("planted");
        std::fs::write(&planted, format!("before {text} after")).expect("planted");
        assert!(machine.secret.found_below(&[machine.project.path()]).contains("planted"));
        std::fs::remove_file(planted).expect("gone");
    }
}

#[test]
fn the_process_of_the_lease() {
    let (own, machine) = (OwnEngine::up(), Machine::new());
    expect_control(&machine, &own.engine);
    let mut hits = 0;
    for number in 0..LEASES {
        let hit = strike(&machine, &own.engine, number, |_| {
            let found = machine.of_valetkey().into_iter().find(|one| one.line.starts_with("valetkey-lease"));
            found.iter().for_each(|one| kill(one.pid));
            found.is_some()
        });
        hits += u64::from(hit);
        machine.expect_clean(&own.engine, own.state(), &format!("kill {number} after {:?}", moment(number)));
    }
    assert!(hits > LEASES / 3, "{hits} kills of {LEASES} met a lease");
}

#[test]
fn the_runner() {
    let (own, machine) = (OwnEngine::up(), Machine::new());
    expect_control(&machine, &own.engine);
    let mut hits = 0;
    for number in 0..RUNNERS {
        let hit = strike(&machine, &own.engine, LEASES + number, |runner| {
            let lives = !machine.of_valetkey().is_empty();
            kill(runner.id());
            lives
        });
        hits += u64::from(hit);
        machine.expect_clean(&own.engine, own.state(), &format!("kill {number}"));
    }
    assert!(hits > RUNNERS / 3, "{hits} kills of {RUNNERS} met a lease");
}

#[test]
fn the_engine() {
    let machine = Machine::new();
    let mut hits = 0;
    for number in 0..ENGINES {
        let own = OwnEngine::up();
        let hit = strike(&machine, &own.engine, LEASES + RUNNERS + number, |_| {
            let lives = !machine.of_valetkey().is_empty();
            own.kill();
            lives
        });
        hits += u64::from(hit);
        machine.expect_clean(&own.engine, own.state(), &format!("kill {number}"));
    }
    assert!(hits > ENGINES / 3, "{hits} kills of {ENGINES} met a lease");
}
