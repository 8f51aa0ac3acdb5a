//! `valetkey stop`: ends a lease in the background, and says what it did.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::start::given::Given;
use super::start::output::{replace, shell_back};
use crate::exit::Code;
use crate::lease::control::{self, ControlError, Question};
use crate::lease::{self, Places};
use crate::ui::{self, Failure};

/// The variable that names a lease.
pub(super) const VARIABLE: &str = "VALETKEY_LEASE";

/// What `valetkey stop` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct StopArgs {
    /// The lease, as `status` shows it [default: the one that VALETKEY_LEASE names, else the only
    /// one there is]
    #[arg(long, value_name = "FOLDER", conflicts_with = "all")]
    pub lease: Option<PathBuf>,
    /// End every lease of this user
    #[arg(long)]
    pub all: bool,
    /// Write what was lent, signed and refused to this file, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub receipt: Option<PathBuf>,
    /// Print no summary; refusals are still shown
    #[arg(short, long)]
    pub quiet: bool,
}

const AFTER_HELP: &str = "\
Examples:
  eval \"$(valetkey stop)\"                  and the variables are what they were before
  valetkey stop --receipt receipt.json
  valetkey stop --all

A lease that is over already is no error: its summary is shown where it is still known.";

/// What a lease says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub(super) given: Given,
    pub(super) summary: Vec<String>,
    pub(super) receipt: Value,
}

/// How a lease was found.
enum Found {
    /// It ended now, or by itself before.
    Ended(Box<Said>),
    /// Its process was killed, and could say nothing.
    Killed(Option<Box<Given>>),
}

/// Ends leases.
///
/// # Errors
/// [`Failure`] where it cannot be told which lease is meant, one does not answer, or the receipt
/// cannot be written.
pub fn run(args: &StopArgs) -> Result<u8, Failure> {
    let places = Places::from_env();
    if args.all {
        for folder in places.held() {
            end(args, &folder)?;
        }
        return Ok(0);
    }
    match which(args.lease.as_deref(), &places)? {
        Some(folder) => end(args, &folder)?,
        None => ui::note("no lease is there to be ended"),
    }
    Ok(0)
}

/// The lease that is meant; none where there is none.
pub(super) fn which(typed: Option<&Path>, places: &Places) -> Result<Option<PathBuf>, Failure> {
    let named = || std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    if let Some(folder) = typed.map(Path::to_owned).or_else(named) {
        return Ok(Some(folder));
    }
    let mut held: Vec<PathBuf> = places.held().into_iter().filter(|folder| folder.join(lease::FILE).exists()).collect();
    if held.len() > 1 {
        let all: Vec<String> = held.iter().map(|folder| folder.display().to_string()).collect();
        return Err(Failure::new(Code::Usage, format!("{} leases are there", all.len()))
            .with_hint(format!("name one with --lease: {}", all.join(", "))));
    }
    Ok(held.pop())
}

fn end(args: &StopArgs, folder: &Path) -> Result<(), Failure> {
    let named_here = std::env::var_os(VARIABLE).is_some_and(|name| Path::new(&name) == folder);
    let found = match control::ask(folder, Question::Stop) {
        Ok(said) => Found::Ended(Box::new(understood(&said, folder)?)),
        Err(ControlError::Over(_)) => over(folder)?,
        Err(error) => return Err(error.into()),
    };
    let given = match &found {
        Found::Ended(said) => Some(&said.given),
        Found::Killed(given) => given.as_deref(),
    };
    match &found {
        Found::Ended(said) => {
            let shown = said.summary.iter().filter(|line| !args.quiet || line.starts_with("refused"));
            shown.for_each(|line| ui::note(line));
            if let Some(path) = &args.receipt {
                let text = serde_json::to_string_pretty(&said.receipt)
                    .map_err(|error| Failure::new(Code::Internal, format!("failed to write the receipt: {error}")))?;
                replace(path, &format!("{text}\n"))?;
            }
        }
        Found::Killed(_) => {
            ui::note(&format!("the lease {} is over already, and nothing is known of it any more", folder.display()));
            if args.receipt.is_some() {
                ui::warning("its process was killed, so there is no receipt");
            }
        }
    }
    if let Some(given) = given.filter(|_| named_here) {
        ui::write(shell_back(&given.variables).as_bytes());
    }
    Ok(())
}

/// A lease whose process is gone: what it left to say, and nothing of its folder.
fn over(folder: &Path) -> Result<Found, Failure> {
    if let Some(said) = lease::take_ended(folder) {
        return Ok(Found::Ended(Box::new(understood(&said, folder)?)));
    }
    let given = Given::read(folder).ok().map(Box::new);
    lease::clear(folder);
    Ok(Found::Killed(given))
}

pub(super) fn understood(said: &[u8], folder: &Path) -> Result<Said, Failure> {
    serde_json::from_slice(said).map_err(|error| {
        Failure::new(Code::Lease, format!("failed to understand the lease {}: {error}", folder.display()))
    })
}
