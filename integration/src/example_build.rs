//! The example application, `examples/fastapi`, whose private dependency is on a Git server of the
//! test's own, and whose public ones are in an index of its own.

use std::fs;
use std::path::Path;

use crate::engine::BASE_IMAGE;
use crate::gate::basic;
use crate::{Engine, Gate, GitServer, Key, PackageIndex, Project, folder};

/// The application.
pub struct ExampleBuild {
    /// Its folder.
    pub project: Project,
    /// The server with `platform/omnibus`.
    pub server: GitServer,
    /// The key that opens the server; its comment names the repository.
    pub key: Key,
    /// What stands before the index, where it is for those with a token alone.
    pub gate: Option<Gate>,
    _index: PackageIndex,
}

impl ExampleBuild {
    /// For this engine, which gets the base image without an SSH client.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self::at(engine, |_| None)
    }

    /// The same with an index that only this token opens; the steps that install begin with these
    /// words, which give it to Poetry.
    #[must_use]
    pub fn behind_token(engine: &Engine, token: &str, words: &str) -> Self {
        let build = Self::at(engine, |index| Some(Gate::before(basic("__token__", token), &index.url)));
        let dockerfile = fs::read_to_string(build.project.file("Dockerfile")).expect("the example");
        let install = "--mount=type=ssh,uid=1000,required=true poetry install";
        assert_eq!(dockerfile.matches(install).count(), 2, "{dockerfile}");
        let dockerfile =
            dockerfile.replace(install, &format!("--mount=type=ssh,uid=1000,required=true {words} poetry install"));
        Self { project: build.project.write("Dockerfile", &dockerfile), ..build }
    }

    fn at(engine: &Engine, gate: impl FnOnce(&PackageIndex) -> Option<Gate>) -> Self {
        let server = GitServer::up();
        let url = server.url("platform/omnibus.git");
        let key = Key::ed25519(&url);
        let server = server.having_package(&key);
        let index = PackageIndex::up();
        let gate = gate(&index);
        let index_url = gate.as_ref().map_or(index.url.clone(), |gate| format!("http://{}/simple/", gate.host));
        let project = copied(&folder().join("examples/fastapi"), "", Project::new());
        fs::remove_file(project.file("valetkey.toml")).expect("the grants of the example");
        let base = format!("{}-base", project.name);
        let image = Project::new().write("Dockerfile", &format!("FROM {BASE_IMAGE}\nRUN rm /usr/bin/ssh\n"));
        let build = engine.command("docker").args(["build", "--network", "host", "--tag", &base, "."]);
        build.within(image.path()).succeed();

        let pyproject = fs::read_to_string(project.file("pyproject.toml")).expect("the example");
        let pyproject = pyproject.replace("ssh://git@git.example.com/platform/omnibus.git", &url);
        let source =
            format!("\n[[tool.poetry.source]]\nname = \"loopback\"\nurl = \"{index_url}\"\npriority = \"primary\"\n");
        // Loopback is this machine's, so the build uses this machine's network.
        let build = format!("build:\n      network: host\n      args: {{BASE_IMAGE: \"{base}\"}}\n");
        let compose = format!(
            "name: {}\nservices:\n  app:\n    network_mode: host\n    ports: !reset []\n    {build}",
            project.name
        );
        let project = project.write("pyproject.toml", &format!("{pyproject}{source}"));
        let project = project.write("compose.override.yaml", &compose);
        let dockerfile = fs::read_to_string(project.file("Dockerfile")).expect("the example");
        let dockerfile = dockerfile.replace("BASE_IMAGE=python:3.12-slim-bookworm", &format!("BASE_IMAGE={base}"));
        let project = project.write("Dockerfile", &dockerfile);
        Self { project, server, key, gate, _index: index }
    }
}

fn copied(from: &Path, below: &str, mut project: Project) -> Project {
    for entry in fs::read_dir(from).expect("the example") {
        let entry = entry.expect("an entry");
        let name = format!("{below}{}", entry.file_name().to_str().expect("a name in UTF-8"));
        project = if entry.path().is_dir() {
            copied(&entry.path(), &format!("{name}/"), project)
        } else {
            project.write(&name, &fs::read_to_string(entry.path()).expect("a file"))
        };
    }
    project
}
