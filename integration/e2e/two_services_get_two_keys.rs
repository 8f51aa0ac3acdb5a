//! `--key app=… --key lib=…`: each ssh id reaches its own key and no other. The server lets each
//! key in to one repository, so what was cloned says which key was used.

use valetkey_integration::{Engine, Finished, GitServer, Key, Project, engine::BASE_IMAGE};

/// Two keys, and a server with a repository for each.
struct Two {
    app: Key,
    lib: Key,
    server: GitServer,
}

impl Two {
    fn new() -> Self {
        let two = Self { app: Key::ed25519("app"), lib: Key::ed25519("lib"), server: GitServer::up() };
        for (name, key) in [("app", &two.app), ("lib", &two.lib)] {
            let source = Project::new().write("which", name);
            two.server.add_repository(&format!("platform/{name}.git"), source.path());
            two.server.authorize_only(key, &format!("platform/{name}.git"));
        }
        two
    }

    /// A step that clones the repository with the ssh id. The key's name keeps it from every cache.
    fn step(&self, id: &str, repository: &str) -> String {
        let mounts = format!(
            "--mount=type=ssh,id={id} --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444"
        );
        format!(
            "RUN {mounts} git clone {} /cloned/{repository}\n",
            self.server.url(&format!("platform/{repository}.git"))
        )
    }

    fn run(&self, engine: &Engine, project: &Project, command: &[&str]) -> Finished {
        let (app, lib) = (format!("app={}", self.app.source()), format!("lib={}", self.lib.source()));
        let known_hosts = self.server.known_hosts();
        let flags = ["--key", &app, "--key", &lib, "--known-hosts", known_hosts.to_str().unwrap()];
        engine.lend(&flags).args(command).within(project.path()).finish()
    }

    fn expect_both(&self, finished: Finished) {
        let bound =
            |key: &Key| format!("signed 1 login with {}, bound to [127.0.0.1]:{}", key.fingerprint(), self.server.port);
        let finished = finished.expect_code(0).expect(&bound(&self.app)).expect(&bound(&self.lib));
        assert_eq!(self.server.accepted(), 2, "{}\n{}", self.server.log(), finished.report());
    }
}

fn composed(engine: &str) {
    let (engine, two) = (Engine::named(engine), Two::new());
    let service = |name: &str| format!("  {name}:\n    build: {{context: {name}, network: host}}\n");
    let project = Project::new();
    let compose = format!("name: {}\nservices:\n{}{}", project.name, service("app"), service("lib"));
    let dockerfile = |name: &str| format!("FROM {BASE_IMAGE}\n{}", two.step(name, name));
    let project = project
        .write("compose.yaml", &compose)
        .write("app/Dockerfile", &dockerfile("app"))
        .write("lib/Dockerfile", &dockerfile("lib"));
    two.expect_both(two.run(&engine, &project, &["docker", "compose", "build"]));
    for name in ["app", "lib"] {
        let shown =
            engine.in_image(&format!("{}-{name}", project.name), &["cat", &format!("/cloned/{name}/which")]).succeed();
        assert_eq!(shown.stdout, name);
    }
}

/// Two steps of one Dockerfile.
fn built(engine: &str) {
    let (engine, two) = (Engine::named(engine), Two::new());
    let project = Project::with_steps(&(two.step("app", "app") + &two.step("lib", "lib")));
    let command = [engine.tool(), "build", "--network", "host", "--tag", &project.name, "."];
    two.expect_both(two.run(&engine, &project, &command));
    let shown = engine.in_image(&project.name, &["cat", "/cloned/app/which", "/cloned/lib/which"]).succeed();
    assert_eq!(shown.stdout, "applib");
}

#[test]
fn with_docker_28_and_compose_2_40() {
    composed("docker-28");
}

#[test]
fn with_docker_26_and_compose_2_26() {
    composed("docker-26");
}

#[test]
fn in_two_steps_with_docker_20() {
    built("docker-20.10");
}

#[test]
fn in_two_steps_with_podman_4() {
    built("podman");
}

#[test]
fn in_two_steps_with_podman_5() {
    built("podman-5");
}

/// The control: the other id logs in with the other key, whom the server does not let in there.
#[test]
fn and_the_other_id_has_only_the_other_key() {
    let (engine, two) = (Engine::named("docker-28"), Two::new());
    let project = Project::with_steps(&two.step("lib", "app"));
    let finished = two.run(&engine, &project, &["docker", "build", "--network", "host", "."]).expect_failure();
    let lib = format!("signed 1 login with {}", two.lib.fingerprint());
    finished
        .expect("refused: platform/app.git, with this key")
        .expect(&lib)
        .expect_not(&format!("login with {}", two.app.fingerprint()));
}
