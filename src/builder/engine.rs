//! PURE: which tool and engine a typed command speaks to, the questions that they answer about
//! themselves, and what the answers mean.

use std::ffi::OsString;

use super::probe::Question;
use super::{Typed, base_name, docker, flags, podman};

/// The first Docker Engine and CLI with named contexts for their own BuildKit, by which the guest is
/// mounted.
pub const FIRST_DOCKER: (u32, u32) = (23, 0);
/// The first podman with `--build-context`.
pub const FIRST_PODMAN: (u32, u32) = (4, 2);
/// The first buildah with `--build-context`.
pub const FIRST_BUILDAH: (u32, u32) = (1, 26);
/// The first Docker Engine with BuildKit.
pub const FIRST_BUILDKIT: (u32, u32) = (18, 9);

/// The family of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `docker`, `docker-compose`, `docker-buildx`.
    Docker,
    /// `podman`, `podman-remote`, `podman-compose`.
    Podman,
    /// `buildah`.
    Buildah,
}

/// Which part of a tool does the building, beside the tool itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Compose.
    Compose,
    /// buildx.
    Buildx,
}

/// What a typed command speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The family of its tool.
    pub family: Family,
    /// The program that answers for the engine: `docker` for `docker-compose`.
    pub program: OsString,
    /// The global arguments that choose the engine.
    pub globals: Vec<OsString>,
    /// The program of [`Self::part`], where it stands alone (`docker-compose`).
    pub standalone: Option<OsString>,
    /// What builds.
    pub part: Option<Part>,
}

/// Reads a typed command; `None` where it is no builder that valetkey knows.
#[must_use]
pub fn asked(typed: &Typed) -> Option<Asked> {
    let name = base_name(&typed.program);
    let (family, part) = match name.as_str() {
        "docker" => (Family::Docker, None),
        "docker-compose" => (Family::Docker, Some(Part::Compose)),
        "docker-buildx" | "buildx" => (Family::Docker, Some(Part::Buildx)),
        "podman" | "podman-remote" | "podman-compose" => (Family::Podman, None),
        "buildah" => (Family::Buildah, None),
        _ => return None,
    };
    let standalone = part.map(|_| typed.program.clone());
    if standalone.is_some() || name == "podman-compose" {
        let program = if family == Family::Docker { "docker" } else { "podman" };
        return Some(Asked { family, program: program.into(), globals: Vec::new(), standalone, part });
    }
    let table = if family == Family::Docker { &docker::GLOBALS } else { &podman::GLOBALS };
    let walk = flags::walk(&typed.args, table);
    let at = walk.positional.first().copied().unwrap_or(typed.args.len());
    let part = match typed.args.get(at).and_then(|verb| verb.to_str()).filter(|_| family == Family::Docker) {
        Some("compose") => Some(Part::Compose),
        Some("buildx" | "build" | "image" | "builder") => Some(Part::Buildx),
        _ => None,
    };
    let globals = typed.args.get(..at).unwrap_or_default().iter().filter(|arg| *arg != "--help" && *arg != "-h");
    Some(Asked { family, program: typed.program.clone(), globals: globals.cloned().collect(), standalone, part })
}

impl Asked {
    fn question(&self, args: &[&str]) -> Question<'_> {
        let args = self.globals.iter().cloned().chain(args.iter().map(OsString::from)).collect();
        // 20.10 has named contexts in no case; with the variable its help is that of BuildKit.
        let env = vec![("DOCKER_BUILDKIT".into(), "1".into())];
        Question { program: &self.program, args, env, stdin: String::new() }
    }

    /// Asks for the versions of tool and engine.
    #[must_use]
    pub fn versions(&self) -> Question<'_> {
        match self.family {
            Family::Docker => self.question(&["version", "--format", "{{json .}}"]),
            Family::Podman => self.question(&["version", "--format", "json"]),
            Family::Buildah => self.question(&["--version"]),
        }
    }

    /// Asks for the version of the tool alone, where its engine keeps [`Self::versions`] waiting.
    #[must_use]
    pub fn client(&self) -> Option<Question<'_>> {
        (self.family == Family::Docker).then(|| self.question(&["--version"]))
    }

    /// Asks where the engine is: its address as text.
    #[must_use]
    pub fn place(&self) -> Option<Question<'_>> {
        let format = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
        (self.family == Family::Docker).then(|| self.question(&format))
    }

    /// Asks for the version of what builds.
    #[must_use]
    pub fn part_version(&self) -> Option<Question<'_>> {
        let words: &[&str] = match self.part? {
            Part::Compose => &["compose", "version", "--short"],
            Part::Buildx => &["buildx", "version"],
        };
        Some(match &self.standalone {
            Some(program) => {
                let args = words.iter().skip(1).map(OsString::from).collect();
                Question { program, args, env: vec![], stdin: String::new() }
            }
            None => self.question(words),
        })
    }

    /// Asks for the engine's own clock.
    #[must_use]
    pub fn clock(&self) -> Option<Question<'_>> {
        (self.family == Family::Docker).then(|| self.question(&["info", "--format", "{{.SystemTime}}"]))
    }
}

/// Versions as a tool told them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Of the tool.
    pub client: Option<String>,
    /// Of the engine; none where there is none, or it did not answer.
    pub server: Option<String>,
}

/// Reads the answer to [`Asked::client`]: `Docker version 28.5.1, build 0000000`.
#[must_use]
pub fn client(stdout: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stdout);
    let version = text.split_whitespace().nth(2)?.trim_end_matches(',');
    numbers(version).map(|_| version.to_owned())
}

/// Reads the answer to [`Asked::versions`].
#[must_use]
pub fn versions(family: Family, stdout: &[u8]) -> Versions {
    if family == Family::Buildah {
        let text = String::from_utf8_lossy(stdout);
        let client = text.split_whitespace().nth(2).map(str::to_owned);
        return Versions { client, server: None };
    }
    let answer: serde_json::Value = serde_json::from_slice(stdout).unwrap_or_default();
    let of = |part: &str| answer[part]["Version"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Versions { client: of("Client"), server: of("Server") }
}

/// Major and minor of a version: `28.5.1+dfsg`, `v0.29.1`, `2.40.3-3`, also behind a name.
#[must_use]
pub fn numbers(version: &str) -> Option<(u32, u32)> {
    let words = version.split_whitespace().map(|word| word.trim_start_matches('v'));
    let word = words.into_iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = word.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        let mut words = line.split(' ').map(OsString::from);
        Typed { program: words.next().unwrap(), args: words.collect() }
    }

    #[test]
    fn the_engine_is_asked_with_the_flags_that_choose_it() {
        for (line, question) in [
            ("docker build .", "docker version --format {{json .}}"),
            ("docker --context far build .", "docker --context far version --format {{json .}}"),
            (
                "/usr/bin/docker -H tcp://h:1 compose -f x build",
                "/usr/bin/docker -H tcp://h:1 version --format {{json .}}",
            ),
            ("docker-compose build", "docker version --format {{json .}}"),
            ("podman --url unix:///x build .", "podman --url unix:///x version --format json"),
            ("buildah bud .", "buildah --version"),
        ] {
            let asked = asked(&typed(line)).unwrap();
            let asked = asked.versions();
            let words = std::iter::once(asked.program.to_owned()).chain(asked.args);
            let words: Vec<String> = words.map(|word| word.into_string().unwrap()).collect();
            assert_eq!(words.join(" "), question, "{line}");
        }
        assert_eq!(asked(&typed("make image")), None);
    }

    #[test]
    fn what_builds_is_told_by_the_verb() {
        for (line, part) in [
            ("docker compose build", Some(Part::Compose)),
            ("docker-compose build", Some(Part::Compose)),
            ("docker build .", Some(Part::Buildx)),
            ("docker buildx bake", Some(Part::Buildx)),
            ("docker ps", None),
            ("podman build .", None),
        ] {
            assert_eq!(asked(&typed(line)).unwrap().part, part, "{line}");
        }
    }

    #[test]
    fn versions_are_read_from_what_each_tool_prints() {
        let docker = br#"{"Client":{"Version":"28.5.1+dfsg"},"Server":{"Version":"20.10.24"}}"#;
        let read = versions(Family::Docker, docker);
        assert_eq!((read.client.as_deref(), read.server.as_deref()), (Some("28.5.1+dfsg"), Some("20.10.24")));
        assert_eq!(versions(Family::Docker, br#"{"Client":{"Version":"28.5.1"},"Server":null}"#).server, None);
        let buildah = versions(Family::Buildah, b"buildah version 1.28.2 (image-spec 1.0.2-dev)\n");
        assert_eq!(buildah.client.as_deref(), Some("1.28.2"));
        assert_eq!(client(b"Docker version 28.5.1, build 0000000").as_deref(), Some("28.5.1"));
        assert_eq!(client(b"docker is what this is"), None);
        assert_eq!(versions(Family::Podman, b"no JSON"), Versions::default());
        for (text, read) in [
            ("28.5.1+dfsg", Some((28, 5))),
            ("v2.40.3", Some((2, 40))),
            ("github.com/docker/buildx v0.29.1 abc", Some((0, 29))),
            ("github.com/docker/buildx 0.13.1+ds1 x", Some((0, 13))),
            ("dev", None),
        ] {
            assert_eq!(numbers(text), read, "{text}");
        }
    }
}
