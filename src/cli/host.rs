//! `valetkey host`: pins as a person sees and changes them.
//!
//! Owns the decision what is stored: a key whose fingerprint was given, or that a person at a
//! terminal confirmed, and nothing else. Refuses revoked keys always, and changed ones without
//! `--replace` together with `--fingerprint`.

mod add;
mod list;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit::Code;
use crate::hosts::load::stored_path;
use crate::hosts::{Fingerprint, HostKeyStatus, HostName, Hosts, Listed, store, stored};
use crate::ui::{self, Failure};
use crate::wire::key_type;

const EXAMPLES: &str = "\
Examples:
  valetkey host list
  valetkey host add git.example.com:2222
  valetkey host add git.example.com --fingerprint SHA256:...
  valetkey host verify
  valetkey host remove git.example.com:2222

Keys that `add` stores are in valetkey/known_hosts below $XDG_CONFIG_HOME (or ~/.config). ssh can
read that file too.";

/// `valetkey host …`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HostArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all pinned and revoked host keys: built in and stored
    #[command(after_help = "Example:\n  valetkey host list --json | jq '.[] | select(.revoked)'")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask a server for its host keys, and pin those that are confirmed
    ///
    /// With --fingerprint a key is stored when its fingerprint is one of those. Without, the
    /// keys are shown and a person at the terminal confirms them. Whether the server binds
    /// logins to its host key is recorded too.
    #[command(after_help = ADD_EXAMPLES)]
    Add {
        /// The server: NAME, NAME:PORT or [ADDRESS]:PORT
        #[arg(value_name = "NAME[:PORT]", value_parser = parse_host)]
        name: HostName,
        /// Fingerprint of a key to trust, as the server's operator gives it; may be repeated
        #[arg(long = "fingerprint", value_name = "SHA256:…", value_parser = parse_fingerprint)]
        fingerprints: Vec<Fingerprint>,
        /// Replace the keys that are stored for this host; needs --fingerprint
        #[arg(long, requires = "fingerprints")]
        replace: bool,
    },
    /// Connect to pinned hosts and compare the keys that they show
    ///
    /// Without names: those that were stored with `add`. Ends with 112 when a key does not
    /// match or a host cannot be reached.
    #[command(after_help = "Examples:\n  valetkey host verify\n  valetkey host verify github.com gitlab.com")]
    Verify {
        /// Hosts to verify
        #[arg(value_name = "NAME[:PORT]", value_parser = parse_host)]
        names: Vec<HostName>,
    },
    /// Remove the stored keys of a host
    #[command(after_help = "Example:\n  valetkey host remove git.example.com:2222")]
    Remove {
        /// The host
        #[arg(value_name = "NAME[:PORT]", value_parser = parse_host)]
        name: HostName,
    },
}

const ADD_EXAMPLES: &str = "\
Examples:
  valetkey host add git.example.com
  valetkey host add git.example.com:2222 --fingerprint SHA256:...
  valetkey host add git.example.com --replace --fingerprint SHA256:...

On the server, this prints the fingerprints:
  for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -l -f \"$key\"; done";

/// Runs `valetkey host`.
///
/// # Errors
/// When pins cannot be read or written, a server cannot be reached, or a key does not match.
pub fn run(args: HostArgs) -> Result<(), Failure> {
    match args.command {
        Command::List { json } => list::run(&pins()?, json),
        Command::Add { name, fingerprints, replace } => add::run(&name, &fingerprints, replace),
        Command::Verify { names } => verify::run(names),
        Command::Remove { name } => remove(&name),
    }
}

/// The built-in and stored pins, with warnings shown.
fn pins() -> Result<Hosts, Failure> {
    let (hosts, warnings) = crate::hosts::load(&[])?;
    for warning in warnings {
        ui::warning(&warning);
    }
    Ok(hosts)
}

fn path() -> Result<PathBuf, Failure> {
    Ok(stored_path().ok_or(store::StoreError::NoFolder)?)
}

/// Unix seconds. A clock before 1970 makes every certificate "not yet valid".
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Whether another key of this key's type is pinned for the host, and this one is not.
fn is_changed(hosts: &Hosts, name: &HostName, key: &[u8]) -> bool {
    hosts.status(name, key, now()) == HostKeyStatus::Changed
        && hosts.listed_for(name).iter().any(|pin| !pin.authority && pin.key_type.as_deref() == key_type(key))
}

/// A pin with where it stands.
fn described(pin: &Listed) -> String {
    format!("{} {} ({})", pin.key_type.as_deref().unwrap_or("a key"), pin.fingerprint, pin.origin)
}

fn remove(name: &HostName) -> Result<(), Failure> {
    let mut removed = 0;
    store::update(&path()?, |text| {
        let (text, count) = stored::without(text, name);
        removed = count;
        text
    })?;
    if removed > 0 {
        ui::note(&format!("removed {removed} keys of {name}"));
        return Ok(());
    }
    let failure = Failure::new(Code::Host, format!("no key of {name} is stored"));
    Err(if pins()?.has_pins(name) {
        failure.with_hint("this host's keys are built in or come from a pattern; they cannot be removed here")
    } else {
        failure.with_hint("valetkey host list shows what is stored; name the port where it is not 22")
    })
}

/// For clap: a host name, with its hint in the message.
fn parse_host(text: &str) -> Result<HostName, String> {
    text.parse::<HostName>().map_err(|error| with_hint(&error))
}

/// For clap: a fingerprint, with its hint in the message.
fn parse_fingerprint(text: &str) -> Result<Fingerprint, String> {
    text.parse::<Fingerprint>().map_err(|error| with_hint(&error))
}

fn with_hint(error: &dyn ui::Explain) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
