//! Build secrets: from what is wanted to the file that a step reads.

use crate::config::WantedSecret;
use crate::keys::load::text_up_to;
use crate::keys::{KeyError, LoadEnv, Reason, Secret};
use crate::receipt::LentSecret;
use crate::secret::{FormError, MAX_SECRET, SecretError};

/// One secret that was loaded.
pub(super) struct Loaded {
    pub(super) id: String,
    source: String,
    form: &'static str,
    /// What the source gave.
    text: Secret,
    /// What a step reads.
    pub(super) file: Secret,
}

/// Reads every source. The first that gives nothing stops it all: nothing has started yet.
pub(super) fn load(wanted: &[WantedSecret], env: &mut LoadEnv<'_>) -> Result<Vec<Loaded>, SecretError> {
    wanted.iter().map(|wanted| one(wanted, env)).collect()
}

fn one(wanted: &WantedSecret, env: &mut LoadEnv<'_>) -> Result<Loaded, SecretError> {
    let (id, form) = (wanted.id.clone(), wanted.form.name());
    let (text, source) = first(wanted, env)?;
    let file = wanted.form.file(&text);
    let file = file.map_err(|why| SecretError::Form { id: id.clone(), form, from: source.clone(), why })?;
    Ok(Loaded { id, source, form, text, file })
}

/// What the first source gives that is there, and which that is. As for keys, one that is there and
/// of no use stops it all.
fn first(wanted: &WantedSecret, env: &mut LoadEnv<'_>) -> Result<(Secret, String), SecretError> {
    let id = || wanted.id.clone();
    let mut absent = Vec::new();
    for source in &wanted.sources {
        let from = source.to_string();
        match text_up_to(source, env, MAX_SECRET) {
            Ok(text) => return Ok((text, from)),
            Err(reason) if reason.is_absent() => absent.push(KeyError { from, reason }),
            Err(Reason::TooLong(_)) => {
                let (form, why) = (wanted.form.name(), FormError::TooLarge);
                return Err(SecretError::Form { id: id(), form, from, why });
            }
            Err(reason) => return Err(SecretError::Source { id: id(), from, reason }),
        }
    }
    match absent.len() {
        1 => {
            let KeyError { from, reason } = absent.remove(0);
            Err(SecretError::Source { id: id(), from, reason })
        }
        _ => Err(SecretError::Source { id: id(), from: wanted.from(), reason: Reason::NoneThere(absent) }),
    }
}

impl Loaded {
    /// For summary and receipt.
    pub(super) fn lent(&self) -> LentSecret {
        let (id, source) = (self.id.clone(), self.source.clone());
        LentSecret { id, source, form: self.form, bytes: self.file.expose().len() }
    }

    /// What must be found nowhere: the source's text, without the line's end. The file that was
    /// made of it has words that are in any image.
    pub(super) fn text(&self) -> &[u8] {
        let text = self.text.expose();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        text.strip_suffix(b"\r").unwrap_or(text)
    }
}
