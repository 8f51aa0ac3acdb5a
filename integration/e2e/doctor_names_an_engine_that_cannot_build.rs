//! `valetkey doctor` where the engine is not there, or too old for the gateway: it says so before a
//! build, with the exit code that `run` would have, and checks everything else all the same.

use valetkey_integration::{Engine, Finished, GatewayBuild};

const STEP: &str = "{step} git clone {url} /cloned";

fn doctor(engine: &Engine, build: &GatewayBuild, flags: &[&str], variables: &[(&str, &str)]) -> Finished {
    let run = engine.valetkey(&["doctor"]).args(flags).arg("--").args(build.command(engine));
    let run = variables.iter().fold(run, |run, (name, value)| run.env(name, value));
    run.env("DEPLOY_KEY", build.key.private()).within(build.project.path()).finish()
}

#[test]
fn an_engine_that_is_not_there() {
    for name in ["docker-20.10", "docker-28"] {
        let (engine, build) = (Engine::named(name), GatewayBuild::with_steps(STEP));
        let dead = format!("unix://{}/nobody.sock", build.project.path().display());
        let flags: &[&str] = if name == "docker-28" { &[] } else { &["--lend", "agent"] };
        let finished = doctor(&engine, &build, flags, &[("DOCKER_HOST", &dead)]).expect_code(113);
        // Their own words differ: 20.10 says it in one of two ways.
        let finished =
            finished.expect(&format!("no engine answers at {dead}")).expect("annot connect to the Docker daemon");
        finished.expect("ssh id default").expect("can be read").expect("1 failure");
        // The control: it is the engine alone.
        doctor(&engine, &build, flags, &[]).expect_code(0);
    }
}

#[test]
fn docker_20_is_too_old_for_the_gateway_and_not_for_the_agent() {
    let (engine, build) = (Engine::named("docker-20.10"), GatewayBuild::with_steps(STEP));
    let finished =
        doctor(&engine, &build, &[], &[]).expect_code(113).expect("docker 20.10").expect("too old for named contexts");
    finished.expect("--lend agent").expect("line ").expect("can be read").expect("1 failure");
    doctor(&engine, &build, &["--lend", "agent"], &[]).expect_code(0).expect("no grant asks for them");
}

#[test]
fn a_builder_that_forwards_no_agent() {
    let (engine, build) = (Engine::named("docker-28"), GatewayBuild::with_steps(STEP));
    let finished = doctor(&engine, &build, &[], &[("DOCKER_BUILDKIT", "0")]).expect_code(113);
    finished.expect("DOCKER_BUILDKIT=0 selects the legacy builder").expect("unset DOCKER_BUILDKIT");
}
