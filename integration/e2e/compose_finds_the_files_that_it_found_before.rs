//! With valetkey in front, Compose finds exactly the files that it finds alone: each case is
//! asked of plain `docker compose config` first, and what was built must say the same.
//!
//! The table of all forms is in tests/builder/compose_files.rs; these are the real ones.

use std::path::PathBuf;

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::{Engine, Key, Project, Run};

/// A project whose image keeps the identities that were lent, and a build argument.
struct Case {
    project: Project,
    env: Vec<(&'static str, &'static str)>,
    within: &'static str,
    globals: Vec<String>,
}

impl Case {
    fn new() -> Self {
        let project = Project::new();
        let step = "ssh-add -L > /lent && printf %s \"$WHICH\" > /which";
        let dockerfile = format!("FROM {BASE_IMAGE}\nARG WHICH\nRUN --mount=type=ssh : {} && {step}\n", project.name);
        Self { project: project.write("image/Dockerfile", &dockerfile), env: vec![], within: "", globals: vec![] }
    }

    /// A compose file with a service that builds `image/`.
    fn file(self, path: &str, service: &str, context: &str, which: &str) -> Self {
        let text = format!(
            "services:\n  {service}:\n    build:\n      context: {context}\n      network: host\n      args: {{WHICH: {which}}}\n"
        );
        self.text(path, &text)
    }

    fn text(self, path: &str, text: &str) -> Self {
        Self { project: self.project.write(path, text), ..self }
    }

    fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    fn globals(mut self, globals: &[&str]) -> Self {
        self.globals.extend(globals.iter().map(|&flag| flag.to_owned()));
        self
    }

    fn within(self, folder: &'static str) -> Self {
        Self { within: folder, ..self }
    }

    fn placed(&self, run: Run) -> Run {
        let folder: PathBuf = self.project.file(self.within);
        self.env.iter().fold(run, |run, (name, value)| run.env(name, value)).within(folder)
    }

    /// Builds it, and expects the image of this service of this project to hold this argument;
    /// no name means that of the project's folder.
    fn builds(&self, engine: &str, name: Option<&str>, service: &str, which: &str) {
        let engine = Engine::named(engine);
        let compose = || engine.command("docker").arg("compose").args(&self.globals);
        let config = self.placed(compose().args(["config", "--format", "json"])).succeed().stdout;
        let config: serde_json::Value = serde_json::from_str(&config).expect("the answer of Compose");
        assert_eq!(config["services"][service]["build"]["args"]["WHICH"], which, "the case is not what it says");
        let named = config["name"].as_str().expect("a name");
        if let Some(name) = name {
            assert_eq!(named, name, "the case is not what it says");
        }

        let key = Key::ed25519("lent");
        let lend = engine.lend(&["--key", &key.source()]).args(["docker", "compose"]).args(&self.globals);
        let before = self.project.files();
        self.placed(lend.arg("build")).succeed();
        assert_eq!(self.project.files(), before);
        let held = |file| engine.in_image(&format!("{named}-{service}"), &["cat", file]).succeed().stdout;
        assert_eq!(held("/which"), which);
        assert_eq!(held("/lent"), key.public());
    }
}

/// `compose.yaml` and its override, which has the last word.
fn overridden() -> Case {
    Case::new()
        .file("compose.yaml", "app", "image", "base")
        .text("compose.override.yaml", "services: {app: {build: {args: {WHICH: override}}}}\n")
}

fn both_engines(check: impl Fn(&str)) {
    check("docker-28");
    check("docker-26");
}

#[test]
fn an_override_file_beside_it() {
    both_engines(|engine| overridden().builds(engine, None, "app", "override"));
}

#[test]
fn compose_file_of_the_environment() {
    both_engines(|engine| {
        let case = overridden().file("other.yaml", "app", "image", "other");
        case.env("COMPOSE_FILE", "other.yaml").builds(engine, None, "app", "other");
    });
}

#[test]
fn compose_file_of_dotenv() {
    both_engines(|engine| {
        let case = overridden().file("other.yaml", "app", "image", "other");
        case.text(".env", "COMPOSE_FILE=compose.yaml:other.yaml\n").builds(engine, None, "app", "other");
    });
}

/// A `.env` above the working directory, beside the compose file that is found there.
fn dotenv_above() -> Case {
    let case = overridden().file("sub/other.yaml", "app", "../image", "other");
    case.text(".env", "COMPOSE_FILE=other.yaml\n").within("sub")
}

#[test]
fn compose_file_of_a_dotenv_above_counts_for_compose_2_26() {
    dotenv_above().builds("docker-26", None, "app", "other");
}

#[test]
fn compose_file_of_a_dotenv_above_does_not_count_for_compose_2_40() {
    dotenv_above().builds("docker-28", None, "app", "override");
}

#[test]
fn several_files_that_were_typed() {
    both_engines(|engine| {
        let case = overridden().file("sub/a.yaml", "app", "../image", "a").file("b.yaml", "app", "../image", "b");
        case.globals(&["-f", "sub/a.yaml", "-f", "b.yaml"]).builds(engine, Some("sub"), "app", "b");
    });
}

#[test]
fn a_project_directory_and_a_name_that_were_typed() {
    both_engines(|engine| {
        let case = Case::new().file("deploy/compose.yaml", "app", "../image", "deploy").text("elsewhere/note", "");
        let name = case.project.name.clone();
        let case = case.within("elsewhere").globals(&["--project-directory", "../deploy", "-p", &name]);
        case.builds(engine, Some(&name), "app", "deploy");
    });
}

#[test]
fn a_service_of_a_profile() {
    both_engines(|engine| {
        let case = Case::new().text(
            "compose.yaml",
            "services:\n  app:\n    profiles: [tools]\n    build: {context: image, network: host, args: {WHICH: tools}}\n",
        );
        case.globals(&["--profile", "tools"]).builds(engine, None, "app", "tools");
    });
}

#[test]
fn an_included_file() {
    both_engines(|engine| {
        let case = Case::new().file("lib/compose.yaml", "lib", "../image", "included");
        case.text("compose.yaml", "include: [lib/compose.yaml]\n").builds(engine, None, "lib", "included");
    });
}
