//! A build that is lent repositories and no key: its image has no SSH client, and a
//! `valetkey.toml` beside the Dockerfile names what it may read.

use crate::engine::BASE_IMAGE;
use crate::{Engine, Finished, GitServer, Key, Project, Run};

/// The one repository of [`GatewayBuild::new`], as grants name it.
pub const GRANTED: &str = "platform/omnibus";

/// A key that opens everything at its server, and a project whose grant names one repository.
pub struct GatewayBuild {
    /// The key of the grant, as the variable `DEPLOY_KEY`.
    pub key: Key,
    /// The server that knows no other key.
    pub server: GitServer,
    /// The project.
    pub project: Project,
}

impl Default for GatewayBuild {
    fn default() -> Self {
        Self::new()
    }
}

impl GatewayBuild {
    /// A server with [`GRANTED`], and a project without a Dockerfile that may read it.
    #[must_use]
    pub fn new() -> Self {
        Self::at(GitServer::up())
    }

    /// As [`GatewayBuild::new`], with this server.
    #[must_use]
    pub fn at(server: GitServer) -> Self {
        let key = Key::ed25519("deploy");
        let server = server.having_package(&key);
        let build = Self { key, server, project: Project::new() };
        build.granting(&[GRANTED])
    }

    /// With a Dockerfile of these lines behind the base image and the end of its SSH client. In
    /// them `{step}` begins a step with an ssh mount that never comes from a cache, `{fresh}`
    /// begins such a command, `{url}` is the granted repository's, and `{port}` the server's.
    #[must_use]
    pub fn with_steps(steps: &str) -> Self {
        Self::new().stepping(steps)
    }

    /// As [`GatewayBuild::with_steps`], for a build that has its server already.
    #[must_use]
    pub fn stepping(self, steps: &str) -> Self {
        let text = format!("FROM {BASE_IMAGE}\nRUN rm /usr/bin/ssh\n{steps}\n");
        let text = self.filled(&text);
        self.writing("Dockerfile", &text)
    }

    /// The placeholders of [`GatewayBuild::with_steps`], replaced.
    #[must_use]
    pub fn filled(&self, text: &str) -> String {
        let text = text.replace("{step}", "RUN --mount=type=ssh {fresh}");
        let text = text.replace("{fresh}", &format!(": {} &&", self.project.name));
        text.replace("{url}", &self.server.url(&format!("{GRANTED}.git")))
            .replace("{port}", &self.server.port.to_string())
    }

    /// With a file more in the project.
    #[must_use]
    pub fn writing(self, path: &str, content: &str) -> Self {
        Self { project: self.project.write(path, content), ..self }
    }

    /// With these repositories granted in the place of all others.
    #[must_use]
    pub fn granting(self, repos: &[&str]) -> Self {
        let grant = grant("env:DEPLOY_KEY", &self.server, repos);
        let known_hosts = self.server.known_hosts();
        let text = format!("known_hosts = \"{}\"\n{grant}", known_hosts.display());
        self.writing("valetkey.toml", &text)
    }

    /// With a compose.yaml whose service `app` shows what was cloned.
    #[must_use]
    pub fn with_compose(self) -> Self {
        let project = self.project.with_compose();
        Self { project, ..self }
    }

    /// `ENGINE build` of the project, tagged with its name.
    #[must_use]
    pub fn command<'a>(&'a self, engine: &Engine) -> [&'a str; 7] {
        [engine.tool(), "build", "--network", "host", "--tag", &self.project.name, "."]
    }

    /// `valetkey run` in the project's folder, with these flags more.
    #[must_use]
    pub fn lend_with(&self, engine: &Engine, flags: &[&str]) -> Run {
        engine.lend(flags).env("DEPLOY_KEY", self.key.private()).within(self.project.path())
    }

    /// `valetkey run` in the project's folder. All other flags come from valetkey.toml.
    #[must_use]
    pub fn lend(&self, engine: &Engine) -> Run {
        self.lend_with(engine, &[])
    }

    /// Runs `ENGINE build` as plain lines, as [`GatewayBuild::check`] does.
    pub fn run(&self, engine: &Engine) -> Finished {
        self.check(self.build(engine))
    }

    /// `ENGINE build` as plain lines, however it ends.
    #[must_use]
    pub fn build(&self, engine: &Engine) -> Run {
        let run = self.lend(engine).args(self.command(engine));
        if engine.tool() == "docker" { run.args(["--progress", "plain"]) } else { run }
    }

    /// The run must succeed and carry fetches of the granted repository alone, with a login for
    /// each and no other; and leave every file of the project as it was.
    #[track_caller]
    pub fn check(&self, run: Run) -> Finished {
        let before = self.project.files();
        let finished = run.succeed().expect(&self.carried(GRANTED)).expect_not("refused");
        self.expect_logins(&finished, sessions(&finished));
        assert_eq!(self.project.files(), before, "the files of the project are not what they were");
        finished
    }

    /// How the summary begins to tell that a repository was fetched.
    #[must_use]
    pub fn carried(&self, repository: &str) -> String {
        format!("carried fetch of [127.0.0.1]:{}/{repository}: ", self.server.port)
    }

    /// The server must have seen so many logins, all of them of the lent key.
    #[track_caller]
    pub fn expect_logins(&self, finished: &Finished, count: usize) {
        assert_eq!(self.server.accepted(), count, "{}\n{}", self.server.log(), finished.report());
    }
}

/// A grant for `valetkey.toml`.
#[must_use]
pub fn grant(source: &str, server: &GitServer, repos: &[&str]) -> String {
    format!(
        "[[grant]]\nkey = \"{source}\"\nhost = \"[127.0.0.1]:{}\"\nuser = \"{}\"\nrepos = {repos:?}\n",
        server.port,
        server.user()
    )
}

/// How many sessions the summary tells of.
#[must_use]
pub fn sessions(finished: &Finished) -> usize {
    let carried = finished.stderr.lines().filter(|line| line.contains("carried ") && line.contains(" session"));
    let counts = carried.filter_map(|line| line.split(" session").next()?.rsplit(' ').next()?.parse::<usize>().ok());
    counts.sum()
}
