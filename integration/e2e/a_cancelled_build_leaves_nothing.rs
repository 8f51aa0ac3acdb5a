//! Ctrl-C on a terminal, and SIGTERM to valetkey alone, while a step runs: the step ends, the
//! exit code is the tool's own, and no socket, folder or process is left.

use std::io::Write as _;
use std::process::{ChildStdin, Stdio};

use valetkey_integration::{Engine, Key, Project, Run, RuntimeFolder, WaitingStep, process, valetkey};

/// How a build is cancelled.
#[derive(Clone, Copy)]
enum Cancelled {
    /// Ctrl-C, typed on a terminal.
    CtrlC,
    /// SIGTERM, to the one process that was started.
    Term,
}

struct Case<'a> {
    engine: &'a Engine,
    key: &'a Key,
    cancelled: Cancelled,
    tool: &'a [&'a str],
}

impl Case<'_> {
    /// The exit code of the tool, alone or with the key lent to it.
    fn code(&self, lent: bool) -> i32 {
        let step = WaitingStep::new();
        let mut project = Project::new();
        let steps = format!("RUN --mount=type=ssh : {} && {}\n", project.name, step.command());
        project = project.write("Dockerfile", &format!("FROM valetkey-test/python:latest\n{steps}")).with_compose();
        let runtime = RuntimeFolder::new();

        let mut words = self.tool.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        if lent {
            let lend = ["run", "--key", &self.key.source(), "--"].map(str::to_owned);
            words = [vec![valetkey().to_str().unwrap().to_owned()], lend.to_vec(), words].concat();
        }
        let run = match self.cancelled {
            // `exec`: Ctrl-C is for the tool, not for a shell around it.
            Cancelled::CtrlC => {
                self.engine.command("script").args(["-qefc", &format!("exec {}", words.join(" ")), "/dev/null"])
            }
            Cancelled::Term => self.engine.command(&words[0]).args(&words[1..]),
        };
        let mut child = run.env("XDG_RUNTIME_DIR", runtime.path()).stdin(Stdio::piped()).within(project.path()).spawn();
        let stdin = child.stdin.take();
        let mut arrived = step.arrived();
        assert_eq!(arrived.identities, if lent { self.key.public() } else { "none\n".to_owned() });
        assert_eq!(runtime.leases().len(), usize::from(lent), "a lease that runs has its folder");

        match self.cancelled {
            Cancelled::CtrlC => press(stdin.as_ref(), b"\x03"),
            Cancelled::Term => drop(Run::new("kill").args(["-TERM", &child.id().to_string()]).succeed()),
        }
        let finished = process::finish(child, &words.join(" "));
        match self.engine.tool() {
            "docker" => arrived.expect_end(),
            // podman alone leaves its step behind at times; it must find nobody.
            _ => arrived.expect_no_identity(),
        }
        assert_eq!(runtime.leases(), Vec::<std::path::PathBuf>::new(), "{}", finished.report());
        runtime.expect_no_process();
        if lent {
            // It came to its own end: the summary is there.
            assert!(finished.output().contains("the lease is over after"), "{}", finished.report());
        }
        finished.code
    }
}

fn press(terminal: Option<&ChildStdin>, keys: &[u8]) {
    let mut terminal = terminal.expect("a terminal");
    terminal.write_all(keys).expect("a terminal that listens");
}

fn leaves_nothing(engine: &str, cancelled: Cancelled, tool: &[&str]) {
    let (engine, key) = (Engine::named(engine), Key::ed25519("lent"));
    let case = Case { engine: &engine, key: &key, cancelled, tool };
    let (alone, lent) = (case.code(false), case.code(true));
    assert_ne!(alone, 0, "the tool alone was not cancelled");
    assert_eq!(lent, alone, "the exit code is not the tool's own");
}

const DOCKER: [&str; 5] = ["docker", "build", "--network", "host", "."];
const COMPOSE: [&str; 3] = ["docker", "compose", "build"];
const PODMAN: [&str; 5] = ["podman", "build", "--network", "host", "."];

#[test]
fn after_ctrl_c_with_docker_28() {
    leaves_nothing("docker-28", Cancelled::CtrlC, &DOCKER);
}

#[test]
fn after_ctrl_c_with_docker_20() {
    leaves_nothing("docker-20.10", Cancelled::CtrlC, &DOCKER);
}

#[test]
fn after_ctrl_c_with_compose_2_40() {
    leaves_nothing("docker-28", Cancelled::CtrlC, &COMPOSE);
}

#[test]
fn after_ctrl_c_with_compose_2_26() {
    leaves_nothing("docker-26", Cancelled::CtrlC, &COMPOSE);
}

#[test]
fn after_ctrl_c_with_podman_5() {
    leaves_nothing("podman-5", Cancelled::CtrlC, &PODMAN);
}

#[test]
fn after_sigterm_with_docker_28() {
    leaves_nothing("docker-28", Cancelled::Term, &DOCKER);
}

#[test]
fn after_sigterm_with_compose_2_40() {
    leaves_nothing("docker-28", Cancelled::Term, &COMPOSE);
}

#[test]
fn after_sigterm_with_compose_2_26() {
    leaves_nothing("docker-26", Cancelled::Term, &COMPOSE);
}
