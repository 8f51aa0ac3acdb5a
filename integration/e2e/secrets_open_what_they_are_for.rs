//! Each form, read by the program that it is for, at a server that lets nobody else in: pip and
//! npm in a build step, Git and pip by the netrc, docker at a registry.

use std::fs;

use valetkey::keys::Secret;
use valetkey::secret::Form;
use valetkey_integration::engine::TOOLS_IMAGE;
use valetkey_integration::gate::basic;
use valetkey_integration::{Engine, Gate, PackageIndex, Project, Registry};

/// With what INI, shells and URLs know.
const TOKEN: &str = "pypi-AgE%(x)s$HOME#;@:/?& +=";

/// Builds a project with this config and these steps, with the token in a variable.
fn built(
    engine: &str,
    image: &str,
    config: &str,
    steps: &str,
    token: &str,
) -> (Project, valetkey_integration::Finished) {
    let project = Project::new();
    let steps = steps.replace("{fresh}", &format!(": {} &&", project.name));
    let project = project.write("Dockerfile", &format!("FROM {image}\n{steps}\n"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("valetkey.toml");
    fs::write(&path, config).expect("written");
    let engine = Engine::named(engine);
    let run = engine.lend(&["--config", path.to_str().expect("text")]).env("TOKEN", token).within(project.path());
    let finished = run.args([engine.tool(), "build", "--network", "host", "--tag", &project.name, "."]).finish();
    (project, finished)
}

fn pip(engine: &str, image: &str) {
    let index = PackageIndex::up();
    let gate = Gate::before(basic("__token__", TOKEN), &index.url);
    let config = format!(
        "[[secret]]\nid = \"pip\"\nsource = \"env:TOKEN\"\nform = \"pip\"\nurl = \"http://{}/simple/\"\n",
        gate.host
    );
    let step = "RUN --mount=type=secret,id=pip,target=/etc/pip.conf {fresh} pip install --target /installed idna";
    let (project, finished) = built(engine, image, &config, step, TOKEN);
    finished.expect_code(0).expect("lent the secret pip (pip, ").expect_not(TOKEN).expect_not("AgE%25");
    let engine = Engine::named(engine);
    engine.in_image(&project.name, &["test", "-d", "/installed/idna"]).succeed();
    assert!(!engine.image_holds(&project.name, "pypi-AgE"), "the token is in the image");
    // pip shows nothing until it is asked, and then this.
    assert!(gate.refused().iter().all(String::is_empty), "{:?}", gate.refused());
}

#[test]
fn pip_at_an_index_with_docker_28() {
    pip("docker-28", "valetkey-test/python:latest");
}

#[test]
fn pip_at_an_index_with_podman_5() {
    pip("podman-5", "valetkey-test/python:latest");
}

/// The control: the gate is closed to another token.
#[test]
fn and_with_another_token_pip_gets_nothing() {
    let index = PackageIndex::up();
    let gate = Gate::before(basic("__token__", TOKEN), &index.url);
    let config = format!(
        "[[secret]]\nid = \"pip\"\nsource = \"env:TOKEN\"\nform = \"pip\"\nurl = \"http://{}/simple/\"\n",
        gate.host
    );
    let step = "RUN --mount=type=secret,id=pip,target=/etc/pip.conf {fresh} pip install --no-input --target /i idna";
    let (_, finished) = built("docker-28", "valetkey-test/python:latest", &config, step, "another");
    finished.expect_failure();
    assert!(gate.refused().contains(&basic("__token__", "another")), "{:?}", gate.refused());
}

#[test]
fn pip_and_git_by_the_netrc() {
    const TOKEN: &str = "glpat-aZ09_~!$%^&*()#;:@/?{}[]|<>,.+=`";
    let index = PackageIndex::up();
    let gate = Gate::before(basic("ci", TOKEN), &index.url);
    let config =
        "[[secret]]\nid = \"netrc\"\nsource = \"env:TOKEN\"\nform = \"netrc\"\nhost = \"127.0.0.1\"\nlogin = \"ci\"\n";
    let step = format!(
        "RUN --mount=type=secret,id=netrc,target=/root/.netrc {{fresh}} \
         pip install --index-url http://{0}/simple/ --target /installed idna && \
         {{ git ls-remote http://{0}/x.git 2>&1 || true; }} | grep 'not found'",
        gate.host
    );
    let (_, finished) = built("docker-28", "valetkey-test/python:latest", config, &step, TOKEN);
    finished.expect_code(0);
    assert!(gate.refused().iter().all(String::is_empty), "{:?}", gate.refused());
}

#[test]
fn npm_at_a_registry_of_a_scope() {
    const TOKEN: &str = "npm_a;b#c\"d\\e=f$g";
    let gate = Gate::up(format!("Bearer {TOKEN}"), |host| {
        let package = format!(
            r#"{{"name":"@org/rounding","dist-tags":{{"latest":"7.8.9"}},"versions":{{"7.8.9":{{"name":"@org/rounding","version":"7.8.9","dist":{{"tarball":"http://{host}/x.tgz"}}}}}}}}"#
        );
        let package = package.into_bytes();
        Box::new(move |path| path.starts_with("/npm/@org").then(|| ("application/json".into(), package.clone())))
    });
    let config = format!(
        "[[secret]]\nid = \"npmrc\"\nsource = \"env:TOKEN\"\nform = \"npmrc\"\nregistry = \"http://{}/npm\"\nscope = \"@org\"\n",
        gate.host
    );
    let step =
        "RUN --mount=type=secret,id=npmrc,target=/root/.npmrc {fresh} npm view @org/rounding version | grep -x 7.8.9";
    let (_, finished) = built("docker-28", TOOLS_IMAGE, &config, step, TOKEN);
    finished.expect_code(0);
    assert_eq!(gate.refused(), [""; 0], "npm shows its token at once");
}

#[test]
fn docker_at_a_registry() {
    const PASSWORD: &str = "a pass\"word:with\\ all é";
    let engine = Engine::named("docker-28");
    let registry = Registry::with_login("carol", PASSWORD);
    let image = registry.name("team/app:1");
    let host = registry.name("");
    let form = Form::DockerConfig { registry: host.trim_end_matches('/').into(), login: "carol".into() };
    let folder = tempfile::tempdir().expect("a folder");
    let docker = |arguments: &[&str]| engine.command("docker").env("DOCKER_CONFIG", folder.path()).args(arguments);
    docker(&["tag", "valetkey-test/python:latest", &image]).succeed();
    docker(&["push", "--quiet", &image]).finish().expect_failure();
    let file = form.file(&Secret::new(PASSWORD.as_bytes().to_vec())).expect("a password");
    fs::write(folder.path().join("config.json"), file.expose()).expect("written");
    docker(&["push", "--quiet", &image]).succeed();
}
