//! Asks the build tool and its engine about themselves. Each answer has a time limit, because an
//! engine that is not reached may be silent.

use std::time::{Duration, SystemTime};

use super::machine::EngineClock;
use super::{Settings, command};
use crate::builder::engine::{self, Asked};
use crate::builder::probe::{Output, Question, System};
use crate::builder::{Probe as _, Typed};
use crate::doctor::tool::{Facts, NoAnswer, judge};
use crate::doctor::{Check, Section, clock};
use crate::exit::Code;

/// How long one answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// The most bytes of one.
const OUTPUT_LIMIT: u64 = 1 << 20;
/// The most characters of a tool's own words.
const MAX_SAID: usize = 500;

/// What the tool said of itself.
pub(super) struct Told {
    pub(super) checks: Vec<Check>,
    /// Whether it can be asked what it would build.
    pub(super) is_there: bool,
    pub(super) clock: Option<EngineClock>,
}

/// Asks the tool of this command.
pub(super) fn ask(typed: &Typed, was_typed: bool, settings: &Settings, probe: &System) -> Told {
    let program = typed.program.to_string_lossy().into_owned();
    let Some(asked) = engine::asked(typed) else {
        let (check, is_there) = other(typed, &program);
        return Told { checks: vec![check], is_there, clock: None };
    };
    let mut probe = probe.clone().with_limits(TIME_LIMIT, OUTPUT_LIMIT);
    let versions = answer(&mut probe, &asked.versions()).and_then(|output| {
        let versions = engine::versions(asked.family, &output.stdout);
        let said = last_line(&output.stderr);
        if output.success || versions.client.is_some() { Ok((versions, said)) } else { Err(NoAnswer::Said(said)) }
    });
    let is_there = !matches!(versions, Err(NoAnswer::Missing)) || asked.standalone.is_some();
    let has_engine = versions.as_ref().is_ok_and(|(versions, _)| versions.server.is_some());
    let facts = Facts {
        program: asked.program.to_string_lossy().into_owned(),
        family: asked.family,
        versions,
        place: asked.place().and_then(|question| text(&mut probe, &question).ok()),
        part: asked.part.zip(asked.part_version().map(|question| text(&mut probe, &question))),
        by_gateway: settings.wanted.iter().any(|wanted| settings.by_gateway(&wanted.id)),
    };
    let clock = has_engine.then(|| engine_clock(&asked, &mut probe)).flatten();
    let mut checks = judge(&facts);
    // What a person did not type may be another's: none of these tools is there.
    if !was_typed && !is_there {
        checks.iter_mut().for_each(|check| {
            check.hint = Some("install it, or name another: valetkey doctor -- podman build .".into())
        });
    }
    Told { checks, is_there, clock }
}

/// A program that is no builder: what it starts finds the agent.
fn other(typed: &Typed, program: &str) -> (Check, bool) {
    if command::find(&typed.program).is_none() {
        let check = Check::failure(Section::Tool, "tool", Code::NotFound, format!("there is no program {program}"));
        return (check.with_hint("install it, or check PATH"), false);
    }
    let said = format!(
        "{program} is no builder that valetkey knows: it gets SSH_AUTH_SOCK, and what it builds is not looked at"
    );
    (
        Check::warning(Section::Tool, "tool", said)
            .with_hint("name the build itself: valetkey doctor -- docker build ."),
        true,
    )
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
