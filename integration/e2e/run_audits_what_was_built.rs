//! `run --audit` audits the images that this very build made, by each builder's own word, and
//! its exit code is the audit's.

use valetkey_integration::engine::CONTAINERDS;
use valetkey_integration::{Engine, Finished, Key, PrivateBuild, Project};

/// The build copies a key in that nobody lent, and deletes it.
fn leaky() -> (PrivateBuild, Key) {
    let build = PrivateBuild::with_steps("COPY leaked /leaked\nRUN rm /leaked\n{step} git clone {url} /cloned");
    let key = Key::ed25519("leaked");
    let PrivateBuild { project, .. } = build;
    let project = project.write("leaked", &key.private());
    (PrivateBuild { project, ..build }, key)
}

fn is_audited(engine: &str, command: &[&str]) {
    let engine = Engine::named(engine);
    let (build, key) = leaky();
    let command: Vec<_> =
        command.iter().map(|word| if *word == "NAME" { build.project.name.as_str() } else { word }).collect();
    let audit = build.lend_with(&engine, &["--audit"]).args(&command).within(build.project.path()).finish();
    audit.expect_code(116).expect(&key.fingerprint()).expect("leaked").expect("signed 1 login");
}

const BUILD: [&str; 7] = ["build", "--network", "host", "-t", "NAME", "--no-cache", "."];

#[test]
fn by_docker_build() {
    for engine in ["docker-20.10", "docker-26", "docker-28"] {
        is_audited(engine, &[&["docker"][..], &BUILD].concat());
    }
}

#[test]
fn by_buildx() {
    is_audited("docker-28", &[&["docker", "buildx"][..], &BUILD].concat());
}

#[test]
fn by_bake() {
    let bake = "target \"default\" { network = \"host\" }";
    let engine = Engine::named("docker-28");
    let (build, key) = leaky();
    let PrivateBuild { project, .. } = build;
    let build = PrivateBuild { project: project.write("docker-bake.hcl", bake), ..build };
    let command = ["docker", "buildx", "bake", "--allow", "network.host"];
    let audit = build.lend_with(&engine, &["--audit"]).args(command).within(build.project.path()).finish();
    audit.expect_code(116).expect(&key.fingerprint()).expect("leaked");
}

#[test]
fn by_compose_build_and_up() {
    for (engine, verb) in [("docker-26", &["build"][..]), ("docker-28", &["build"]), ("docker-28", &["up", "--build"])]
    {
        let engine = Engine::named(engine);
        let (build, key) = leaky();
        let PrivateBuild { project, .. } = build;
        let build = PrivateBuild { project: project.with_compose(), ..build };
        let command = [&["docker", "compose"], verb].concat();
        let audit = build.lend_with(&engine, &["--audit"]).args(command).within(build.project.path()).finish();
        audit.expect_code(116).expect(&key.fingerprint()).expect("leaked");
    }
}

/// A key that nobody lent, in an image of nothing else: these engines have no base image.
fn bare(leaked: &Key) -> Project {
    let project = Project::new().write("leaked", &leaked.private()).write("nothing", "nothing");
    let project = project.write("Dockerfile", "FROM scratch\nCOPY leaked /leaked\nCOPY nothing /leaked\n");
    let bake = format!("target \"default\" {{ tags = [\"{}\"] }}\n", project.name);
    project.write("docker-bake.hcl", &bake).with_compose()
}

fn lend_and_audit(engine: &Engine, project: &Project, command: &[&str]) -> Finished {
    let lent = Key::ed25519("lent");
    let run = engine.lend(&["--audit", "--key", "env:DEPLOY_KEY"]).env("DEPLOY_KEY", lent.private());
    run.args(command).within(project.path()).finish()
}

#[test]
fn by_engines_with_containerds_image_store() {
    for engine in CONTAINERDS.map(Engine::named) {
        let leaked = Key::ed25519("leaked");
        let project = bare(&leaked);
        let two = ["--platform", "linux/amd64,linux/arm64", "--provenance", "mode=max"];
        for command in [
            &["docker", "build", "."][..],
            &["docker", "build", "--tag", &project.name, "."],
            &[&["docker", "buildx", "build"][..], &two, &["."]].concat(),
            &["docker", "buildx", "bake", "--file", "docker-bake.hcl"],
            &["docker", "compose", "build"],
        ] {
            let audit = lend_and_audit(&engine, &project, command).expect_code(116);
            audit.expect(&leaked.fingerprint()).expect("hidden");
        }
    }
}

/// BuildKit's id is then the config's digest, which is no name in that store.
#[test]
fn and_an_id_that_the_engine_does_not_know_is_an_audit_that_failed() {
    for engine in CONTAINERDS.map(Engine::named) {
        let project = bare(&Key::ed25519("leaked"));
        let audit = lend_and_audit(&engine, &project, &["docker", "build", "--provenance", "false", "."]);
        audit.expect_code(117).expect("docker failed to save sha256:");
    }
}

#[test]
fn by_podman_and_buildah() {
    for engine in ["podman", "podman-5"] {
        is_audited(engine, &[&["podman"][..], &BUILD].concat());
        // Without it buildah makes one layer of all steps, and what a step deletes is in none.
        is_audited(engine, &[&["buildah", "build", "--layers"][..], &BUILD[1..]].concat());
    }
}

#[test]
fn and_finds_the_very_key_that_was_lent_in_an_encoding_that_hides_it() {
    let engine = Engine::named("docker-28");
    let hide = "gzip -c /lent | base64 -w 0 | od -A n -v -t x1 >/hidden && rm /lent";
    let build = PrivateBuild::with_steps(&format!("COPY lent /lent\nRUN {hide}\n{{step}} git clone {{url}} /cloned"));
    let PrivateBuild { project, .. } = build;
    let project = project.write("lent", &build.key.private());
    let build = PrivateBuild { project, ..build };
    let command = build.command(&engine);
    let audit = build.lend_with(&engine, &["--audit"]).args(command).within(build.project.path()).finish();
    let fact = format!("this is {}, a key that was lent", build.key.fingerprint());
    audit.expect_code(116).expect(&fact).expect("hidden").expect_not(&build.key.body());
}

#[test]
fn and_a_build_that_leaves_no_key_passes() {
    let engine = Engine::named("docker-28");
    let build = PrivateBuild::new();
    let command = build.command(&engine);
    let audit = build.lend_with(&engine, &["--audit"]).args(command).within(build.project.path()).finish();
    // The base image has the keys that GnuTLS and OpenSSL ship for their self-tests.
    audit.expect_code(0).expect("no private key in 1 image, 2 layers, ").expect("known test key");
}

#[test]
fn and_a_command_that_makes_no_known_image_is_refused_before_it_runs() {
    let engine = Engine::named("docker-28");
    let build = PrivateBuild::new();
    let run = build.lend_with(&engine, &["--audit"]).args(["sh", "-c", "echo it ran"]).finish();
    run.expect_code(110).expect("cannot be told which images").expect_not("it ran");
}
