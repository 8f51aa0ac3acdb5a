//! What every tool has to do: a step clones a private repository that only a lent key opens.

use crate::engine::BASE_IMAGE;
use crate::project::SSH_STEP;
use crate::{Engine, Finished, GitServer, Key, Project, Run, folder};

/// Where the step clones to.
const CLONED: &str = "/cloned/omnibus/__init__.py";

/// A key, the server that lets it in, and a project whose one step clones from there.
pub struct PrivateBuild {
    /// The key that is lent, as the variable `DEPLOY_KEY`.
    pub key: Key,
    /// The server that knows no other key.
    pub server: GitServer,
    /// The project.
    pub project: Project,
}

impl Default for PrivateBuild {
    fn default() -> Self {
        Self::new()
    }
}

impl PrivateBuild {
    /// With a Dockerfile alone.
    #[must_use]
    pub fn new() -> Self {
        let key = Key::ed25519("deploy");
        let server = GitServer::with_package(&key);
        let project = Project::cloning(&server.url("platform/omnibus.git"));
        Self { key, server, project }
    }

    /// With a Dockerfile of these lines behind the base image. In them `{step}` begins a step
    /// with both mounts that never comes from a cache, `{fresh}` begins such a command, and
    /// `{url}` is the repository's.
    #[must_use]
    pub fn with_steps(steps: &str) -> Self {
        let build = Self::new();
        let url = build.server.url("platform/omnibus.git");
        let steps = steps.replace("{step}", &format!("{SSH_STEP} {{fresh}}"));
        let steps = steps.replace("{fresh}", &format!(": {} &&", build.project.name)).replace("{url}", &url);
        Self { project: build.project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n")), ..build }
    }

    /// `ENGINE build` of the project, tagged with its name.
    #[must_use]
    pub fn command<'a>(&'a self, engine: &Engine) -> [&'a str; 7] {
        [engine.tool(), "build", "--network", "host", "--tag", &self.project.name, "."]
    }

    /// With a compose.yaml whose service `app` shows what was cloned.
    #[must_use]
    pub fn with_compose() -> Self {
        let build = Self::new();
        let text = format!(
            "name: {}\nservices:\n  app:\n    network_mode: host\n    build: {{context: ., network: host}}\n    command: cat {CLONED}\n",
            build.project.name
        );
        Self { project: build.project.write("compose.yaml", &text), ..build }
    }

    /// `valetkey run` with the key and the server's host keys, in the project's folder.
    #[must_use]
    pub fn lend(&self, engine: &Engine) -> Run {
        self.lend_with(engine, &[])
    }

    /// The same, with more flags.
    #[must_use]
    pub fn lend_with(&self, engine: &Engine, more: &[&str]) -> Run {
        let known_hosts = self.server.known_hosts();
        let flags = ["--key", "env:DEPLOY_KEY", "--known-hosts", known_hosts.to_str().expect("a path in UTF-8")];
        engine.lend(&[&flags, more].concat()).env("DEPLOY_KEY", self.key.private()).within(self.project.path())
    }

    /// How the summary names the server.
    #[must_use]
    pub fn bound_to(&self) -> String {
        format!("bound to [127.0.0.1]:{}", self.server.port)
    }

    /// What the summary says of its one login.
    #[must_use]
    pub fn bound(&self) -> String {
        format!("signed 1 login, {}", self.bound_to())
    }

    /// A run that must fail, without a login.
    pub fn fail(&self, engine: &Engine, command: &[&str]) -> Finished {
        let finished = self.lend(engine).args(command).finish().expect_failure();
        assert_eq!(self.server.accepted(), 0, "{}\n{}", self.server.log(), finished.report());
        finished
    }

    /// Runs the command with the key lent to it. It must succeed, log in once, name the host
    /// in the summary, and leave every file of the project as it was.
    pub fn run(&self, engine: &Engine, command: &[&str]) -> Finished {
        self.check(self.lend(engine).args(command))
    }

    /// [`PrivateBuild::run`], for a command that was put together already.
    pub fn check(&self, run: Run) -> Finished {
        let before = self.project.files();
        let finished = run.succeed().expect(&self.bound()).expect_not("refused");
        assert_eq!(self.server.accepted(), 1, "{}\n{}", self.server.log(), finished.report());
        assert_eq!(self.project.files(), before, "the files of the project are not what they were");
        finished
    }

    /// What was cloned must be in the image.
    pub fn expect_in(&self, engine: &Engine, image: &str) {
        let shown = engine.in_image(image, &["cat", CLONED]).succeed().stdout;
        assert_eq!(shown, private_text());
    }
}

/// A file of the private repository.
#[must_use]
pub fn private_text() -> String {
    std::fs::read_to_string(folder().join("examples/omnibus/omnibus/__init__.py")).expect("the private package")
}
