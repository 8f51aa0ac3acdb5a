//! The workflows in integration/github/README.md, run as they stand by a double of GitHub's runner:
//! a private dependency is installed in a build of a later step, by webfactory's form of keys and by
//! grants, from an index that is open or one that wants a token, and the summary shows what was read
//! and that no key and no token stayed.

use std::fs;

use valetkey_integration::gate::basic;
use valetkey_integration::github_runner_double::{GithubRunnerDouble, Step};
use valetkey_integration::private_build::private_text;
use valetkey_integration::{Engine, ExampleBuild, PrivateBuild, folder};

/// The workflow of that name in the README.
fn pasted(name: &str) -> String {
    let readme = fs::read_to_string(folder().join("github/README.md")).expect("the README");
    let mut blocks = readme.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("yaml\n"));
    blocks.find(|block| block.starts_with(&format!("name: {name}\n"))).expect("a workflow").to_owned()
}

/// Replaces what is another name here, and must be there.
#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replace(from, to)
}

fn job(engine: &Engine, build: &ExampleBuild) -> GithubRunnerDouble {
    let job = GithubRunnerDouble::new(engine, build.project.path());
    let key = build.key.private();
    job.having_secret("SSH_PRIVATE_KEY", &key).having_secret("DEPLOY_KEY", &key)
}

/// What is true of a job that went well.
fn went_well(job: &mut GithubRunnerDouble, steps: &[Step], build: &ExampleBuild, image: &str) -> Step {
    for step in steps {
        assert_eq!(step.code, 0, "{steps:#?}");
    }
    let lease = job.env()["VALETKEY_LEASE"].clone();
    assert!(fs::metadata(&lease).is_ok());
    for (place, text) in [("a variable", format!("{:?}", job.env())), ("a log or output", format!("{steps:?}"))] {
        assert!(!build.key.is_in(text.as_bytes()), "the key is in {place}");
    }
    let mut posts = job.posts();
    let post = posts.remove(0).expect_code(0);
    assert!(posts.is_empty() && fs::metadata(lease).is_err());
    let summary = shown(&post.summary);
    for text in [
        "No build held a key",
        &build.key.fingerprint(),
        &format!("[127.0.0.1]:{}/platform/omnibus", build.server.port),
        &format!("{image} | no private key in 1 image"),
    ] {
        assert!(summary.contains(text), "{text:?} is not in {summary}");
    }
    assert!(!summary.contains("Refused"), "{summary}");
    assert!(!build.key.is_in(post.summary.as_bytes()));
    post
}

/// A summary with its numeric references as the characters that they are.
fn shown(summary: &str) -> String {
    let mut parts = summary.split("&#");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').expect("a reference");
        out.push(char::from(number.parse::<u8>().expect("a number")));
        out.push_str(rest);
    }
    out
}

#[test]
fn compose_run_with_keys_in_the_form_of_webfactory() {
    let engine = Engine::named("docker-28");
    let build = ExampleBuild::new(&engine);
    let known_hosts = build.server.known_hosts();
    let key = "key: ${{ secrets.SSH_PRIVATE_KEY }}";
    let workflow = replaced(&pasted("test"), key, &format!("{key}\n          known-hosts: {}", known_hosts.display()));
    let workflow = replaced(&workflow, "orders-app", &build.project.service_image());
    let mut job = job(&engine, &build);
    let steps = job.workflow(&workflow);
    assert!(steps.last().is_some_and(|step| step.log.contains("2 passed")), "{steps:#?}");
    went_well(&mut job, &steps, &build, &build.project.service_image());
    let receipt = fs::read_to_string(build.project.file("receipt.json")).expect("a receipt");
    assert!(receipt.contains("\"ended_by\": \"stop\"") && !build.key.is_in(receipt.as_bytes()), "{receipt}");
    job.end();
}

/// Of no other test.
fn token(name: &str) -> String {
    format!("pypi-AgEI{name}{}", std::process::id())
}

/// The index let Poetry in, by this token, which is nowhere.
#[track_caller]
fn let_in(engine: &Engine, job: &GithubRunnerDouble, said: &[&Step], build: &ExampleBuild, token: &str) {
    let gate = build.gate.as_ref().expect("an index with a gate");
    assert!(gate.refused().iter().all(String::is_empty), "{:?}", gate.refused());
    assert!(!engine.image_holds(&build.project.service_image(), token), "the token is in the image");
    assert!(!format!("{said:?}{:?}", job.env()).contains(token), "the token was said");
}

#[test]
fn compose_run_with_an_index_that_wants_a_token_by_grants() {
    let (engine, token) = (Engine::named("docker-28"), token("grants"));
    let mount = "--mount=type=secret,id=netrc,target=/home/app/.netrc,uid=1000";
    let build = ExampleBuild::behind_token(&engine, &token, mount);
    let grant = "[[grant]]";
    let known_hosts = format!("known_hosts = \"{}\"\n            {grant}", build.server.known_hosts().display());
    let workflow = replaced(&pasted("private-index"), grant, &known_hosts);
    let host = format!("[127.0.0.1]:{}\"\n            user = \"{}", build.server.port, build.server.user());
    let workflow = replaced(&workflow, "github.com\"", &format!("{host}\""));
    let workflow = replaced(&workflow, "owner/repo", "platform/omnibus");
    let workflow = replaced(&workflow, "pypi.example.com", "127.0.0.1");
    let workflow = replaced(&workflow, "orders-app", &build.project.service_image());
    let mut job = job(&engine, &build).having_secret("PYPI_TOKEN", &token);
    let steps = job.workflow(&workflow);
    assert!(steps.last().is_some_and(|step| step.log.contains("2 passed")), "{steps:#?}");
    let post = went_well(&mut job, &steps, &build, &build.project.service_image());
    let bytes = format!("machine 127.0.0.1 login __token__ password {token}\n").len();
    assert!(shown(&post.summary).contains(&format!("| netrc | netrc | {bytes} | env:PYPI_TOKEN |")), "{post:?}");
    let_in(&engine, &job, &[&steps[0], &steps[1], &post], &build, &token);
    job.end();
}

/// How Poetry reads it in the README.
const PASSWORD: &str = "--mount=type=secret,id=pypi,env=POETRY_HTTP_BASIC_PRIVATE_PASSWORD";

/// The first workflow, for this build, with its input `secrets` or without.
fn keyed(build: &ExampleBuild, secrets: bool) -> String {
    let readme = fs::read_to_string(folder().join("github/README.md")).expect("the README");
    assert!(readme.contains(PASSWORD));
    let input = readme.split("```yaml\n").find(|block| block.trim_start().starts_with("secrets: |")).expect("a block");
    let input = if secrets { input.split("```").next().unwrap_or_default().trim_end() } else { "" };
    let key = "key: ${{ secrets.SSH_PRIVATE_KEY }}";
    let known_hosts = build.server.known_hosts();
    let lines = format!("{key}\n          known-hosts: {}\n{input}", known_hosts.display());
    replaced(&replaced(&pasted("test"), key, &lines), "orders-app", &build.project.service_image())
}

/// The words of a step that gives the token to Poetry, whose index has another name here.
fn password() -> String {
    let mount = PASSWORD.replace("PRIVATE", "LOOPBACK");
    format!("{mount} POETRY_HTTP_BASIC_LOOPBACK_USERNAME=__token__")
}

#[test]
fn compose_run_with_an_index_that_wants_a_token_and_keys_in_the_form_of_webfactory() {
    let (engine, token) = (Engine::named("docker-28"), token("keys"));
    let build = ExampleBuild::behind_token(&engine, &token, &password());
    let mut job = job(&engine, &build).having_secret("PYPI_TOKEN", &token);
    let steps = job.workflow(&keyed(&build, true));
    assert!(steps.last().is_some_and(|step| step.log.contains("2 passed")), "{steps:#?}");
    let post = went_well(&mut job, &steps, &build, &build.project.service_image());
    let row = format!("| pypi | raw | {} | the input secrets |", token.len());
    assert!(shown(&post.summary).contains(&row), "{post:?}");
    let_in(&engine, &job, &[&steps[0], &steps[1], &post], &build, &token);
    job.end();
}

/// The control: the gate is closed.
#[test]
fn and_without_the_token_or_with_another_the_build_gets_nothing_from_that_index() {
    let engine = Engine::named("docker-28");
    for (lent, token_of_job) in [(false, ""), (true, "pypi-another-token")] {
        let wanted = token("closed");
        let build = ExampleBuild::behind_token(&engine, &wanted, &password());
        let mut job = job(&engine, &build).having_secret("PYPI_TOKEN", token_of_job);
        let steps = job.workflow(&keyed(&build, lent));
        let last = steps.last().expect("steps");
        assert!(steps.len() == 2 && steps[0].code == 0 && last.code != 0, "{steps:#?}");
        let refused = build.gate.as_ref().expect("a gate").refused();
        let own = refused.iter().all(|text| *text != basic("__token__", &wanted));
        let another = !lent || refused.contains(&basic("__token__", token_of_job));
        assert!(!refused.is_empty() && own && another, "{refused:?}");
        // The image that was to be audited was never built.
        job.posts().remove(0).expect_code(117);
        job.end();
    }
}

#[test]
fn the_build_action_with_grants() {
    let engine = Engine::named("docker-28");
    let build = ExampleBuild::new(&engine);
    let grant = "[[grant]]";
    let known_hosts = format!("known_hosts = \"{}\"\n            {grant}", build.server.known_hosts().display());
    let workflow = replaced(&pasted("image"), grant, &known_hosts);
    let host = format!("[127.0.0.1]:{}\"\n            user = \"{}", build.server.port, build.server.user());
    let workflow = replaced(&workflow, "github.com\"", &format!("{host}\""));
    let workflow = replaced(&workflow, "owner/repo", "platform/omnibus");
    let workflow =
        replaced(&workflow, "tags: orders", &format!("tags: {}\n          network: host", build.project.name));
    let workflow = replaced(&workflow, "audit: orders", &format!("audit: {}", build.project.name));
    let mut job = job(&engine, &build);
    let steps = job.workflow(&workflow);
    went_well(&mut job, &steps, &build, &build.project.name);
    let test = ["sh", "-c", "cd /app && pytest -q -p no:cacheprovider"];
    engine.in_image(&build.project.name, &test).succeed().expect("2 passed");
    job.end();
}

#[test]
fn git_in_a_step_with_a_key_that_is_lent_by_agent() {
    let build = PrivateBuild::new();
    let readme = fs::read_to_string(folder().join("github/README.md")).expect("the README");
    let git = readme.split("`git -c ").nth(1).and_then(|rest| rest.split('…').next()).expect("a command");
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), build.project.path());
    let (known_hosts, host) = (build.server.known_hosts(), build.server.host());
    let (key, user) = (build.key.private(), build.server.user());
    let known_hosts = known_hosts.to_str().expect("a path in UTF-8");
    job.action(&[("key", &key), ("known-hosts", known_hosts), ("host", &host), ("user", &user)], &[]).expect_code(0);
    job.run(&format!("git -c {git} {} cloned", build.server.url("platform/omnibus.git"))).expect_code(0);
    let cloned = fs::read_to_string(build.project.file("cloned/omnibus/__init__.py")).expect("a clone");
    assert_eq!(cloned, private_text());
    let post = job.posts().remove(0).expect_code(0);
    assert!(shown(&post.summary).contains(&format!("[127.0.0.1]:{} | 1 |", build.server.port)), "{post:?}");
    job.end();
}

#[test]
fn one_step_that_has_both_the_secret_and_the_build() {
    let engine = Engine::named("docker-28");
    let build = ExampleBuild::new(&engine);
    let readme = fs::read_to_string(folder().join("github/README.md")).expect("the README");
    let block = readme.split("```yaml\n").last().and_then(|rest| rest.split("```").next()).expect("a workflow");
    let known_hosts = format!("--repos-from-comments --known-hosts '{}'", build.server.known_hosts().display());
    let workflow = replaced(block, "--repos-from-comments", &known_hosts);
    let mut job = job(&engine, &build);
    let steps = job.workflow(&workflow);
    assert!(steps.len() == 1 && steps[0].code == 0, "{steps:#?}");
    assert!(steps[0].log.contains("2 passed") && steps[0].log.contains("the build held no key"), "{steps:#?}");
    job.end();
}
