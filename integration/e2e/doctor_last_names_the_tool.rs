//! `doctor --last` names the tool that did not use ssh, and what it says to do helps: cargo's and
//! Poetry's own Git, an HTTPS address, an image without ssh.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use valetkey_integration::project::SSH_STEP;
use valetkey_integration::{Doctor, Engine, GatewayBuild, PackageIndex, PrivateBuild};

const ENGINE: &str = "docker-28";

/// A web server that wants a login for everything; it ends with the test's process.
fn wanting_a_login() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(reader) = stream.try_clone() else { continue };
            let lines = BufReader::new(reader).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

/// Settings that make Git read from the server by ssh what is written as an address of the other.
fn instead_of(build: &GatewayBuild, port: u16) -> String {
    let (user, server) = (build.server.user(), build.server.port);
    format!(
        "ENV GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.ssh://{user}@127.0.0.1:{server}/.insteadOf GIT_CONFIG_VALUE_0=http://127.0.0.1:{port}/\n"
    )
}

fn cargo(step: &str) {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let step = format!("COPY crate /crate\nCOPY cargo /usr/local/bin/\nWORKDIR /crate\n{step} cargo generate-lockfile");
    let build = GatewayBuild::with_steps(&step);
    let manifest = build.filled(
        "[package]\nname = \"orders\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nomnibus = { git = \"{url}\" }\n",
    );
    let build = build.writing("crate/Cargo.toml", &manifest).writing("crate/src/lib.rs", "");
    // The very program that runs this test.
    let cargo = std::env::var_os("CARGO").expect("cargo runs this test");
    std::fs::copy(cargo, build.project.file("cargo")).expect("cargo");
    let says = doctor.explains(build.build(&engine), "cargo-own-git", "certain");
    assert_eq!(says, "cargo used a Git of its own in the step on line 6 of Dockerfile, which runs no ssh");

    // The control: with what it says to do, the repository is read. It is no crate.
    let build = build.stepping(&format!("ENV CARGO_NET_GIT_FETCH_WITH_CLI=true\n{step}"));
    let finished = doctor.recording(build.build(&engine)).finish().expect_failure();
    finished.expect(&build.carried("platform/omnibus")).expect("could not find `Cargo.toml`").expect_not("says more");
    doctor.last(&[]).succeed().expect("nothing speaks for access");
}

#[test]
fn cargo_with_a_git_of_its_own() {
    cargo(&format!("{SSH_STEP} {{fresh}}"));
}

#[test]
fn cargo_with_a_git_of_its_own_that_knows_no_host() {
    cargo("{step}");
}

#[test]
fn poetry_with_a_git_of_its_own() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let (index, port) = (PackageIndex::up(), wanting_a_login());
    let step = "WORKDIR /app\nENV POETRY_VIRTUALENVS_IN_PROJECT=true\nCOPY pyproject.toml ./\n{step} poetry install --no-root --no-interaction";
    let pyproject = |address: &str| {
        format!(
            "[project]\nname = \"orders\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11,<4.0\"\ndependencies = [\"omnibus @ git+{address}@v1.0.0\"]\n\n[tool.poetry]\npackage-mode = false\n\n[[tool.poetry.source]]\nname = \"loopback\"\nurl = \"{}\"\npriority = \"primary\"\n",
            index.url
        )
    };
    let https = format!("http://127.0.0.1:{port}/platform/omnibus.git");
    let build = GatewayBuild::with_steps(step).writing("pyproject.toml", &pyproject(&https));
    let says = doctor.explains(build.build(&engine), "poetry-own-git", "certain");
    assert!(says.starts_with(&format!("Poetry's own Git read a repository of 127.0.0.1:{port} by HTTPS")), "{says}");

    // The control: with what it says to do, it is installed by ssh.
    let address = build.filled("{url}");
    let build = build.stepping(step).writing("pyproject.toml", &pyproject(&address));
    doctor.recording(build.build(&engine)).succeed().expect(&build.carried("platform/omnibus"));
    doctor.last(&[]).succeed().expect("nothing went wrong");
}

#[test]
fn git_with_an_https_address() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let port = wanting_a_login();
    let step = format!("{{step}} git clone http://127.0.0.1:{port}/platform/omnibus.git /cloned");
    let build = GatewayBuild::with_steps(&step);
    let says = doctor.explains(build.build(&engine), "https-address", "certain");
    assert!(says.contains(&format!("reads a repository of 127.0.0.1:{port} by HTTPS")), "{says}");

    let build_settings = instead_of(&build, port);
    let build = build.stepping(&format!("{build_settings}{step}"));
    doctor.recording(build.build(&engine)).succeed().expect(&build.carried("platform/omnibus"));
}

#[test]
fn an_image_without_ssh() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::with_steps("RUN rm /usr/bin/ssh\n{step} git clone {url} /cloned");
    let says = doctor.explains(build.lend(&engine).args(build.command(&engine)), "no-ssh", "certain");
    assert_eq!(says, "the image of the step on line 3 of Dockerfile has no ssh client");
}

#[test]
fn an_agent_that_ssh_is_told_not_to_ask() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let step = "{step} GIT_SSH_COMMAND='ssh -o IdentityAgent=none' git clone {url} /cloned";
    let build = PrivateBuild::with_steps(step);
    let says = doctor.explains(build.lend(&engine).args(build.command(&engine)), "agent-not-asked", "likely");
    assert_eq!(says, "ssh in the step on line 2 of Dockerfile did not ask the lent agent");
}
