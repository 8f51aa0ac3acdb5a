//! A Dockerfile as talks and tutorials have it (several stages, `ssh-keyscan`, `mkdir -p -m 0600 ~/.ssh`,
//! `RUN --mount=type=ssh poetry install --no-dev`): `valetkey check --fix` makes one of it that has
//! nothing left to find and builds through the gateway.

use valetkey_integration::gateway_build::sessions;
use valetkey_integration::{Engine, GatewayBuild, PackageIndex, Run, valetkey};

/// The step of the scan asks the one real server of this test, and the image has no SSH client.
const TALK: &str = "\
# syntax=docker/dockerfile:1
FROM valetkey/base AS builder
ENV PATH=/opt/poetry-1/bin:$PATH POETRY_VIRTUALENVS_IN_PROJECT=true PIP_INDEX_URL={index}
RUN rm /usr/bin/ssh /usr/bin/ssh-keyscan

RUN mkdir -p -m 0600 ~/.ssh && ssh-keyscan -p {port} 127.0.0.1 >> ~/.ssh/known_hosts

WORKDIR /app
COPY pyproject.toml poetry.lock* ./
RUN --mount=type=ssh poetry install --no-dev --no-root --no-interaction

FROM valetkey/base AS production
COPY --from=builder /app /app
CMD [\"/app/.venv/bin/python\", \"-c\", \"import omnibus\"]
";

fn check(build: &GatewayBuild, flags: &[&str]) -> Run {
    Run::new(valetkey()).arg("check").args(flags).within(build.project.path())
}

fn fixed(engine: &str) {
    let engine = Engine::named(engine);
    let index = PackageIndex::up();
    let build = GatewayBuild::new();
    // No frontend is fetched: loopback has none.
    let talk = TALK
        .replace("# syntax=docker/dockerfile:1\n", "")
        .replace("valetkey/base", valetkey_integration::engine::BASE_IMAGE);
    let talk = build.filled(&talk).replace("{index}", &index.url);
    let pyproject = format!(
        "[tool.poetry]\nname = \"orders\"\nversion = \"0.1.0\"\ndescription = \"\"\nauthors = []\npackage-mode = false\n\n\
         [tool.poetry.dependencies]\npython = \"^3.11\"\nomnibus = {{ git = \"{{url}}\", tag = \"v1.0.0\" }}\n\n\
         [[tool.poetry.source]]\nname = \"loopback\"\nurl = \"{}\"\npriority = \"primary\"\n",
        index.url
    );
    let pyproject = build.filled(&pyproject);
    let build = build.writing("Dockerfile", &talk).writing("pyproject.toml", &pyproject);

    check(&build, &["Dockerfile"]).finish().expect_code(116).expect("[ssh-keyscan]").expect("[ssh-folder-mode]");
    check(&build, &["--fix", "Dockerfile"]).finish().expect_code(0).expect("nothing found in 1 file");
    let once = std::fs::read_to_string(build.project.path().join("Dockerfile")).expect("the Dockerfile");
    assert!(once.contains("RUN --mount=type=ssh,required=true") && !once.contains("ssh-keyscan -p"), "{once}");
    check(&build, &["--fix", "Dockerfile"]).finish().expect_code(0).expect("nothing found in 1 file");
    let twice = std::fs::read_to_string(build.project.path().join("Dockerfile")).expect("the Dockerfile");
    assert_eq!(once, twice, "fixing twice changed something");

    let finished = build.run(&engine);
    assert!(sessions(&finished) >= 1, "{}", finished.report());
    let price = "from decimal import Decimal; from omnibus import gross; print(gross(Decimal(100)))";
    let shown = engine.in_image(&build.project.name, &["/app/.venv/bin/python", "-c", price]).succeed();
    assert_eq!(shown.stdout.trim(), "119.00");
}

#[test]
fn on_docker_28() {
    fixed("docker-28");
}

#[test]
fn on_docker_26() {
    fixed("docker-26");
}

#[test]
fn on_podman_5() {
    fixed("podman-5");
}
