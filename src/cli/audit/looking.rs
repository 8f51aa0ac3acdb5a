//! Which keys an audit looks for by themselves: those that were lent, or named with `--for`.

use std::path::Path;

use crate::audit::exact::{Exact, Named};
use crate::audit::keys::Keys;
use crate::audit::residue::Residue;
use crate::audit::scan::Scanner;
use crate::audit::secrets::Secrets;
use crate::exit::Code;
use crate::keys::source::may_be_key;
use crate::keys::{self, KeySource, LoadEnv};
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

    fn source(&mut self, source: &KeySource) -> Result<(), Failure> {
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

    /// What tells this list of keys from others: findings depend on it.
    #[must_use]
    pub fn context(&self) -> Vec<String> {
        let numbers = self.exact.fingerprints().map(|key| format!("numbers of {key}"));
        let mut all: Vec<_> = numbers.chain(self.fingerprints.iter().cloned()).collect();
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
        .with_hint("give keychain:NAME, env:NAME, file:PATH, agent, SHA256:..., or a public key or its file")
}
