//! Asks the build tool and its engine about themselves. Each answer has a time limit, because an
//! engine that is not reached may be silent.

use std::time::{Duration, SystemTime};

use super::machine::EngineClock;
use super::{Settings, command};
use crate::builder::engine::{self, Asked, Versions};
use crate::builder::probe::{Output, Question, System};
use crate::builder::{Probe as _, Typed};
use crate::doctor::tool::{Facts, NoAnswer, judge};
use crate::doctor::{Check, Section, clock};
use crate::exit::Code;

/// The most bytes of one.
const OUTPUT_LIMIT: u64 = 1 << 20;
/// The most characters of a tool's own words.
const MAX_SAID: usize = 500;
const MISSING: &str = "install it, or check PATH";
const OTHERS: &str = "install it, or name another: valetkey doctor -- podman build .";

/// What the tool said of itself.
pub(super) struct Told {
    pub(super) checks: Vec<Check>,
    /// Whether it can be asked what it would build.
    pub(super) is_there: bool,
    pub(super) clock: Option<EngineClock>,
}

/// Asks the tool of this command.
pub(super) fn ask(typed: &Typed, was_typed: bool, settings: &Settings, probe: &System, timeout: Duration) -> Told {
    let program = typed.program.to_string_lossy().into_owned();
    if command::find(&typed.program).is_none() {
        let check = Check::failure(Section::Tool, "tool", Code::NotFound, format!("there is no program {program}"));
        let hint = if was_typed { MISSING } else { OTHERS };
        return Told { checks: vec![check.with_hint(hint)], is_there: false, clock: None };
    }
    let Some(asked) = engine::asked(typed) else {
        return Told { checks: vec![other(&program)], is_there: true, clock: None };
    };
    let mut probe = probe.clone().with_limits(timeout, OUTPUT_LIMIT);
    let versions = answer(&mut probe, &asked.versions()).and_then(|output| {
        let versions = engine::versions(asked.family, &output.stdout);
        let said = last_line(&output.stderr);
        if output.success || versions.client.is_some() { Ok((versions, said)) } else { Err(NoAnswer::Said(said)) }
    });
    // An engine that is silent keeps the tool from telling its own version.
    let versions = match versions {
        Err(NoAnswer::Said(said)) => {
            let answer = asked.client().and_then(|question| answer(&mut probe, &question).ok());
            let client = answer.and_then(|output| engine::client(&output.stdout));
            let alone = |client| Ok((Versions { client: Some(client), server: None }, said.clone()));
            client.map_or_else(|| Err(NoAnswer::Said(said.clone())), alone)
        }
        versions => versions,
    };
    let is_there = !matches!(versions, Err(NoAnswer::Missing)) || asked.standalone.is_some();
    let has_engine = versions.as_ref().is_ok_and(|(versions, _)| versions.server.is_some());
    let facts = Facts {
        program: asked.program.to_string_lossy().into_owned(),
        family: asked.family,
        versions,
        place: asked.place().and_then(|question| text(&mut probe, &question).ok()),
        part: asked.part.zip(asked.part_version().map(|question| text(&mut probe, &question))),
        standalone: asked.standalone.is_some(),
        by_gateway: settings.wanted.iter().any(|wanted| settings.by_gateway(&wanted.id)),
    };
    let clock = has_engine.then(|| engine_clock(&asked, &mut probe)).flatten();
    Told { checks: judge(&facts), is_there, clock }
}

/// A program that is no builder: what it starts finds the agent.
fn other(program: &str) -> Check {
    let said = format!(
        "{program} is no builder that valetkey knows: it gets SSH_AUTH_SOCK, and what it builds is not looked at"
    );
    Check::warning(Section::Tool, "tool", said).with_hint("name the build itself: valetkey doctor -- docker build .")
}

fn answer(probe: &mut System, question: &Question<'_>) -> Result<Output, NoAnswer> {
    probe.output(question).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => NoAnswer::Missing,
        _ => NoAnswer::Said(error.to_string()),
    })
}

/// One line of an answer.
fn text(probe: &mut System, question: &Question<'_>) -> Result<String, NoAnswer> {
    let output = answer(probe, question)?;
    if output.success { Ok(last_line(&output.stdout)) } else { Err(NoAnswer::Said(last_line(&output.stderr))) }
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    last.chars().take(MAX_SAID).collect()
}

fn engine_clock(asked: &Asked, probe: &mut System) -> Option<EngineClock> {
    let question = asked.clock()?;
    let before = SystemTime::now();
    let shown = clock::parse(&text(probe, &question).ok()?)?;
    Some((before, shown, SystemTime::now()))
}
