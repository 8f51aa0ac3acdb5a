//! An engine behind TCP or SSH (`DOCKER_HOST=tcp://…`, `ssh://…`): the guest and the tunnel travel
//! with the build, and nothing else changes.

use std::net::TcpListener;
use std::process::Child;

use valetkey_integration::{Engine, GatewayBuild, Key, Run, SshAgent, SshEngine};

/// A way to the engine's socket through TCP, gone when dropped.
struct Listener {
    child: Child,
    port: u16,
}

impl Listener {
    fn to(engine: &Engine) -> Self {
        let socket = engine.var("DOCKER_HOST").trim_start_matches("unix://").to_owned();
        // Free now, and asked for at once.
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork");
        let mut child = Run::new("socat").args(["-d", "-d"]).arg(listen).arg(format!("UNIX-CONNECT:{socket}")).spawn();
        // It says on stderr when it listens.
        let line = valetkey_integration::held::first_line(child.stderr.as_mut().expect("a pipe"));
        assert!(line.contains("listening"), "socat: {line}");
        Self { child, port }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_served(command: &[&str]) {
    let engine = Engine::named("docker-28");
    let listener = Listener::to(&engine);
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned").with_compose();
    let host = format!("tcp://127.0.0.1:{}", listener.port);
    build.check(build.lend(&engine).args(command).env("DOCKER_HOST", host));
}

#[test]
fn by_docker_build() {
    is_served(&["docker", "build", "--network", "host", "."]);
}

#[test]
fn by_compose_build() {
    is_served(&["docker", "compose", "build"]);
}

/// The user's own agent opens the way to the engine, and the key of the grant that to the
/// repository; neither is used for the other.
fn is_served_through_ssh(command: &[&str]) {
    let engine = Engine::named("docker-28");
    let own = Key::ed25519("own");
    let agent = SshAgent::with(&[&own]);
    let behind = SshEngine::to(&engine, &own);
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned").with_compose();
    let lend = || behind.reached_by(build.lend(&engine).args(command));

    // The control: without the user's agent nobody gets in.
    let finished = lend().finish().expect_failure().expect("Permission denied");
    build.expect_logins(&finished, 0);

    build.check(lend().env("SSH_AUTH_SOCK", agent.socket()));
    let log = behind.log();
    let mut accepted = log.lines().filter(|line| line.contains("Accepted publickey")).peekable();
    assert!(accepted.peek().is_some() && accepted.all(|line| line.contains(&own.fingerprint())), "{log}");
    assert!(!log.contains(&build.key.fingerprint()), "the key of the grant was offered to the engine's host\n{log}");
}

#[test]
fn by_docker_build_through_ssh() {
    is_served_through_ssh(&["docker", "build", "--network", "host", "."]);
}

#[test]
fn by_compose_build_through_ssh() {
    is_served_through_ssh(&["docker", "compose", "build"]);
}
