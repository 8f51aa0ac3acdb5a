//! What people really install with: pip and Poetry, each from `git+ssh`. What they installed runs.

use valetkey_integration::{Engine, PackageIndex, PrivateBuild};

const PRICE: &str = "from decimal import Decimal; from omnibus import gross; print(gross(Decimal(100)))";

fn expect_price(engine: &Engine, build: &PrivateBuild, python: &[&str]) {
    let shown = engine.in_image(&build.project.name, &[python, &["-c", PRICE]].concat()).succeed();
    assert_eq!(shown.stdout.trim(), "119.00");
}

fn pip(engine: &str) {
    let engine = Engine::named(engine);
    let install = "{step} pip install --no-index --target /installed 'omnibus @ git+{url}@v1.0.0'";
    let build = PrivateBuild::with_steps(install);
    build.run(&engine, &build.command(&engine));
    expect_price(&engine, &build, &["env", "PYTHONPATH=/installed", "python3"]);
}

/// With one package of an index beside the private one, so that Poetry has to look at both.
fn poetry(engine: &str) {
    let engine = Engine::named(engine);
    let index = PackageIndex::up();
    let steps = "WORKDIR /app\nENV POETRY_VIRTUALENVS_IN_PROJECT=true\nCOPY pyproject.toml ./\n{step} poetry install --no-root --no-interaction";
    let build = PrivateBuild::with_steps(steps);
    let pyproject = format!(
        r#"[project]
name = "orders"
version = "0.1.0"
requires-python = ">=3.11,<4.0"
dependencies = ["idna", "omnibus @ git+{}@v1.0.0"]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "loopback"
url = "{}"
priority = "primary"
"#,
        build.server.url("platform/omnibus.git"),
        index.url
    );
    let build = PrivateBuild { project: build.project.write("pyproject.toml", &pyproject), ..build };
    let before = build.project.files();
    // Poetry clones twice: to lock, and to install.
    let finished = build.lend(&engine).args(build.command(&engine)).succeed().expect_not("refused");
    let logins = build.server.accepted();
    let finished = finished.expect(&format!("signed {logins} login")).expect(&build.bound_to());
    assert!(logins >= 1, "{}", finished.report());
    assert_eq!(build.project.files(), before);
    expect_price(&engine, &build, &["/app/.venv/bin/python"]);
}

#[test]
fn pip_with_docker_20() {
    pip("docker-20.10");
}

#[test]
fn pip_with_docker_28() {
    pip("docker-28");
}

#[test]
fn pip_with_podman_4() {
    pip("podman");
}

#[test]
fn poetry_with_docker_26() {
    poetry("docker-26");
}

#[test]
fn poetry_with_docker_28() {
    poetry("docker-28");
}

#[test]
fn poetry_with_podman_5() {
    poetry("podman-5");
}
