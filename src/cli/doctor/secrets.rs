//! Looks whether every build secret is there, and can be written in its form.

use super::{Report, command, keys};
use crate::config::WantedSecret;
use crate::doctor::{Check, Section};
use crate::keys::load::text_up_to;
use crate::keys::{KeyError, KeySource, LoadEnv, Reason};
use crate::secret::{FormError, MAX_SECRET, SecretError};

const NAME: &str = "secret";

/// Reports each. Returns whether something was wrong with the keychain.
pub(super) fn look(wanted: &[WantedSecret], env: &mut LoadEnv<'_>, report: &mut Report) -> bool {
    let mut keychain = false;
    for wanted in wanted {
        match one(wanted, env) {
            Ok(check) => report.add([check]),
            Err(error) => {
                keychain |= matches!(&error, SecretError::Source { reason, .. } if keys::is_keychains(reason));
                report.add([Check::failed(Section::Keys, NAME, error.into())]);
            }
        }
    }
    keychain
}

fn one(wanted: &WantedSecret, env: &mut LoadEnv<'_>) -> Result<Check, SecretError> {
    let (id, form) = (&wanted.id, wanted.form.name());
    let failed = |from: String, reason| SecretError::Source { id: id.clone(), from, reason };
    let mut absent = Vec::new();
    for source in &wanted.sources {
        let from = source.to_string();
        if let KeySource::Command(line) = source
            && command::find(line.program().as_ref()).is_some()
        {
            return Ok(Check { name: NAME, ..keys::not_run(&from, line) });
        }
        match text_up_to(source, env, MAX_SECRET) {
            Ok(text) => {
                let why = wanted.form.file(&text);
                why.map_err(|why| SecretError::Form { id: id.clone(), form, from: from.clone(), why })?;
                return Ok(Check::ok(
                    Section::Keys,
                    NAME,
                    format!("secret {id} from {from}: it is there, and fits the form {form}"),
                ));
            }
            Err(reason) if reason.is_absent() => absent.push(KeyError { from, reason }),
            Err(Reason::TooLong(_)) => {
                return Err(SecretError::Form { id: id.clone(), form, from, why: FormError::TooLarge });
            }
            Err(reason) => return Err(failed(from, reason)),
        }
    }
    if absent.len() == 1 {
        let KeyError { from, reason } = absent.remove(0);
        return Err(failed(from, reason));
    }
    Err(failed(wanted.from(), Reason::NoneThere(absent)))
}
