//! An engine behind TCP (`DOCKER_HOST=tcp://…`): the guest and the tunnel travel with the build,
//! and nothing else changes.

use std::net::TcpListener;
use std::process::Child;

use valetkey_integration::{Engine, GatewayBuild, Run};

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
