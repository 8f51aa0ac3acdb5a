//! The engines that `integration/check` started.

use std::path::{Path, PathBuf};

use crate::{Run, script, valetkey};

/// The base image of every test build: Debian with git, an SSH client, pip and Poetry.
pub const BASE_IMAGE: &str = "valetkey-test/python:latest";

/// Debian with git, npm, Yarn, Go, Composer and Bundler, and without an SSH client, where
/// `integration/engine load` put it: in docker-28.
pub const TOOLS_IMAGE: &str = "valetkey-test/tools:latest";

/// Debian with OpenSSH's server, a C toolchain and a hundred Python packages, beside the tools image.
pub const PACKAGES_IMAGE: &str = "valetkey-test/packages:latest";

/// The engines with their own CLI, by the names of `integration/engine`.
pub const DOCKERS: [&str; 3] = ["docker-20.10", "docker-26", "docker-28"];

/// Those with containerd's image store: what builds for several platforms and exports caches.
pub const CONTAINERDS: [&str; 2] = ["docker-26-containerd", "docker-28-containerd"];

/// A running engine, and the environment in which its tools are used.
#[derive(Clone, Debug)]
pub struct Engine {
    /// `docker-28`, `podman` …
    pub name: String,
    env: Vec<(String, String)>,
}

impl Engine {
    /// One of the engines that are up.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let state =
            std::env::var_os("VALETKEY_TEST_STATE").expect("VALETKEY_TEST_STATE is not set: run integration/check");
        let state = PathBuf::from(state).join(name);
        assert!(state.is_dir(), "engine {name} is not up: run integration/check");
        Self::at(name, &state)
    }

    /// One that lies below this folder.
    #[must_use]
    pub fn at(name: &str, state: &Path) -> Self {
        // The exports refer to PATH: let a shell evaluate them, and take what they are.
        let exports = format!(
            "exports=$('{}' env {name} '{}') && eval \"$exports\" && for name in $(printf '%s\\n' \"$exports\" | tr ' ' '\\n' | sed -n 's/^\\([A-Z_]*\\)=.*/\\1/p'); do printf '%s=%s\\0' \"$name\" \"${{!name}}\"; done",
            script("engine").display(),
            state.display()
        );
        let output = Run::new("bash").args(["-c", &exports]).succeed().stdout;
        let pairs = output.split('\0').filter_map(|pair| pair.split_once('='));
        let env: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert!(env.iter().any(|(name, _)| name == "PATH"), "no environment for {name}: {output:?}");
        Self { name: name.to_owned(), env }
    }

    /// A command in the engine's environment.
    #[must_use]
    pub fn command(&self, program: &str) -> Run {
        // Found by us: PATH of the child is not used for the lookup of a plain name.
        let run = Run::new(self.find(program).unwrap_or_else(|| PathBuf::from(program)));
        self.env.iter().fold(run, |run, (name, value)| run.env(name, value))
    }

    /// A program in the engine's PATH.
    #[must_use]
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        self.var("PATH").split(':').map(|folder| PathBuf::from(folder).join(program)).find(|path| path.is_file())
    }

    /// `valetkey run` with these flags, and `--` behind them, in the engine's environment.
    #[must_use]
    pub fn lend(&self, flags: &[&str]) -> Run {
        let run = self.env.iter().fold(Run::new(valetkey()), |run, (name, value)| run.env(name, value));
        run.arg("run").args(flags).arg("--")
    }

    /// `valetkey` with these arguments, in the engine's environment.
    #[must_use]
    pub fn valetkey(&self, arguments: &[&str]) -> Run {
        let run = self.env.iter().fold(Run::new(valetkey()), |run, (name, value)| run.env(name, value));
        run.args(arguments)
    }

    /// A job: a shell with this script in the engine's environment, in which `valetkey` is found.
    #[must_use]
    pub fn job(&self, script: &str) -> Run {
        let program = valetkey();
        let folder = program.parent().expect("a folder").to_str().expect("a path in UTF-8");
        let path = format!("{folder}:{}", self.var("PATH"));
        self.command("bash").env("PATH", path).args(["-eu", "-o", "pipefail", "-c", script])
    }

    /// A variable of the engine's environment.
    #[must_use]
    pub fn var(&self, name: &str) -> &str {
        self.env.iter().find(|(of, _)| of == name).map_or("", |(_, value)| value)
    }

    /// A command in a container of an image.
    #[must_use]
    pub fn in_image(&self, image: &str, command: &[&str]) -> Run {
        let (program, rest) = command.split_first().expect("a command");
        if self.tool() == "docker" {
            let run = ["run", "--rm", "--network", "host", "--entrypoint", program, image];
            return self.command("docker").args(run).args(rest);
        }
        // Not `podman run`: 4.3 looks for the end of its container for 20 s here.
        let script = r#"container=$(buildah from --pull-never "$0") && buildah run --isolation chroot "$container" -- "$@"
            code=$?; buildah rm "$container" >&2; exit $code"#;
        self.command("sh").args(["-c", script, image]).args(command)
    }

    /// Whether an image holds a text anywhere: in its layers, its configuration or its history.
    #[must_use]
    pub fn image_holds(&self, image: &str, text: &str) -> bool {
        !self.found_in_image(image, &[text]).is_empty()
    }

    /// Those of the texts that an image holds anywhere, as [`Engine::image_holds`] looks.
    #[must_use]
    pub fn found_in_image(&self, image: &str, texts: &[&str]) -> Vec<String> {
        let plain = |text: &&str| !text.is_empty() && !text.contains('\n');
        assert!(!texts.is_empty() && texts.iter().all(plain), "cannot be searched for: {texts:?}");
        // Read to its end: a pipe that closes early would be a failure of `save`.
        let script = r#"set -o pipefail; tool=$0 image=$1; shift; { "$tool" save "$image" && "$tool" history --no-trunc "$image"; } |
            { LC_ALL=C grep --text --only-matching --fixed-strings "$@" || (($? == 1)); } | sort -u"#;
        let run = self.command("bash").args(["-c", script, self.tool(), image]);
        let found = texts.iter().fold(run, |run, text| run.args(["-e", text])).succeed().stdout;
        found.lines().map(str::to_owned).collect()
    }

    /// `docker` or `podman`.
    #[must_use]
    pub fn tool(&self) -> &'static str {
        if self.name.starts_with("docker") { "docker" } else { "podman" }
    }
}
