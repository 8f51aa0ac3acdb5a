//! What an audit looks for by itself: keys and build secrets that were lent, or named with `--for` and
//! `--for-secret`.

use std::ffi::OsString;
use std::path::Path;

use crate::audit::exact::texts::MIN_TEXT;
use crate::audit::exact::{Exact, Named};
use crate::audit::keys::Keys;
use crate::audit::residue::Residue;
use crate::audit::scan::Scanner;
use crate::audit::secrets::Secrets;
use crate::child::mask::Mask;
use crate::config;
use crate::exit::Code;
use crate::image::digest::Digest;
use crate::keys::source::may_be_key;
use crate::keys::{self, KeyError, KeySource, LoadEnv, Secret};
use crate::signer::{self, Parts, fingerprint};
use crate::ui::Failure;
use crate::wire::key_type;

/// Bytes of a file with public keys.
const MAX_PUBLIC: u64 = 64 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct Looking {
    exact: Exact,
    fingerprints: Vec<String>,
    /// Build secrets, by name.
    texts: Vec<(String, Secret)>,
    /// Variables of the environment that all of these came from.
    variables: Vec<OsString>,
}

impl Looking {
    /// Looks for a private key's own numbers.
    pub fn secret(&mut self, parts: &Parts) {
        // It was built from these parts before.
        let Ok(key) = signer::build(parts) else { return };
        let kind = key_type(&key.blob).unwrap_or_default().to_owned();
        self.exact.add(parts, &kind, &fingerprint(&key.blob));
        self.public(&key.blob);
    }

    /// Looks for a key whose public half is known: among the private keys that are found.
    pub fn public(&mut self, blob: &[u8]) {
        self.fingerprint(fingerprint(blob));
    }

    /// Looks for a build secret itself, which the report calls by its id. Gives whether it can be
    /// looked for: a text of fewer than [`MIN_TEXT`] bytes may be in any image.
    #[must_use]
    pub fn text(&mut self, id: &str, bytes: &[u8]) -> bool {
        let can = self.exact.add_text(id, bytes);
        if can {
            self.texts.push((id.to_owned(), Secret::new(bytes.to_vec())));
        }
        can
    }

    /// What was typed behind `--for-secret`: `[ID=]SOURCE`.
    ///
    /// # Errors
    /// When there is no such text, or it is too short to be looked for.
    pub fn add_secrets(&mut self, words: &[String]) -> Result<(), Failure> {
        LoadEnv::with_process(None, |env| {
            for word in words {
                let (id, source) = config::parse_named("--for-secret", word)?;
                let from = source.to_string();
                self.variables.extend(source.variables().into_iter().map(OsString::from));
                let text = keys::load::text(&source, env);
                let text = text.map_err(|reason| KeyError { from: from.clone(), reason })?;
                if !self.text(id.as_deref().unwrap_or(&from), text.expose()) {
                    let message = format!("{from}: a secret of fewer than {MIN_TEXT} bytes cannot be looked for");
                    return Err(Failure::new(Code::Key, message)
                        .with_hint("so few bytes are in any image by chance; use a longer secret"));
                }
            }
            Ok(())
        })
    }

    /// What takes these build secrets out of the texts that a report quotes; none where there are no
    /// secrets.
    #[must_use]
    pub fn mask(&self) -> Option<Mask> {
        let texts = self.texts.iter().map(|(_, text)| text.expose());
        (!self.texts.is_empty()).then(|| Mask::of_texts(texts, &[]).0)
    }

    fn fingerprint(&mut self, fingerprint: String) {
        if !self.fingerprints.contains(&fingerprint) {
            self.fingerprints.push(fingerprint);
        }
    }

    /// What was typed behind `--for`: a key source, a fingerprint, a public key or its file.
    ///
    /// # Errors
    /// When it names no key.
    pub fn add(&mut self, words: &[String]) -> Result<(), Failure> {
        for word in words {
            if let Some(digest) = word.strip_prefix("SHA256:") {
                if digest.trim_end_matches('=').len() != 43 {
                    return Err(wrong("a fingerprint has 43 characters behind SHA256:"));
                }
                self.fingerprint(word.trim_end_matches('=').to_owned());
            } else if let Ok(key) = ssh_key::PublicKey::from_openssh(word) {
                self.public(&blob_of(&key)?);
            } else {
                match word.parse::<KeySource>() {
                    Ok(source) => self.source(&source)?,
                    // The key itself instead of its place is not repeated.
                    Err(error) if may_be_key(word) => return Err(error.into()),
                    Err(_) => self.file(Path::new(word))?,
                }
            }
        }
        Ok(())
    }

    /// The variables that hold what is looked for, for no other program to see.
    #[must_use]
    pub fn variables(&self) -> &[OsString] {
        &self.variables
    }

    fn source(&mut self, source: &KeySource) -> Result<(), Failure> {
        self.variables.extend(source.variables().into_iter().map(OsString::from));
        LoadEnv::with_process(None, |env| {
            env.kept = Some(Vec::new());
            let loaded = keys::load(source, env)?;
            for parts in env.kept.take().unwrap_or_default() {
                self.secret(&parts);
            }
            for identity in &loaded.identities {
                self.public(&identity.blob);
            }
            Ok(())
        })
    }

    /// A file: of a private key, or of public keys as in `id_ed25519.pub`.
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        use std::io::Read as _;
        let mut text = String::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(MAX_PUBLIC).read_to_string(&mut text));
        let keys: Vec<_> = text.lines().filter_map(|line| ssh_key::PublicKey::from_openssh(line).ok()).collect();
        if read.is_ok() && !keys.is_empty() {
            return keys.iter().try_for_each(|key| {
                self.public(&blob_of(key)?);
                Ok(())
            });
        }
        self.source(&KeySource::File(path.to_owned()))
    }

    /// What tells this list from others: findings depend on it. Tells nothing of build secrets to
    /// whoever cannot guess them, and must be shown to nobody who could.
    #[must_use]
    pub fn context(&self) -> Vec<String> {
        let numbers = self.exact.fingerprints().map(|key| format!("numbers of {key}"));
        let texts = self.texts.iter().map(|(id, text)| format!("text {id:?} {}", Digest::of(text.expose())));
        let mut all: Vec<_> = numbers.chain(texts).chain(self.fingerprints.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// All rules, these keys among them, and the fingerprints that are looked for.
    #[must_use]
    pub fn scanner(self) -> (Scanner, Vec<String>) {
        let named = Named::new(self.fingerprints.iter().cloned());
        let mut families: Vec<Box<dyn crate::audit::rule::Family>> =
            vec![Box::new(Keys), Box::new(Secrets), Box::new(Residue)];
        if !self.exact.is_empty() {
            families.push(Box::new(self.exact));
        }
        (Scanner::new(families).naming(named), self.fingerprints)
    }
}

fn blob_of(key: &ssh_key::PublicKey) -> Result<Vec<u8>, Failure> {
    key.to_bytes().map_err(|_| wrong("this public key cannot be read"))
}

fn wrong(what: &str) -> Failure {
    Failure::new(Code::Usage, format!("failed to understand --for: {what}"))
        .with_hint("give keychain:NAME, env:NAME, file:PATH, command:..., credential:NAME, vault:..., agent, SHA256:..., or a public key or its file")
}
