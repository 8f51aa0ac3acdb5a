//! Poetry, which clones with a Git of its own (dulwich) or the image's, installs a private package
//! and a public one through the gateway, and what it installed runs.

use valetkey_integration::gateway_build::sessions;
use valetkey_integration::{Engine, GatewayBuild, PackageIndex};

const STEPS: &str = "WORKDIR /app
ENV POETRY_VIRTUALENVS_IN_PROJECT=true
COPY pyproject.toml ./
{step} poetry install --no-root --no-interaction";

fn poetry(engine: &str, configured: &str) {
    let engine = Engine::named(engine);
    let index = PackageIndex::up();
    let build = GatewayBuild::with_steps(&format!("{configured}{STEPS}"));
    let pyproject = format!(
        r#"[project]
name = "orders"
version = "0.1.0"
requires-python = ">=3.11,<4.0"
dependencies = ["idna", "omnibus @ git+{{url}}@v1.0.0"]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "loopback"
url = "{}"
priority = "primary"
"#,
        index.url
    );
    let pyproject = build.filled(&pyproject);
    let build = build.writing("pyproject.toml", &pyproject);
    let finished = build.run(&engine);
    assert!(sessions(&finished) >= 1, "{}", finished.report());
    let price = "from decimal import Decimal; from omnibus import gross; print(gross(Decimal(100)))";
    let shown = engine.in_image(&build.project.name, &["/app/.venv/bin/python", "-c", price]).succeed();
    assert_eq!(shown.stdout.trim(), "119.00");
}

#[test]
fn with_its_own_git_on_docker_28() {
    poetry("docker-28", "");
}

#[test]
fn with_the_system_git_on_docker_28() {
    poetry("docker-28", "ENV POETRY_SYSTEM_GIT_CLIENT=true\n");
}

#[test]
fn with_its_own_git_on_podman_5() {
    poetry("podman-5", "");
}
