//! Reads every key as `run` does, and goes on where one cannot be read.

use std::time::SystemTime;

use super::{Report, Settings, command, secrets};
use crate::cli::lend::by_comment;
use crate::config::Wanted;
use crate::doctor::{Check, Section, keys};
use crate::keys::keychain::KeychainError;
use crate::keys::load::load as load_one;
use crate::keys::source::CommandLine;
use crate::keys::{KeyError, KeyFrom, KeySource, LoadEnv, Loaded, Reason};
use crate::signer::Identity;
use crate::ui::{Explain as _, Failure};

const KEYS: Section = Section::Keys;

/// The identities of each grant, in the order of [`Settings::wanted`]; none where they could not be
/// read, or were not.
pub(super) fn load(settings: &mut Settings, max_identities: usize, report: &mut Report) -> Vec<Vec<Identity>> {
    LoadEnv::with_process(None, |env| {
        let mut all: Vec<(Wanted, Vec<Identity>)> = Vec::new();
        let mut keychain_said = false;
        for wanted in &settings.wanted {
            env.passphrase_from.clone_from(&wanted.passphrase_from);
            let identities = match one(wanted, settings.by_comment, env) {
                Read::Key(loaded, source) => {
                    report.add(keys::loaded(&source, &loaded.identities, &loaded.warnings, SystemTime::now()));
                    loaded.identities
                }
                Read::NotRun(source, line) => {
                    report.add([not_run(&source, &line)]);
                    Vec::new()
                }
                Read::Failed(error) => {
                    keychain_said |= is_keychains(&error.reason);
                    report.add([Check::failed(KEYS, "key", error.into())]);
                    Vec::new()
                }
            };
            if settings.by_comment {
                all.append(&mut by_comment::apart(wanted.clone(), identities));
            } else {
                all.push((wanted.clone(), identities));
            }
        }
        keychain_said |= secrets::look(&settings.secrets, env, report);
        if uses_keychain(settings) && !keychain_said {
            report.add([keychain(env.keychain.list())]);
        }
        if settings.by_comment {
            let wanted = all.iter().map(|(wanted, _)| wanted.clone()).collect();
            match settings.replace(wanted) {
                Ok(warnings) => report.add(warnings.iter().map(|text| Check::warning(KEYS, "key", text))),
                Err(failure) => report.add([Check::failed(Section::Hosts, "pin", failure)]),
            }
        }
        report.add(too_many(settings, &all, max_identities));
        all.into_iter().map(|(_, identities)| identities).collect()
    })
}

enum Read {
    Key(Loaded, String),
    /// The program that would print it is there.
    NotRun(String, CommandLine),
    Failed(KeyError),
}

/// A program is run where a server is to be asked with its key, or where the key says which.
fn one(wanted: &Wanted, by_comment: bool, env: &mut LoadEnv<'_>) -> Read {
    let is_needed = by_comment || !wanted.hosts.is_empty();
    if let (KeyFrom::Sources(sources), false) = (&wanted.key, is_needed) {
        for source in sources {
            if let KeySource::Command(line) = source {
                if command::find(line.program().as_ref()).is_some() {
                    return Read::NotRun(source.to_string(), line.clone());
                }
                continue;
            }
            match load_one(source, env) {
                Ok(loaded) => return Read::Key(loaded, source.to_string()),
                Err(error) if error.reason.is_absent() => {}
                Err(error) => return Read::Failed(error),
            }
        }
        // None is there: said below, each with its reason.
    }
    match wanted.key.load(env) {
        Ok((loaded, source)) => Read::Key(loaded, source),
        Err(error) => Read::Failed(error),
    }
}

pub(super) fn not_run(source: &str, line: &CommandLine) -> Check {
    let said = format!(
        "{source}: the program {} is there; it is not run, because nothing here needs what it prints",
        line.program()
    );
    Check::ok(KEYS, "key", said)
}

fn uses_keychain(settings: &Settings) -> bool {
    let is_keychain = |source: &KeySource| matches!(source, KeySource::Keychain(_));
    let of_key = |wanted: &Wanted| match &wanted.key {
        KeyFrom::Sources(sources) => sources.iter().any(is_keychain),
        KeyFrom::Certificate(issue) => is_keychain(issue.ca()),
    };
    let keys =
        settings.wanted.iter().any(|wanted| of_key(wanted) || wanted.passphrase_from.as_ref().is_some_and(is_keychain));
    keys || settings.secrets.iter().any(|wanted| wanted.sources.iter().any(is_keychain))
}

/// Whether what is wrong with the keychain was said with the key: it is not asked again, since each
/// question may take a minute.
pub(super) fn is_keychains(reason: &Reason) -> bool {
    match reason {
        Reason::Keychain(_) => true,
        Reason::NoneThere(errors) => errors.iter().any(|error| is_keychains(&error.reason)),
        Reason::PassphraseFrom(error) => is_keychains(&error.reason),
        _ => false,
    }
}

fn keychain(listed: Result<Vec<String>, KeychainError>) -> Check {
    match listed {
        Ok(names) => {
            let said = format!("the keychain answers and is open; entries of valetkey: {}", names.len());
            Check::ok(KEYS, "keychain", said)
        }
        // Another source was there.
        Err(error) => {
            let failure = Failure::from(error.clone());
            let check = Check::warning(KEYS, "keychain", failure.message);
            Check { hint: error.hint(), ..check }
        }
    }
}

/// Identities that a socket would not offer, as `run` says it.
fn too_many(settings: &Settings, all: &[(Wanted, Vec<Identity>)], max_identities: usize) -> Option<Check> {
    let by_agent = all.iter().filter(|(wanted, _)| !settings.by_gateway(&wanted.id));
    let mut ids: Vec<&str> = by_agent.map(|(wanted, _)| wanted.id.as_str()).collect();
    ids.dedup();
    let count = |id: &str| all.iter().filter(|(wanted, _)| wanted.id == id).map(|(_, of)| of.len()).sum::<usize>();
    let id = ids.into_iter().find(|id| count(id) > max_identities)?;
    let said = format!("ssh id {id} has more than {max_identities} identities, and the later ones are not offered");
    Some(Check::warning(KEYS, "key", said).with_hint("servers cut clients off after six tries; see --max-identities"))
}
