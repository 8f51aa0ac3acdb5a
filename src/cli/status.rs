//! `valetkey status`: the leases that `start` left in the background.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::start::background::now;
use super::stop::{Said, VARIABLE, understood};
use crate::exit::Code;
use crate::lease::control::{self, ControlError, Question};
use crate::lease::{self, Places};
use crate::ui::{self, Failure};

/// What `valetkey status` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct StatusArgs {
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey status
  valetkey status --json | jq '.[].given.lease'

A lease of `valetkey run` ends with its command and is not shown.";

/// Shows every lease of this user that lives in the background.
///
/// # Errors
/// [`Failure`] where one does not answer.
pub fn run(args: &StatusArgs) -> Result<u8, Failure> {
    let held = Places::from_env().held();
    let mut leases: Vec<PathBuf> = held.into_iter().filter(|folder| folder.join(lease::FILE).exists()).collect();
    // What this job was given may lie where this step would not look.
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    leases.extend(named.filter(|named| lease::is_held(named) && !leases.contains(named)));
    let mut all = Vec::new();
    for folder in leases {
        match control::ask(&folder, Question::Status) {
            Ok(said) => all.push((folder.clone(), said)),
            // Ended between the look and the question.
            Err(ControlError::Over(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if args.json {
        let documents = all.iter().map(|(folder, said)| document(said, folder)).collect::<Result<Vec<_>, _>>()?;
        let text = serde_json::to_string_pretty(&json!(documents))
            .map_err(|error| Failure::new(Code::Internal, format!("failed to write JSON: {error}")))?;
        ui::line(&text);
        return Ok(0);
    }
    if all.is_empty() {
        ui::note("no lease is in the background");
    }
    for (folder, said) in &all {
        shown(&understood(said, folder)?).iter().for_each(|line| ui::line(line));
    }
    Ok(0)
}

fn document(said: &[u8], folder: &Path) -> Result<Value, Failure> {
    let said = understood(said, folder)?;
    Ok(json!({ "given": said.given, "receipt": said.receipt }))
}

/// The lines for one lease.
fn shown(said: &Said) -> Vec<String> {
    let given = &said.given;
    let who = if given.peers == "user" { "every process of this user" } else { "its descendants" };
    let mut lines = vec![given.lease.display().to_string()];
    lines.push(format!(
        "  process {}, until {} ({}) ends, for {} more; answers {who}",
        given.pid,
        given.until_exit.name,
        given.until_exit.pid,
        span(given.seconds_left(now()))
    ));
    for socket in &given.sockets {
        lines.push(format!("  ssh id {}: {}", socket.id, socket.path.display()));
    }
    lines.extend(said.summary.iter().map(|line| format!("  {line}")));
    lines
}

/// Seconds as a person reads them.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_shown_in_the_unit_that_fits() {
        assert_eq!(
            [0, 119, 120, 7199, 7200, 9000].map(span),
            ["0 s", "119 s", "2 min", "119 min", "2 h 0 min", "2 h 30 min"]
        );
    }
}
