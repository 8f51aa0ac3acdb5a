//! `--ssh default=/path` of the user's own is not touched, and a warning says so. The path is a
//! stock agent's socket: the step sees that agent's key, and not the lent one.

use valetkey_integration::{Engine, Key, Project, SshAgent};

struct Case {
    own: Key,
    lent: Key,
    agent: SshAgent,
    project: Project,
}

impl Case {
    fn new() -> Self {
        let own = Key::ed25519("own");
        let agent = SshAgent::with(&[&own]);
        let project = Project::new();
        let steps = format!("RUN --mount=type=ssh : {} && ssh-add -L > /seen", project.name);
        let project = project.write("Dockerfile", &format!("FROM valetkey-test/python:latest\n{steps}\n"));
        Self { own, lent: Key::ed25519("lent"), agent, project }
    }

    fn stays(&self, engine: &Engine, command: &[&str], image: &str) {
        let lend = engine.lend(&["--key", &self.lent.source()]).args(command).within(self.project.path());
        let socket = self.agent.socket();
        let warning = format!("the ssh id `default` stays at {} as typed", socket.display());
        lend.succeed().expect(&warning).expect("do not reach the lease").expect("signed no login");
        assert_eq!(engine.in_image(image, &["cat", "/seen"]).succeed().stdout, self.own.public());
    }

    fn typed_as_flag(&self, engine: &str) {
        let engine = Engine::named(engine);
        let ssh = format!("default={}", self.agent.socket().display());
        let name = &self.project.name;
        self.stays(&engine, &[engine.tool(), "build", "--network=host", "--ssh", &ssh, "-t", name, "."], name);
    }

    fn typed_in_compose_yaml(self, engine: &str) {
        let socket = self.agent.socket();
        let build = format!("{{context: ., network: host, ssh: [\"default={}\"]}}", socket.display());
        let text = format!("name: {}\nservices: {{app: {{build: {build}}}}}\n", self.project.name);
        let case = Self { project: self.project.write("compose.yaml", &text), ..self };
        case.stays(&Engine::named(engine), &["docker", "compose", "build"], &case.project.service_image());
    }
}

#[test]
fn on_the_command_line_of_docker_20() {
    Case::new().typed_as_flag("docker-20.10");
}

#[test]
fn on_the_command_line_of_docker_28() {
    Case::new().typed_as_flag("docker-28");
}

#[test]
fn on_the_command_line_of_podman_5() {
    Case::new().typed_as_flag("podman-5");
}

#[test]
fn in_the_file_of_compose_2_26() {
    Case::new().typed_in_compose_yaml("docker-26");
}

#[test]
fn in_the_file_of_compose_2_40() {
    Case::new().typed_in_compose_yaml("docker-28");
}
