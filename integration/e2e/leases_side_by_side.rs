//! Many leases at once, and many after each other: each build sees its own key alone, and nothing
//! is left of any.

use std::fs;
use std::process::Child;

use valetkey_integration::{Engine, Key, Project, RuntimeFolder, process};

const AT_ONCE: usize = 100;
const IN_ALL: usize = 1000;
/// Jobs that run beside each other where there are [`IN_ALL`].
const JOBS: usize = 4;

/// The folder itself and the lock that all leases share.
const LEFT_IN_FOLDER: [&str; 1] = [".lock"];

fn expect_nothing_left(place: &RuntimeFolder) {
    place.expect_no_process();
    let entries = fs::read_dir(place.path().join("valetkey")).expect("the folder of all leases");
    let names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, LEFT_IN_FOLDER);
}

#[test]
fn a_hundred_leases_at_once_with_a_build_each_on_one_engine() {
    let engine = Engine::named("docker-28");
    let place = RuntimeFolder::new();
    // One agent each, listed in a step that never comes from a cache, by the name of its image.
    let project = Project::with_steps(
        "ARG JOB\nRUN --mount=type=ssh,required=true : $JOB && ssh-add -l >/listed\nFROM scratch\nCOPY --from=0 /listed /listed",
    );
    let script = r#"eval "$(valetkey start --no-config --key env:DEPLOY_KEY --quiet)"
        docker build --quiet $VALETKEY_BUILD_ARGS --network host --build-arg JOB=$TAG --output type=local,dest=$OUT . >&2
        eval "$(valetkey stop --quiet)"
        cat $OUT/listed; rm -r $OUT"#;
    let keys: Vec<Key> = (0..AT_ONCE).map(|number| Key::ed25519(&format!("job-{number}"))).collect();
    let jobs: Vec<(&Key, Child)> = keys
        .iter()
        .enumerate()
        .map(|(number, key)| {
            let job = engine.job(script).env("DEPLOY_KEY", key.private()).env("XDG_RUNTIME_DIR", place.path());
            let job =
                job.env("TAG", format!("{}-{number}", project.name)).env("OUT", project.file(&format!("out{number}")));
            (key, job.within(project.path()).spawn())
        })
        .collect();
    for (key, job) in jobs {
        let finished = process::finish(job, "a job").expect_code(0);
        let lines: Vec<&str> = finished.stdout.lines().collect();
        assert!(
            lines.len() == 1 && lines[0].contains(&key.fingerprint()),
            "{}: {}",
            key.fingerprint(),
            finished.report()
        );
    }
    expect_nothing_left(&place);
}

#[test]
fn a_thousand_leases_started_and_stopped() {
    let engine = Engine::named("docker-28");
    let place = RuntimeFolder::new();
    let key = Key::ed25519("many");
    // The last leases of each job are ended by their job, and swept up by whoever comes next.
    let script = format!(
        r#"for ((number = 1; number <= {}; number++)); do
            vars=$(valetkey start --no-config --key env:DEPLOY_KEY --quiet --no-compose)
            (eval "$vars"; ssh-add -l | grep -c 256; valetkey stop --quiet >/dev/null)
        done"#,
        IN_ALL / JOBS
    );
    let job = || engine.job(&script).env("DEPLOY_KEY", key.private()).env("XDG_RUNTIME_DIR", place.path()).spawn();
    let jobs: Vec<Child> = (0..JOBS).map(|_| job()).collect();
    let answered: usize =
        jobs.into_iter().map(|job| process::finish(job, "a job").expect_code(0).stdout.lines().count()).sum();
    assert_eq!(answered, IN_ALL);
    expect_nothing_left(&place);
}

#[test]
fn one_lease_that_answers_a_thousand_times_keeps_no_descriptor_thread_or_memory_of_it() {
    let engine = Engine::named("docker-28");
    let place = RuntimeFolder::new();
    let key = Key::ed25519("often");
    // Descriptors, threads, and memory in KiB; the first hundred answers fill what is filled once.
    let script = r#"eval "$(valetkey start --no-config --key env:DEPLOY_KEY --quiet)"
        pid=$(valetkey status --json | grep -o '"pid": [0-9]*' | head -n 1 | cut -d ' ' -f 2)
        ask() { for ((number = 0; number < $1; number++)); do ssh-add -l | grep -q 256; done; }
        tell() { echo "$(ls /proc/$pid/fd | wc -l) $(ls /proc/$pid/task | wc -l) $(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)"; }
        ask 100; tell; ask 1000; tell
        eval "$(valetkey stop --quiet)""#;
    let job = engine.job(script).env("DEPLOY_KEY", key.private()).env("XDG_RUNTIME_DIR", place.path()).succeed();
    let told: Vec<Vec<i64>> =
        job.stdout.lines().map(|line| line.split(' ').map(|count| count.parse().expect("a count")).collect()).collect();
    let [before, after] = &told[..] else { panic!("{}", job.report()) };
    assert!(before.iter().all(|count| *count > 0), "the control: {before:?}");
    // The thread of the last connection may not have ended yet.
    assert!((after[0] - before[0]).abs() <= 1 && (after[1] - before[1]).abs() <= 1, "{before:?} {after:?}");
    assert!(after[2] - before[2] < 1024, "{before:?} {after:?}");
    expect_nothing_left(&place);
}
