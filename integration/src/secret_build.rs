//! A build whose steps read a lent secret.

use std::io::Write as _;

use tempfile::NamedTempFile;

use crate::engine::BASE_IMAGE;
use crate::{Engine, Finished, Project, Run};

/// A secret in a file of its own, and a project whose steps read it.
pub struct SecretBuild {
    /// What is lent, as the secret `all`.
    pub bytes: Vec<u8>,
    /// The project, whose service in Compose is `app`.
    pub project: Project,
    /// Where it is.
    pub source: NamedTempFile,
}

/// What programs on the way could take for something else: each byte, and what means something
/// to terminals, shells, YAML, HCL and Compose.
#[must_use]
pub fn every_byte() -> Vec<u8> {
    (0..=255).chain(*b"\r\n\x1b[31m\x1b]0;x\x07$(id) `id` ${HOME} $$HOME %{x}\n- {a: *b, c: &d}\n---\n\0\n").collect()
}

impl SecretBuild {
    /// With these steps behind the base image. In them `{fresh}` begins a command of a step that
    /// never comes from a cache.
    #[must_use]
    pub fn with_steps(bytes: Vec<u8>, steps: &str) -> Self {
        // Made with mode 0600.
        let mut source = NamedTempFile::new().expect("a file");
        source.write_all(&bytes).expect("written");
        let project = Project::new();
        let steps = steps.replace("{fresh}", &format!(": {} &&", project.name));
        let project = project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n")).with_compose();
        Self { bytes, project, source }
    }

    /// With one step that keeps the secret's digest.
    #[must_use]
    pub fn kept_as_digest(bytes: Vec<u8>) -> Self {
        Self::with_steps(bytes, "RUN --mount=type=secret,id=all {fresh} sha256sum </run/secrets/all >/digest")
    }

    /// The key source.
    #[must_use]
    pub fn source(&self) -> String {
        format!("file:{}", self.source.path().display())
    }

    /// `ENGINE build` of the project, tagged with its name.
    #[must_use]
    pub fn command<'a>(&'a self, engine: &Engine) -> [&'a str; 7] {
        [engine.tool(), "build", "--network", "host", "--tag", &self.project.name, "."]
    }

    /// `valetkey run` with the secret, in the project's folder.
    #[must_use]
    pub fn lend(&self, engine: &Engine) -> Run {
        engine.lend(&["--secret", &format!("all={}", self.source())]).within(self.project.path())
    }

    /// Runs the command with the secret lent to it.
    pub fn run(&self, engine: &Engine, command: &[&str]) -> Finished {
        let said = format!("lent the secret all (raw, {} bytes) from file:", self.bytes.len());
        self.lend(engine).args(command).succeed().expect(&said).expect_not("warning: ")
    }

    /// The digest in this image must be the secret's.
    pub fn expect_digest(&self, engine: &Engine, image: &str) {
        let own = Run::new("sha256sum").stdin(std::fs::File::open(self.source.path()).expect("a file")).succeed();
        engine.in_image(image, &["grep", "-qxF", own.stdout.trim_end(), "/digest"]).succeed();
    }
}
