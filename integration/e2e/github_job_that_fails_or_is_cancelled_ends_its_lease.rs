//! However a GitHub job goes, its lease ends with it: where the build fails, the job is cancelled in
//! the build or in the action, the action fails, a step ended the lease or its process was killed, or
//! the worker is gone before any post runs. The runner is a double.

use std::fs;
use std::path::Path;

use valetkey_integration::github_runner_double::{GithubRunnerDouble, Running, Step, Texts};
use valetkey_integration::{Engine, GatewayBuild, Key, Run, WaitingStep};

const BUILD: &str =
    "exec docker build $VALETKEY_BUILD_ARGS -f \"$(valetkey rewrite)\" --network host --progress plain -t job .";

/// A job whose action was begun with the project's own valetkey.toml.
fn begun(build: &GatewayBuild, inputs: &[(&str, &str)]) -> GithubRunnerDouble {
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), build.project.path());
    job.action(inputs, &[("DEPLOY_KEY", &build.key.private())]).expect_code(0);
    assert!(lease(&job).is_dir());
    job
}

fn lease(job: &GithubRunnerDouble) -> std::path::PathBuf {
    job.env()["VALETKEY_LEASE"].clone().into()
}

/// The one post of a job, after which no lease is left.
fn post(job: &mut GithubRunnerDouble) -> Step {
    let place = lease(job);
    let mut posts = job.posts();
    assert_eq!(posts.len(), 1);
    assert_over(&place);
    posts.remove(0)
}

#[track_caller]
fn assert_over(lease: &Path) {
    let name = lease.display().to_string();
    let gone = || !lease.exists() && !holds(&name);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !gone() {
        assert!(std::time::Instant::now() < end, "{name} is still there");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Whether a socket in this folder is still open somewhere.
fn holds(folder: &str) -> bool {
    fs::read_to_string("/proc/net/unix").expect("the sockets").contains(folder)
}

fn cancelled(job: &mut GithubRunnerDouble, running: Running) -> Step {
    running.cancel();
    job.end_step(running)
}

#[test]
fn after_a_build_that_asks_for_what_is_not_granted() {
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned\n{step} git clone ssh://{other} /other");
    let other = format!("{}@127.0.0.1:{}/platform/payroll.git", build.server.user(), build.server.port);
    let dockerfile = fs::read_to_string(build.project.file("Dockerfile")).expect("a Dockerfile");
    let build = build.writing("Dockerfile", &dockerfile.replace("{other}", &other));
    build.server.add_package("platform/payroll.git");
    let mut job = begun(&build, &[]);
    let step = job.run(BUILD);
    assert_ne!(step.code, 0, "{step:?}");
    let post = post(&mut job).expect_code(0);
    let errors: Vec<_> = post.commands().into_iter().filter(|(name, _)| name == "error").collect();
    assert!(errors.len() == 1 && errors[0].1.contains("platform/payroll"), "{post:?}");
    assert!(post.summary.contains("### Read") && post.summary.contains("### Refused"), "{post:?}");
    assert!(post.summary.contains("payroll") && !build.key.is_in(post.summary.as_bytes()), "{post:?}");
    job.end();
}

#[test]
fn after_a_job_that_is_cancelled_while_it_builds() {
    let step = WaitingStep::new();
    let build = GatewayBuild::with_steps(&format!("{{step}} {}", step.bare_command()));
    let mut job = begun(&build, &[]);
    let running = job.begin_run(BUILD, &Texts::new());
    let mut arrived = step.arrived();
    let ended = cancelled(&mut job, running);
    assert_ne!(ended.code, 0, "{ended:?}");
    arrived.expect_end();
    post(&mut job).expect_code(0);
    job.end();
}

#[test]
fn after_a_job_that_is_cancelled_while_the_action_begins() {
    let build = GatewayBuild::new();
    // One that has said nothing yet when the job is cancelled.
    let slow = "#!/bin/sh\necho > here &\nread -r wait < there\n";
    let build = build.writing("slow", slow);
    Run::new("mkfifo").args(["here", "there"]).within(build.project.path()).succeed();
    Run::new("chmod").arg("755").arg(build.project.file("slow")).succeed();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), build.project.path());
    let running = job.begin_action(&[("valetkey", "./slow")], &[]);
    // It has begun when somebody writes here.
    let opened = Run::new("sh").args(["-c", "read -r begun < here"]);
    opened.within(build.project.path()).succeed();
    running.cancel();
    let main = job.end_main(running).expect_code(130);
    assert!(
        main.commands().iter().any(|(name, text)| name == "error" && text.contains("nothing was lent")),
        "{main:?}"
    );
    job.posts().remove(0).expect_code(0).expect("no lease was begun");
    job.end();
}

#[test]
fn and_an_action_that_fails_says_why_and_leaves_its_post_nothing_to_do() {
    let build = GatewayBuild::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), build.project.path());
    let key = build.key.private();
    let cut = key.get(..key.len() / 2).expect("half a key");
    for (inputs, code, said) in [
        (vec![("key", cut)], 111, "env:VALETKEY_KEY"),
        (vec![("key", key.as_str()), ("grants", "[[grant]]")], 110, "only one can say what is lent"),
        (vec![("config", "missing.toml")], 110, "missing.toml"),
        (vec![("known-hosts", "--json")], 112, "--json"),
        (vec![("audit", "true")], 110, "names of images"),
        (vec![("valetkey", "/missing/valetkey")], 127, "could not be started"),
    ] {
        let main = job.action(&inputs, &[("DEPLOY_KEY", &key)]).expect_code(code);
        let commands = main.commands();
        let errors: Vec<_> = commands.iter().filter(|(name, _)| name == "error").collect();
        assert!(errors.len() == 1 && errors[0].1.contains(said), "{said}: {main:?}");
        assert!(!build.key.is_in(main.log.as_bytes()), "{main:?}");
        job.posts().remove(0).expect_code(0).expect("no lease was begun");
    }
    assert!(!job.env().contains_key("VALETKEY_LEASE"));
    let left: Vec<_> =
        fs::read_dir(job.temp()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert!(left.iter().all(|path| path.extension().is_none_or(|of| of != "toml")), "{left:?}");
    job.end();
}

#[test]
fn a_secret_that_was_not_passed_is_named_as_the_reason() {
    let project = valetkey_integration::Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let main = job.action(&[("key", "")], &[]);
    assert_ne!(main.code, 0);
    main.expect("a secret that was not passed is an empty text");
    job.posts();
    job.end();
}

#[test]
fn a_lease_that_a_step_ended_is_shown_from_the_receipt_of_that_step() {
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned");
    // Of another job, in a workspace that is used again.
    let build = build.writing("receipt.json", "{\"format\":\"valetkey-receipt/1\",\"started\":1}");
    let mut job = begun(&build, &[("receipt", "receipt.json")]);
    let built = job.run(BUILD);
    assert_eq!(built.code, 0, "{built:?}");
    let stopped = job.run("valetkey stop --receipt receipt.json > /dev/null");
    assert_eq!(stopped.code, 0, "{stopped:?}");
    let post = post(&mut job).expect_code(0);
    assert!(post.summary.contains("### Read") && post.summary.contains("omnibus"), "{post:?}");
    job.end();

    let mut job = begun(&build, &[("receipt", "old.json")]);
    fs::write(build.project.file("old.json"), "{\"format\":\"valetkey-receipt/1\",\"started\":1}").expect("a file");
    job.run("valetkey stop").expect_code(0);
    let post = self::post(&mut job).expect_code(0);
    assert!(post.summary.contains("nothing is known of what it did"), "{post:?}");
    job.end();
}

#[test]
fn a_lease_whose_process_was_killed_fails_no_job_and_is_said_to_be_unknown() {
    let build = GatewayBuild::new();
    let mut job = begun(&build, &[]);
    let pid = "python3 -c 'import json, os; print(json.load(open(os.environ[\"VALETKEY_LEASE\"] + \"/lease.json\"))[\"pid\"])'";
    job.run(&format!("kill -KILL $({pid})")).expect_code(0);
    let post = post(&mut job).expect_code(0);
    assert!(post.summary.contains("nothing is known of what it did"), "{post:?}");
    job.end();
}

#[test]
fn and_where_no_post_runs_the_end_of_the_worker_is_its_end() {
    let build = GatewayBuild::new();
    for signal in ["-TERM", "-KILL"] {
        let job = begun(&build, &[]);
        let lease = lease(&job);
        Run::new("kill").args([signal, &job.pid().to_string()]).succeed();
        assert_over(&lease);
        drop(job);
    }
}

#[test]
fn a_process_that_is_no_part_of_the_job_gets_no_answer_and_is_shown() {
    let key = Key::ed25519("deploy");
    let project = valetkey_integration::Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let main = job.action(&[("key", &key.private())], &[]).expect_code(0);
    let own = job.run("ssh-add -l");
    assert!(own.code == 0 && own.log.contains(&key.fingerprint()), "the control: {own:?}");
    let stranger = Run::new("ssh-add").arg("-l").env("SSH_AUTH_SOCK", &main.outputs["socket"]).finish();
    assert!(stranger.code != 0 && !stranger.output().contains(&key.fingerprint()), "{}", stranger.report());
    let post = post(&mut job).expect_code(0);
    assert!(post.commands().iter().any(|(name, text)| name == "error" && text.contains("ssh-add")), "{post:?}");
    assert!(post.summary.contains("stranger"), "{post:?}");
    job.end();
}
