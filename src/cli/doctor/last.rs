//! `valetkey doctor --last`: the last lease, and why a build did not get what it was lent.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;

use super::DoctorArgs;
use crate::diagnosis::{self, Diagnosis, Facts, Signs, Watch, Watched};
use crate::exit::Code;
use crate::last_lease;
use crate::ui::{self, Failure};

/// Bytes of a saved log that are read.
const MAX_LOG: u64 = 256 << 20;
/// Bytes that are read of it at once.
const PIECE: usize = 64 * 1024;

/// What `--json` prints.
#[derive(Serialize)]
struct Explained<'a> {
    format: &'static str,
    last: &'a Facts,
    notes: &'a [String],
    diagnoses: &'a [Diagnosis],
}

/// Explains the last lease.
///
/// # Errors
/// [`Failure`] where none was recorded, or a record or log cannot be read.
pub(super) fn run(args: &DoctorArgs) -> Result<u8, Failure> {
    let mut facts = last_lease::read()?;
    if let Some(path) = &args.output {
        facts = facts.with_signs(log(path)?);
    }
    let notes = notes(&facts, args.output.is_some());
    let diagnoses = diagnosis::explain(&facts);
    if args.json {
        let explained =
            Explained { format: "valetkey-doctor-last/1", last: &facts, notes: &notes, diagnoses: &diagnoses };
        let json = serde_json::to_string_pretty(&explained);
        let json = json.map_err(|error| Failure::new(Code::Internal, format!("failed to write JSON: {error}")))?;
        ui::line(&json);
    } else {
        lines(&facts, &notes, &diagnoses).iter().for_each(|line| ui::line(&ui::one_line(line)));
    }
    Ok(0)
}

fn log(path: &Path) -> Result<Signs, Failure> {
    let failed =
        |error: io::Error| Failure::new(Code::Usage, format!("failed to read the log {}: {error}", path.display()));
    if path == Path::new("-") {
        return signs(io::stdin().lock(), MAX_LOG).map_err(failed);
    }
    let file = File::open(path).map_err(failed)?;
    signs(file, MAX_LOG).map_err(failed)
}

/// The signs in a log of no more than `most` bytes.
fn signs(mut from: impl Read, most: u64) -> io::Result<Signs> {
    let (mut watch, mut bytes, mut sum) = (Watch::default(), vec![0; PIECE], 0);
    loop {
        let count = match from.read(&mut bytes) {
            Ok(0) => return Ok(watch.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sum += count as u64;
        if sum > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        watch.see(bytes.get(..count).unwrap_or_default());
    }
}

/// What is not known, and how it could be.
fn notes(facts: &Facts, has_log: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let unseen = match facts.watched {
        _ if has_log => None,
        Watched::All => None,
        Watched::Part => Some("one of the command's two streams went to a terminal, and was not looked at"),
        Watched::Terminal => Some("the command's output went to a terminal, and was not looked at"),
        Watched::NotMasked => Some("the command's output was not looked at, because of --no-mask"),
        Watched::Elsewhere => Some("valetkey did not start the builds of this lease, and saw nothing of their output"),
    };
    if let Some(unseen) = unseen {
        notes.push(format!(
            "{unseen}: what follows is from what was asked of valetkey, and from the Dockerfiles, alone"
        ));
        notes.push(if facts.tool.starts_with("docker") || facts.watched == Watched::Elsewhere {
            "with the build's log it is more certain: docker buildx history logs | valetkey doctor --last --output -"
                .into()
        } else {
            "with the build's log it is more certain: valetkey doctor --last --output FILE".into()
        });
    }
    if facts.recipes.is_empty() && facts.lends && facts.watched != Watched::Elsewhere {
        notes.push("no Dockerfile of the command is known, so that no step can be named".into());
    }
    notes
}

/// The explanation for a person.
fn lines(facts: &Facts, notes: &[String], diagnoses: &[Diagnosis]) -> Vec<String> {
    let ended = facts.exit_code.map_or_else(String::new, |code| format!(", ended with {code}"));
    let mut lines = vec![
        format!("the last lease: {} in {}{ended}", facts.tool, facts.folder),
        format!(
            "  lent by {}; {} signed, {} carried, {} refused",
            facts.lending,
            plural(facts.logins, "login"),
            plural(facts.carried, "command"),
            facts.refusals.iter().map(|refusal| refusal.count).sum::<u64>(),
        ),
    ];
    lines.extend(notes.iter().map(|note| format!("  note: {note}")));
    for diagnosis in diagnoses {
        lines.push(String::new());
        lines.push(format!("{} ({}, {})", diagnosis.says, diagnosis.certainty, diagnosis.id));
        lines.extend(diagnosis.seen.iter().map(|seen| format!("  seen: {seen}")));
        lines.push(format!("  do: {}", diagnosis.remedy));
    }
    if diagnoses.is_empty() {
        lines.push(String::new());
        lines.push(match (facts.failed(), facts.lends) {
            (_, false) => "nothing was lent to this command".into(),
            (true, _) => "nothing speaks for access: what was lent was used, and nothing was refused".into(),
            (false, _) => "nothing went wrong".into(),
        });
    }
    lines
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_at_the_limit_is_read_and_one_past_it_is_refused() {
        assert_eq!(signs(&b"ssh: not found\n"[..], 15).unwrap().all.len(), 1);
        assert!(signs(&b"ssh: not found\n"[..], 14).is_err());
    }
}
