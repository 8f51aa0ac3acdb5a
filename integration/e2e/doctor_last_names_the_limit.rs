//! `doctor --last` says that the budget or the time limit was over before the build was.

use valetkey_integration::{Doctor, Engine, GatewayBuild, PrivateBuild};

const ENGINE: &str = "docker-28";

#[test]
fn of_logins() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps("{step} git clone {url} /first && git clone {url} /second");
    let run = build.lend_with(&engine, &["--max-signatures", "1"]).args(build.command(&engine));
    doctor.explains(run, "budget", "certain");
}

#[test]
fn of_logins_through_the_gateway() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = GatewayBuild::with_steps("{step} git clone {url} /first && git clone {url} /second");
    let run = build.lend_with(&engine, &["--max-signatures", "1"]).args(build.command(&engine));
    doctor.explains(run, "budget", "certain");
}

#[test]
fn of_time() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    // The step waits for the end of the lease, and not for a time: then nobody answers.
    let wait = "i=0; while ssh-add -l >/dev/null 2>&1 && [ $i -lt 2000 ]; do i=$((i+1)); sleep 0.1; done";
    let build = PrivateBuild::with_steps(&format!("{{step}} {wait}; git clone {{url}} /cloned"));
    let run = build.lend_with(&engine, &["--time-limit", "3s"]).args(build.command(&engine));
    doctor.explains(run, "time-limit", "likely");
}
