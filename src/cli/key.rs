//! `valetkey key`: keys in the OS keychain, added, listed and removed.
//!
//! Owns the check before storing: what is not a usable private key is never stored. Refuses to
//! show anything of a key but its type, fingerprint and comment.

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};

use crate::exit::Code;
use crate::keys::keychain::KeychainError;
use crate::keys::parse::{Found, Secrets, parse};
use crate::keys::source::{SourceError, may_be_key};
use crate::keys::{KeyError, KeySource, LoadEnv, Reason, Rejected, Secret, load};
use crate::signer::{self, fingerprint};
use crate::ui::{self, Failure};

/// `valetkey key …`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  valetkey key add omnibus --from ~/.ssh/id_ed25519
  pass show deploy-key | valetkey key add omnibus --from -
  valetkey key list
  valetkey run --key keychain:omnibus -- docker compose build
  valetkey key remove omnibus")]
pub struct KeyArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What `valetkey key` does.
#[derive(Subcommand, Clone, Debug)]
pub enum KeyCommand {
    /// Store a private key in the OS keychain
    ///
    /// The key is checked first: what is not a usable private key is not stored. An encrypted
    /// key is stored as it is, and its passphrase is asked for when it is used.
    #[command(after_help = "\
Examples:
  valetkey key add omnibus --from ~/.ssh/id_ed25519
  valetkey key add omnibus --from - < key
  valetkey key add omnibus --from new-key --force")]
    Add {
        /// The entry's name, as in --key keychain:NAME
        #[arg(value_name = "NAME")]
        name: String,
        /// A file with the key, or - for standard input (the default)
        #[arg(long, value_name = "FILE|-", default_value = "-")]
        from: String,
        /// Replace an entry of the same name
        #[arg(long)]
        force: bool,
    },
    /// List the keys in the OS keychain: name, type, fingerprint, comment
    #[command(after_help = "\
Examples:
  valetkey key list")]
    List,
    /// Remove a key from the OS keychain
    #[command(after_help = "\
Examples:
  valetkey key remove omnibus")]
    Remove {
        /// The entry's name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does what was typed, in the world that `env` is.
///
/// # Errors
/// When the keychain cannot be used, or what is to be stored is no usable private key.
pub fn run(args: KeyArgs, env: &mut LoadEnv<'_>) -> Result<(), Failure> {
    match args.command {
        KeyCommand::Add { name, from, force } => add(&name, &from, force, env),
        KeyCommand::List => list(env),
        KeyCommand::Remove { name } => {
            let name = checked(&name)?;
            env.keychain.remove(&name).map_err(|error| about(&name, error))?;
            ui::note(&format!("removed {name} from the keychain"));
            Ok(())
        }
    }
}

fn add(name: &str, from: &str, force: bool, env: &mut LoadEnv<'_>) -> Result<(), Failure> {
    let name = checked(name)?;
    let source = match from.parse::<KeySource>() {
        _ if from == "-" => KeySource::Stdin,
        // `--from env:NAME` and `--from file:PATH` mean what they mean to `--key`.
        Ok(source) => source,
        // The key itself instead of its place: not to be repeated as the name of a file.
        Err(_) if may_be_key(from) => return Err(SourceError::KeyText.into()),
        Err(_) => KeySource::File(from.into()),
    };
    if source == KeySource::Stdin && std::io::stdin().is_terminal() {
        ui::note("paste the private key, then press Ctrl-D");
    }
    let failed = |reason| Failure::from(KeyError { from: source.to_string(), reason });
    let secret = load::text(&source, env).map_err(failed)?;
    let lines = described(&secret).map_err(|rejected| failed(Reason::Content(rejected)))?;
    if !force {
        match env.keychain.get(&name) {
            Err(KeychainError::NoEntry) => {}
            Ok(_) => {
                let message = format!("the keychain already has an entry {name:?}");
                return Err(
                    Failure::new(Code::Key, message).with_hint("choose another name, or replace it with --force")
                );
            }
            Err(error) => return Err(about(&name, error)),
        }
    }
    env.keychain.set(&name, &secret).map_err(|error| about(&name, error))?;
    for line in lines {
        ui::note(&format!("stored {name}: {line}"));
    }
    Ok(())
}

fn list(env: &mut LoadEnv<'_>) -> Result<(), Failure> {
    let names = env.keychain.list().map_err(Failure::from)?;
    if names.is_empty() {
        ui::note("the keychain has no keys for valetkey; add one with valetkey key add NAME");
    }
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    for name in names {
        let lines = match env.keychain.get(&name) {
            Ok(secret) => described(&secret).unwrap_or_else(|rejected| vec![format!("not usable: {rejected}")]),
            // Removed by somebody since.
            Err(KeychainError::NoEntry) => continue,
            Err(error) => return Err(about(&name, error)),
        };
        for line in lines {
            ui::line(&ui::one_line(&format!("{name:width$}  {line}")));
        }
    }
    Ok(())
}

/// One line a key: type, fingerprint, comment. Fails on anything that could not be lent.
fn described(secret: &Secret) -> Result<Vec<String>, Rejected> {
    parse(secret.expose())?.iter().map(line).collect()
}

fn line(found: &Found) -> Result<String, Rejected> {
    let comment = found.comment.as_deref().unwrap_or("no comment");
    match (&found.secret, &found.public) {
        (Secrets::Open(parts), public) => {
            let key = signer::build(parts)?;
            if public.as_ref().is_some_and(|public| *public != key.blob) {
                return Err(Rejected::Inconsistent);
            }
            Ok(format!("{}  {}  {comment}", kind(&key.blob), fingerprint(&key.blob)))
        }
        (Secrets::Locked(_), Some(public)) => Ok(format!("{}  {}  encrypted", kind(public), fingerprint(public))),
        (Secrets::Locked(_), None) => Ok("encrypted".to_owned()),
    }
}

/// The name in front of a key blob.
fn kind(blob: &[u8]) -> String {
    let length = blob.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let name = usize::try_from(length).ok().and_then(|length| blob.get(4..)?.get(..length));
    String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
}

/// The name, under the same rules as behind `keychain:`. Whoever typed that word is understood.
fn checked(name: &str) -> Result<String, Failure> {
    let name = name.strip_prefix("keychain:").unwrap_or(name);
    match format!("keychain:{name}").parse::<KeySource>() {
        Ok(KeySource::Keychain(name)) => Ok(name),
        Ok(_) => Err(Failure::new(Code::Usage, "this is no name for an entry")),
        Err(error) => Err(error.into()),
    }
}

fn about(name: &str, error: KeychainError) -> Failure {
    let from = KeySource::Keychain(name.to_owned()).to_string();
    let mut failure = Failure::from(error);
    failure.message = format!("{from}: {}", failure.message);
    failure
}
