//! The files in integration/{gitlab,buildkite,circleci,jenkins} that users copy: their scripts, taken
//! out of those very files, run in the shells and with the secrets of their systems, build what only
//! the secret key opens. The systems themselves are doubles of a few lines.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use valetkey_integration::private_build::private_text;
use valetkey_integration::yaml::Yaml;
use valetkey_integration::{Engine, Finished, PrivateBuild, Run, RuntimeFolder, folder};

/// A build by Compose whose `pytest` shows what was cloned, and what a job's system knows.
struct Job {
    build: PrivateBuild,
    engine: Engine,
    place: RuntimeFolder,
    secrets: TempDir,
}

impl Job {
    fn new() -> Self {
        let pytest = "RUN printf '#!/bin/sh\\ncat /cloned/omnibus/__init__.py\\n' > /usr/bin/pytest && chmod 755 /usr/bin/pytest";
        let build = PrivateBuild::with_steps(&format!("{pytest}\n{{step}} git clone {{url}} /cloned"));
        let known_hosts = format!("known_hosts = \"{}\"\n", build.server.known_hosts().display());
        let project = build.project.with_compose().write("valetkey.toml", &known_hosts);
        let build = PrivateBuild { project, ..build };
        let secrets = tempfile::tempdir().expect("a folder");
        Self { build, engine: Engine::named("docker-28"), place: RuntimeFolder::new(), secrets }
    }

    /// The key as a file of this mode.
    fn key_file(&self, mode: u32) -> PathBuf {
        let path = self.secrets.path().join("DEPLOY_KEY");
        fs::write(&path, self.build.key.private()).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        path
    }

    /// A shell of the system in the checkout, where `valetkey` and Docker are.
    fn shell(&self, words: &[&str]) -> Run {
        // Its own script only sets up the PATH that the system's shell gets.
        let run = self.engine.job("exec \"$@\"").arg("job").args(words);
        run.env("XDG_RUNTIME_DIR", self.place.path()).within(self.build.project.path())
    }

    /// The build went well by one login, and nothing is left.
    #[track_caller]
    fn expect_built(&self, finished: &Finished) {
        assert!(finished.output().contains(&self.build.bound()), "{}", finished.report());
        assert_eq!(self.build.server.accepted(), 1, "{}", finished.report());
        assert!(!self.build.key.is_in(finished.output().as_bytes()), "{}", finished.report());
        self.place.expect_no_process();
        // Beside leases there may be the folder of what ended ones said.
        let leases: Vec<_> = self.place.leases().into_iter().filter(|path| !path.ends_with("ended")).collect();
        assert!(leases.is_empty(), "{leases:?}");
    }

    #[track_caller]
    fn expect_tested(&self, finished: &Finished) {
        assert!(finished.stdout.contains(&private_text()), "{}", finished.report());
        self.expect_built(finished);
    }

    fn receipt(&self) -> String {
        fs::read_to_string(self.build.project.file("receipt.json")).expect("a receipt")
    }
}

fn copied(name: &str) -> PathBuf {
    folder().join(name)
}

fn script(file: &Yaml, keys: &[&str]) -> Vec<String> {
    file.list(keys).iter().map(|line| line.as_text().expect("a command").to_owned()).collect()
}

/// As GitLab's runner has it: commands in the last part of a pipe, in a shell that stops at errors.
fn gitlab(lines: &[String]) -> String {
    let quoted = lines.join("\n").replace('\'', r"'\''");
    format!(
        "if set -o | grep pipefail > /dev/null; then set -o pipefail; fi; set -o errexit\nset +o noclobber\n: | eval '{quoted}'\nexit 0\n"
    )
}

#[test]
fn gitlab_with_one_command_that_builds() {
    for shell in ["bash", "sh"] {
        let job = Job::new();
        let file = Yaml::read(&copied("gitlab/valetkey.gitlab-ci.yml"));
        let lines = script(&file, &["test", "script"]);
        // What a runner in a container makes of a variable of the type File.
        let run = job.shell(&[shell, "-c", &gitlab(&lines)]).env("DEPLOY_KEY", job.key_file(0o666));
        let finished = run.succeed();
        job.expect_tested(&finished);
        assert!(job.receipt().contains(&job.build.key.fingerprint()));
    }
}

#[test]
fn gitlab_with_a_script_that_builds_and_another_shell_behind_it() {
    for (shell, fails) in [("bash", false), ("sh", false), ("bash", true)] {
        let job = Job::new();
        let file = Yaml::read(&copied("gitlab/valetkey.gitlab-ci.yml"));
        let (before, main) = (script(&file, &["image", "before_script"]), script(&file, &["image", "script"]));
        assert!(main[0].starts_with("docker build "), "{main:?}");
        let mut main = [before, main].concat();
        main.iter_mut().for_each(|line| *line = line.replacen("docker build ", "docker build --network host ", 1));
        if fails {
            main.push("exit 3".into());
        }
        let key = job.key_file(0o666);
        let finished = job.shell(&[shell, "-c", &gitlab(&main)]).env("DEPLOY_KEY", &key).finish();
        assert_eq!(finished.code, if fails { 3 } else { 0 }, "{}", finished.report());
        let finished = finished.expect("no private key in 1 image");
        let after = script(&file, &["image", "after_script"]);
        let ended = job.shell(&[shell, "-c", &gitlab(&after)]).env("DEPLOY_KEY", &key).succeed();
        job.expect_built(&ended.expect("the lease ended with its job"));
        assert!(!job.build.key.is_in(finished.output().as_bytes()));
        assert!(job.receipt().contains("\"ended_by\": \"job\""), "{}", job.receipt());
    }
}

/// As the agent has it: a process that runs hooks and commands, each a child of its own, and passes
/// on what a hook did to its environment.
const BUILDKITE: &str = r#"set -e
hook() { bash -c '. "$0"; env -0 > "$1"' "$1" "$STATE/after"; mapfile -d '' -t all < "$STATE/after"; }
mapfile -d '' -t all < <(env -0)
hook "$1/pre-command"
status=0
env -i "${all[@]}" bash -e -c "$2" || status=$?
env -i "${all[@]}" bash -c '. "$0"' "$1/pre-exit"
exit "$status""#;

fn buildkite(job: &Job, command: &str) -> Finished {
    let agent = job.secrets.path().join("buildkite-agent");
    symlink(job.engine.find("bash").expect("bash"), &agent).expect("a link");
    let hooks = copied("buildkite/hooks");
    let words = [agent.to_str().unwrap(), "-c", BUILDKITE, "agent", hooks.to_str().unwrap(), command];
    let run = job.shell(&words).env("STATE", job.secrets.path());
    run.env("BUILDKITE", "true").env("DEPLOY_KEY", job.build.key.private()).finish()
}

#[test]
fn buildkite_with_a_command_that_builds() {
    let job = Job::new();
    let file = Yaml::read(&copied("buildkite/pipeline.yml"));
    assert_eq!(file.text(&["steps", "0", "secrets", "0"]).as_deref(), Some("DEPLOY_KEY"));
    let command = file.text(&["steps", "0", "command"]).expect("a command");
    let run = job.shell(&["bash", "-e", "-c", &command]).env("DEPLOY_KEY", job.build.key.private());
    job.expect_tested(&run.succeed());
}

#[test]
fn buildkite_with_hooks_around_what_a_plugin_builds() {
    let job = Job::new();
    let finished = buildkite(&job, "[[ -z ${DEPLOY_KEY-} ]]; docker compose run --rm -T app pytest");
    assert_eq!(finished.code, 0, "{}", finished.report());
    job.expect_tested(&finished);

    let job = Job::new();
    let finished = buildkite(&job, "docker compose build; exit 3");
    assert_eq!(finished.code, 3, "{}", finished.report());
    job.expect_built(&finished);
}

#[test]
fn circleci_with_a_variable_of_a_context() {
    // A value of several lines is kept as base64 there.
    for encode in [false, true] {
        let job = Job::new();
        let file = Yaml::read(&copied("circleci/config.yml"));
        let steps = file.list(&["jobs", "test", "steps"]);
        let command = steps.last().and_then(|step| step.text(&["run"])).expect("a command");
        let encoded = || Run::new("base64").args(["-w", "0"]).arg(job.build.key.path()).succeed().stdout;
        let value = if encode { encoded() } else { job.build.key.private() };
        let run = job.shell(&["/bin/bash", "-eo", "pipefail", "-c", &command]).env("SSH_PRIVATE_KEY", value);
        job.expect_tested(&run.env("CIRCLECI", "true").succeed());
    }
}

#[test]
fn jenkins_with_credentials_in_a_file() {
    let job = Job::new();
    let text = fs::read_to_string(copied("jenkins/Jenkinsfile")).expect("a Jenkinsfile");
    assert!(text.contains("keyFileVariable: 'DEPLOY_KEY'"));
    // Single quotes: what is in them is the shell's, and no secret goes through Groovy.
    let command = text.split("sh '").nth(1).and_then(|rest| rest.split('\'').next()).expect("a step");
    let file = job.secrets.path().join("script.sh");
    fs::write(&file, command).expect("a script");
    let run = job.shell(&["sh", "-xe", file.to_str().unwrap()]).env("DEPLOY_KEY", job.key_file(0o400));
    job.expect_tested(&run.succeed());
    assert!(job.receipt().contains(&job.build.key.fingerprint()));
}

/// What is asked of every file that users copy: no key, no path of one machine.
#[test]
fn and_each_of_them_is_clean_for_its_own_checker() {
    let hooks = ["pre-command", "pre-exit"].map(|name| copied("buildkite/hooks").join(name));
    Run::new("shellcheck").args(&hooks).succeed();
    for hook in &hooks {
        assert!(fs::metadata(hook).expect("a hook").permissions().mode() & 0o111 != 0, "{}", hook.display());
    }
    let modules = fs::read_dir(copied("github")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let modules: Vec<PathBuf> = modules.filter(|path| is_module(path)).collect();
    assert!(modules.len() >= 5, "{modules:?}");
    for module in modules {
        Run::new("node").arg("--check").arg(module).succeed();
    }
    let file = Yaml::read(&copied("gitlab/valetkey.gitlab-ci.yml"));
    for (job, part) in [("test", "script"), ("image", "before_script"), ("image", "after_script")] {
        let script = TempDir::new().expect("a folder");
        let path = script.path().join("script.sh");
        fs::write(&path, self::script(&file, &[job, part]).join("\n")).expect("a script");
        Run::new("shellcheck").args(["--shell", "sh"]).arg(path).succeed();
    }
}

fn is_module(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "js")
}
