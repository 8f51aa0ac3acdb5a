//! Tool and project: what would be built, by what. No engine here: a double answers for docker as
//! docker does (`integration/e2e/doctor_*` asks real ones).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::examined::Examined;
use crate::run::place::{Place, ran};

/// What docker 28 and its plugins print; lines of a `case` in front of it win.
const DOCKER_DOUBLE: &str = r#"
"version --format {{json .}}") printf '{"Client":{"Version":"28.5.1"},"Server":{"Version":"28.5.1"}}';;
"version --format {{.Server.Version}}") echo 28.5.1;;
"context inspect --format {{.Endpoints.docker.Host}}") echo "${DOCKER_HOST:-unix:///var/run/docker.sock}";;
"buildx version") echo "github.com/docker/buildx v0.29.1 0000000";;
"compose version --short") echo 2.40.3;;
"info --format {{.SystemTime}}") date -u +%Y-%m-%dT%H:%M:%SZ;;
"build --help") echo "      --build-context stringArray   Additional build contexts";;
*"config --format json"*) printf '{"services":{"app":{"build":{"context":"."}}}}';;
*) echo "docker: no such command: $*" >&2; exit 1;;
"#;

/// A project with a docker of its own in front of everything, or none at all.
struct Project {
    place: Place,
    variables: Vec<(&'static str, String)>,
}

impl Project {
    fn without_docker() -> Self {
        let place = Place::new();
        let bin = place.at("bin");
        fs::create_dir(&bin).unwrap();
        let path = bin.display().to_string();
        Self { place, variables: vec![("PATH", path)] }
    }

    fn with_docker_double(cases: &str) -> Self {
        let project = Self::without_docker();
        let docker = project.place.at("bin/docker");
        fs::write(&docker, format!("#!/bin/sh\nPATH=/usr/bin:/bin\ncase \"$*\" in\n{cases}\n{DOCKER_DOUBLE}\nesac\n"))
            .unwrap();
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
        project
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.place.write(name, text);
        self
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// With a grant by gateway for any host, so that no server is asked.
    #[track_caller]
    fn examined(&self, command: &[&str]) -> Examined {
        self.place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\nrepos = [\"org/repo\"]\n");
        let mut valetkey = self.place.valetkey(&["doctor", "--json"]);
        if !command.is_empty() {
            valetkey.arg("--").args(command);
        }
        let ran = ran(valetkey.envs(self.variables.iter().map(|(name, value)| (name, value))));
        let report = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
        Examined { ran, report }
    }
}

const STEPS: &str = "FROM a AS base\nRUN --mount=type=ssh,required=true git clone x\nUSER app\n\
                     RUN --mount=type=ssh,id=lib git clone y\n";

#[test]
fn the_dockerfile_of_the_folder_is_looked_at_without_a_command() {
    let examined = Project::with_docker_double("").file("Dockerfile", STEPS).examined(&[]);
    examined.is(0).says("command", &["docker build ."]).stands(&[
        ("tool", "ok"),
        ("engine", "ok"),
        ("buildkit", "ok"),
        ("buildx", "ok"),
        ("named-contexts", "ok"),
        ("ssh-step", "ok"),
        ("ssh-step", "warning"),
    ]);
    examined.says("ssh-step", &["Dockerfile line 2: ssh id default, required"]);
    examined.says("ssh-step", &["line 4: ssh id lib, not required, as USER app", "mode=0666"]);
    examined.says("build", &["no grant has the ssh id `lib`"]).says("engine-clock", &["is the same"]);
}

#[test]
fn what_keeps_a_step_from_the_guest_is_said_in_words() {
    let text = "FROM a\nENV GIT_SSH=/usr/bin/ssh\nRUN --mount=type=ssh git clone x\n";
    let examined = Project::with_docker_double("").file("Dockerfile", text).examined(&["docker", "build", "."]);
    examined.is(0).says("build", &["line 2: GIT_SSH makes Git use another ssh than the guest"]).lacks("command");
    let none = Project::with_docker_double("").file("Dockerfile", "FROM a\nRUN make\n").examined(&[]);
    none.is(0).says("build", &["no step has --mount=type=ssh"]);
}

#[test]
fn a_dockerfile_that_is_not_there_or_that_the_gateway_cannot_serve() {
    let project = Project::with_docker_double("");
    let examined = project.examined(&["docker", "build", "-f", "other/Dockerfile", "."]);
    examined.is(113).says("build", &["failed to read", "other/Dockerfile"]);
    let taken = Project::with_docker_double("").file("Dockerfile", "FROM a AS valetkey\nRUN --mount=type=ssh x\n");
    taken.examined(&[]).is(113).says("build", &["uses the name \"valetkey\"", "another name"]);
}

#[test]
fn an_engine_that_does_not_answer_is_told_and_the_project_is_read_all_the_same() {
    let gone = r#""version --format {{json .}}") printf '{"Client":{"Version":"28.5.1"},"Server":null}'
        echo 'Cannot connect to the Docker daemon at tcp://far:1. Is it running?' >&2; exit 1;;"#;
    let project = Project::with_docker_double(gone).file("Dockerfile", STEPS).env("DOCKER_HOST", "tcp://far:1");
    let examined = project.examined(&[]);
    examined.is(113).stands(&[
        ("tool", "ok"),
        ("engine", "failure"),
        ("buildx", "ok"),
        ("ssh-step", "ok"),
        ("ssh-step", "warning"),
    ]);
    examined
        .says("engine", &["no engine answers at tcp://far:1", "Is it running?", "DOCKER_HOST"])
        .lacks("engine-clock");
}

#[test]
fn an_engine_that_is_silent_is_left_at_the_time_limit() {
    let silent =
        r#""version --format {{json .}}") exec sleep 600;; "--version") echo 'Docker version 28.5.1, build 0';;"#;
    let project = Project::with_docker_double(silent).file("Dockerfile", STEPS);
    let mut valetkey = project.place.valetkey(&["doctor", "--key", "env:KEY", "--timeout", "3s"]);
    let ran = ran(valetkey.envs(project.variables.iter().map(|(name, value)| (name, value))));
    ran.is(113)
        .shows(&["docker 28.5.1", "no engine answers at unix:///var/run/docker.sock: no answer within the time limit"]);
}

#[test]
fn a_remote_engine_is_said_and_a_clock_that_differs_too() {
    let late = r#""info --format {{.SystemTime}}") echo 2020-01-01T00:00:00Z;;"#;
    let project = Project::with_docker_double(late).file("Dockerfile", STEPS).env("DOCKER_HOST", "ssh://me@far");
    let examined = project.examined(&[]);
    examined.is(0).says("engine", &["at ssh://me@far", "another machine", "your own agent"]);
    examined.stands(&[("engine-clock", "warning")]).says("engine-clock", &["seconds away"]);
}

#[test]
fn a_docker_without_named_contexts_or_buildkit_is_told_once() {
    let old = r#""version --format {{json .}}") printf '{"Client":{"Version":"20.10.24"},"Server":{"Version":"20.10.24"}}';;
        "build --help") echo "no such flag";; "buildx version") exit 1;;"#;
    let examined = Project::with_docker_double(old).file("Dockerfile", STEPS).examined(&[]);
    examined.is(113).stands(&[("buildx", "ok"), ("named-contexts", "failure")]);
    examined.says("named-contexts", &["too old", "--lend agent"]).says("ssh-step", &["line 2"]);
    let project = Project::with_docker_double("").file("Dockerfile", STEPS).env("DOCKER_BUILDKIT", "0");
    project.examined(&[]).is(113).says("buildkit", &["DOCKER_BUILDKIT=0", "unset"]);
}

#[test]
fn composes_files_are_named_and_held_against_compose_itself() {
    let compose = "services: {app: {build: .}}\n";
    let project =
        Project::with_docker_double("").file("compose.yaml", compose).file("compose.override.yaml", "services: {}\n");
    let examined = project.file("Dockerfile", STEPS).examined(&[]);
    examined.is(0).says("command", &["docker compose build"]).says("compose", &["Compose 2.40.3"]);
    examined.says("compose-files", &["/compose.yaml, ", "/compose.override.yaml", "accepts them"]);
    examined.says("ssh-step", &["docker compose build, service app", "line 2"]);
    let broken = r#"*"config --format json"*|*config*) echo "yaml: line 3: did not find expected key" >&2; exit 15;;"#;
    let project = Project::with_docker_double(broken).file("compose.yaml", compose);
    project.examined(&[]).is(113).stands(&[("compose-files", "failure")]).says("compose-files", &["yaml: line 3"]);
}

#[test]
fn a_tool_that_is_not_there_and_a_program_that_is_none() {
    let examined = Project::without_docker().file("Dockerfile", STEPS).examined(&["docker", "build", "."]);
    examined.is(127).stands(&[("tool", "failure"), ("build", "not checked"), ("key", "ok")]);
    examined.says("tool", &["there is no program docker", "PATH"]);
    Project::without_docker().examined(&["make", "image"]).is(127).says("tool", &["there is no program make"]);
    let project = Project::with_docker_double("");
    let examined = project.examined(&["/bin/sh", "build.sh"]);
    examined.is(0).stands(&[("tool", "warning")]).says("tool", &["/bin/sh is no builder", "SSH_AUTH_SOCK"]);
    project
        .examined(&[])
        .is(0)
        .stands(&[("tool", "not checked")])
        .says("tool", &["neither a Compose file nor a Dockerfile"]);
}

#[test]
fn a_dockerfile_on_stdin_is_read_once() {
    let project = Project::with_docker_double("");
    let text = project.place.write("elsewhere", STEPS);
    project.place.write("valetkey.toml", "[[grant]]\nkey = \"env:KEY\"\nrepos = [\"org/repo\"]\n");
    let mut valetkey = project.place.valetkey(&["doctor", "--", "docker", "build", "-"]);
    valetkey.stdin(fs::File::open(text).unwrap()).envs(project.variables.iter().map(|(name, value)| (name, value)));
    ran(&mut valetkey).is(0).shows(&["line 2: ssh id default, required"]);
}

#[test]
fn what_a_tool_says_cannot_write_to_the_terminal() {
    let evil = r#""version --format {{json .}}") printf '\033[2J\007evil\r' >&2; exit 1;;"#;
    let project = Project::with_docker_double(evil).file("Dockerfile", STEPS);
    let mut valetkey = project.place.valetkey(&["doctor", "--key", "env:KEY"]);
    let ran = ran(valetkey.envs(project.variables.iter().map(|(name, value)| (name, value))));
    ran.is(113).shows(&["does not tell its version", "evil"]).never_says(&["\x1b", "\x07", "\r"]);
}
