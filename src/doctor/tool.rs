//! The build tool and its engine: what they answered, and whether a lent key gets through.

use super::check::{Check, Section};
use crate::builder::engine::{
    FIRST_BUILDAH, FIRST_BUILDKIT, FIRST_DOCKER, FIRST_PODMAN, Family, Part, Versions, numbers,
};
use crate::exit::Code;

const TOOL: Section = Section::Tool;

/// Why a program gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// There is no such program.
    Missing,
    /// It said this, and failed.
    Said(String),
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The program, as typed.
    pub program: String,
    /// Its family.
    pub family: Family,
    /// Its versions, and what it said beside them.
    pub versions: Result<(Versions, String), NoAnswer>,
    /// Where the engine is, as an address.
    pub place: Option<String>,
    /// What builds, and its version.
    pub part: Option<(Part, Result<String, NoAnswer>)>,
    /// Whether [`Self::part`] is a program of its own, which works without the tool.
    pub standalone: bool,
    /// Whether a grant is lent by gateway, which takes named contexts.
    pub by_gateway: bool,
}

/// Judges them.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Check> {
    let program = &facts.program;
    let (versions, said) = match &facts.versions {
        Ok((versions, said)) => (versions, said),
        Err(NoAnswer::Missing) if facts.standalone => {
            let why = format!("there is no program {program} that could be asked for it");
            let engine = Check::not_checked(TOOL, "engine", "the engine", &why);
            return part(facts, &Versions::default()).into_iter().chain([engine]).collect();
        }
        Err(NoAnswer::Missing) => {
            let check = Check::failure(TOOL, "tool", Code::NotFound, format!("there is no program {program}"));
            return vec![check.with_hint("install it, or check PATH")];
        }
        Err(NoAnswer::Said(said)) => {
            let check =
                Check::failure(TOOL, "tool", Code::Builder, format!("{program} does not tell its version: {said}"));
            return vec![check.with_hint("run it by itself to see what is wrong with it")];
        }
    };
    let mut checks = Vec::new();
    match &versions.client {
        Some(client) => checks.push(Check::ok(TOOL, "tool", format!("{program} {client}"))),
        None => checks.push(Check::warning(TOOL, "tool", format!("{program} tells no version that is understood"))),
    }
    if facts.family == Family::Docker {
        checks.extend(engine(facts, versions, said));
        checks.extend(part(facts, versions));
    }
    checks.extend(contexts(facts, versions));
    checks
}

/// The engine behind `docker`, and its BuildKit.
fn engine(facts: &Facts, versions: &Versions, said: &str) -> Vec<Check> {
    let place = facts.place.as_deref().map_or_else(String::new, |place| format!(" at {place}"));
    let Some(server) = &versions.server else {
        let said = if said.is_empty() { "it does not answer" } else { said };
        let check = Check::failure(TOOL, "engine", Code::Builder, format!("no engine answers{place}: {said}"));
        return vec![check.with_hint("start it, or check DOCKER_HOST and `docker context ls`")];
    };
    let mut checks = vec![Check::ok(TOOL, "engine", format!("engine {server}{place}{}", reach(facts)))];
    checks.push(match numbers(server) {
        Some(version) if version < FIRST_BUILDKIT => {
            let check = Check::failure(TOOL, "buildkit", Code::Builder, format!("engine {server} has no BuildKit"));
            check.with_hint("BuildKit came with Docker 18.09: update the engine")
        }
        _ => Check::ok(TOOL, "buildkit", "the engine has BuildKit, which forwards an agent"),
    });
    checks
}

/// How a remote engine is reached.
fn reach(facts: &Facts) -> &'static str {
    match facts.place.as_deref().and_then(|place| place.split_once("://")) {
        None | Some(("unix" | "npipe" | "fd", _)) => "",
        Some(("ssh", _)) => ", another machine (SSH, with your own agent: SSH_AUTH_SOCK stays for that)",
        Some(_) => ", another machine (the agent is forwarded from here, and so works there too)",
    }
}

/// Compose or buildx.
fn part(facts: &Facts, versions: &Versions) -> Option<Check> {
    let (part, version) = facts.part.as_ref()?;
    let (name, word) = match part {
        Part::Compose => ("compose", "Compose"),
        Part::Buildx => ("buildx", "buildx"),
    };
    let with_buildx = versions.client.as_deref().and_then(numbers).is_some_and(|client| client >= FIRST_DOCKER);
    Some(match version {
        Ok(version) if *part == Part::Compose && numbers(version).is_some_and(|(major, _)| major < 2) => {
            let check = Check::failure(TOOL, name, Code::Builder, format!("Compose {version} knows no `build.ssh`"));
            check.with_hint("install Docker Compose 2")
        }
        Ok(version) => Check::ok(TOOL, name, format!("{word} {version}")),
        // The CLI builds with BuildKit itself.
        Err(_) if *part == Part::Buildx && !with_buildx => Check::ok(
            TOOL,
            name,
            "there is no buildx, and this docker needs none: valetkey sets DOCKER_BUILDKIT=1 for it",
        ),
        Err(why) => {
            let why = match why {
                NoAnswer::Missing => "there is no such program",
                NoAnswer::Said(said) => said,
            };
            let check = Check::failure(TOOL, name, Code::Builder, format!("{word} does not answer: {why}"));
            check.with_hint(format!("install the plugin docker-{name}"))
        }
    })
}

/// Whether tool and engine know named contexts; `None` where their versions do not say it.
fn has_contexts(family: Family, versions: &Versions) -> Option<bool> {
    let client = versions.client.as_deref().and_then(numbers)?;
    let first = match family {
        Family::Docker => FIRST_DOCKER,
        Family::Podman => FIRST_PODMAN,
        Family::Buildah => FIRST_BUILDAH,
    };
    let server = versions.server.as_deref().and_then(numbers).filter(|_| family == Family::Docker);
    Some(client >= first && server.is_none_or(|server| server >= first))
}

fn contexts(facts: &Facts, versions: &Versions) -> Option<Check> {
    let (name, what) = ("named-contexts", "named contexts, by which the gateway's guest is mounted");
    Some(match (has_contexts(facts.family, versions)?, facts.by_gateway) {
        (true, _) => Check::ok(TOOL, name, format!("{} has {what}", facts.program)),
        (false, false) => Check::ok(TOOL, name, format!("{} has no {what}; no grant asks for them", facts.program)),
        (false, true) => {
            let said = format!("this {} or its engine is too old for {what}", facts.program);
            Check::failure(TOOL, name, Code::Builder, said).with_hint(
                "named contexts came with Docker 23, podman 4.2 and buildah 1.26; or lend the keys themselves: --lend agent",
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn docker(client: &str, server: Option<&str>) -> Facts {
        let versions = Versions { client: Some(client.into()), server: server.map(str::to_owned) };
        Facts {
            program: "docker".into(),
            family: Family::Docker,
            versions: Ok((versions, String::new())),
            place: Some("unix:///var/run/docker.sock".into()),
            part: Some((Part::Buildx, Ok("v0.29.1".into()))),
            standalone: false,
            by_gateway: true,
        }
    }

    fn states(facts: &Facts) -> Vec<(&'static str, State)> {
        judge(facts).into_iter().map(|check| (check.name, check.state)).collect()
    }

    const STOPS: State = State::Failure(Code::Builder);

    #[test]
    fn a_tool_and_an_engine_of_today_are_fine() {
        let all = ["tool", "engine", "buildkit", "buildx", "named-contexts"].map(|name| (name, State::Ok));
        assert_eq!(states(&docker("28.5.1+dfsg", Some("28.5.1+dfsg"))), all);
        assert_eq!(states(&docker("23.0.0", Some("23.0.0"))), all);
    }

    #[test]
    fn an_old_tool_or_engine_has_no_named_contexts_and_that_matters_by_gateway_alone() {
        for (client, server) in [("20.10.24", "20.10.24"), ("28.5.1", "20.10.24"), ("20.10.24", "28.5.1")] {
            let mut facts = docker(client, Some(server));
            assert!(states(&facts).contains(&("named-contexts", STOPS)), "{client} {server}");
            facts.by_gateway = false;
            assert!(states(&facts).contains(&("named-contexts", State::Ok)), "{client} {server}");
        }
        for (family, client, state) in [
            (Family::Podman, "4.1.9", STOPS),
            (Family::Podman, "4.2.0", State::Ok),
            (Family::Buildah, "1.25.1", STOPS),
            (Family::Buildah, "1.26.0", State::Ok),
        ] {
            let facts = Facts { family, part: None, ..docker(client, None) };
            assert_eq!(states(&facts), [("tool", State::Ok), ("named-contexts", state)], "{client}");
        }
        let unknown = docker("dev", Some("28.0.0"));
        assert!(!states(&unknown).iter().any(|(name, _)| *name == "named-contexts"));
    }

    #[test]
    fn an_engine_that_does_not_answer_is_named_with_its_address_and_its_own_words() {
        let mut facts = docker("28.5.1", None);
        facts.versions = facts.versions.map(|(versions, _)| (versions, "permission denied".into()));
        let checks = judge(&facts);
        let engine = checks.iter().find(|check| check.name == "engine").unwrap();
        assert_eq!(engine.state, STOPS);
        assert_eq!(engine.said, "no engine answers at unix:///var/run/docker.sock: permission denied");
    }

    #[test]
    fn a_remote_engine_is_said() {
        for (place, word) in [("ssh://me@far", "SSH"), ("tcp://far:2376", "another machine")] {
            let facts = Facts { place: Some(place.into()), ..docker("28.5.1", Some("28.5.1")) };
            let checks = judge(&facts);
            assert!(checks[1].said.contains(word), "{:?}", checks[1]);
        }
    }

    #[test]
    fn what_is_missing_stops_what_needs_it() {
        let facts = Facts { versions: Err(NoAnswer::Missing), ..docker("28.5.1", None) };
        assert_eq!(states(&facts), [("tool", State::Failure(Code::NotFound))]);
        let facts = Facts { versions: Err(NoAnswer::Said("broken".into())), ..docker("28.5.1", None) };
        assert_eq!(states(&facts), [("tool", STOPS)]);
        let without = |client: &str, part: Part, version: Result<String, NoAnswer>| {
            let facts = Facts { part: Some((part, version)), ..docker(client, Some("28.5.1")) };
            let name = if part == Part::Compose { "compose" } else { "buildx" };
            states(&facts).into_iter().find(|(of, _)| *of == name).unwrap().1
        };
        let missing = || Err(NoAnswer::Said("docker: 'buildx' is not a docker command".into()));
        assert_eq!(without("28.5.1", Part::Buildx, missing()), STOPS);
        assert_eq!(without("20.10.24", Part::Buildx, missing()), State::Ok);
        assert_eq!(without("20.10.24", Part::Compose, missing()), STOPS);
        assert_eq!(without("28.5.1", Part::Compose, Ok("1.29.2".into())), STOPS);
        assert_eq!(without("28.5.1", Part::Compose, Ok("2.40.3".into())), State::Ok);
        let alone = |version| Facts {
            part: Some((Part::Compose, version)),
            versions: Err(NoAnswer::Missing),
            standalone: true,
            ..docker("28.5.1", None)
        };
        let unknown = ("engine", State::NotChecked);
        assert_eq!(states(&alone(Ok("2.40.3".into()))), [("compose", State::Ok), unknown]);
        assert_eq!(states(&alone(Ok("1.29.2".into()))), [("compose", STOPS), unknown]);
        let old = docker("28.5.1", Some("18.06.1"));
        assert!(states(&old).contains(&("buildkit", STOPS)));
    }
}
