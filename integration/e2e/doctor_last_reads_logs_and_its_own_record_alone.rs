//! On a terminal a build's output is its own: the doctor goes by the Dockerfiles then, and by the
//! log that BuildKit keeps where it is given that. A record that another user wrote is refused.

use std::fs;
use std::process::Stdio;

use valetkey_integration::project::SSH_STEP;
use valetkey_integration::user::run_as;
use valetkey_integration::{Doctor, Engine, Key, PrivateBuild, valetkey};

#[test]
fn a_build_on_a_terminal_is_explained_by_the_log_that_buildkit_kept() {
    let engine = Engine::named("docker-28");
    let doctor = Doctor::of(&engine);
    let steps = format!("{SSH_STEP} true\nRUN {{fresh}} git clone {{url}} /cloned");
    let build = PrivateBuild::with_steps(&steps);
    let known_hosts = build.server.known_hosts();
    let program = valetkey();
    let words = [
        &[program.to_str().expect("UTF-8"), "run", "--key", "env:DEPLOY_KEY", "--known-hosts"][..],
        &[known_hosts.to_str().expect("UTF-8"), "--"],
        &build.command(&engine),
    ]
    .concat();
    let run = engine.command("script").args(["-qefc", &format!("exec {}", words.join(" ")), "/dev/null"]);
    let run = run.env("DEPLOY_KEY", build.key.private()).within(build.project.path());
    let finished = doctor.recording(run).finish().expect_failure();
    let finished = finished.expect("valetkey: perhaps the step on line 3 of Dockerfile has no ssh mount; ");
    doctor.is_told(&finished, "no-mount", "possible");
    doctor.last(&[]).succeed().expect("note: the command's output went to a terminal");

    let log = engine.command("docker").args(["buildx", "history", "logs", "--progress", "plain"]).succeed();
    let file = build.project.file("log");
    fs::write(&file, log.output()).expect("a file");
    for told in [
        doctor.last(&["--output", file.to_str().expect("UTF-8")]),
        doctor.last(&["--output", "-"]).stdin(Stdio::from(fs::File::open(&file).expect("the log"))),
    ] {
        let told = told.succeed().expect("the step on line 3 of Dockerfile has no ssh mount (certain, no-mount)");
        told.expect_not("terminal");
    }
}

#[test]
fn a_record_that_another_user_planted_is_refused() {
    let folder = tempfile::Builder::new().prefix("valetkey-shared.").tempdir().expect("a folder");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(folder.path(), mode(0o1777)).expect("a mode");
    let script = |user: &str, script: &str| {
        let script = format!("export XDG_STATE_HOME={}; {script}", folder.path().display());
        let run = run_as(user, "sh").args(["-ec", &script]).within(folder.path());
        run.env("DEPLOY_KEY", Key::ed25519("deploy").private())
    };
    let valetkey = valetkey();
    let valetkey = valetkey.display();
    let runs = format!("{valetkey} run --no-config --key env:DEPLOY_KEY -- sh -c 'exit 5'");
    // The stranger's own is fine, and everyone may read it.
    script("stranger", &runs).finish().expect_code(5);
    script("stranger", &format!("{valetkey} doctor --last; chmod 755 valetkey; chmod 644 valetkey/last.json"))
        .succeed();
    let doctor = script("valet", &format!("{valetkey} doctor --last")).finish().expect_code(114);
    doctor.expect("last.json: it is not a file of your own").expect("hint: ");
    // And where it cannot be replaced, the run goes on.
    script("valet", &runs).finish().expect_code(5).expect("says more");
}
