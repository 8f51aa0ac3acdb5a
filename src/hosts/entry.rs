//! A host that is pinned by hand: a `[[host]]` of `valetkey.toml`.
//!
//! Owns the reading of its keys (`ssh-ed25519 AAAA…`) and fingerprints (`SHA256:…`).

use super::Binds;
use super::fingerprint::Fingerprint;
use super::known_hosts::{LineError, decode_key};
use super::name::{HostName, NameError};
use crate::exit::Code;
use crate::ui::Explain;

/// Most keys and fingerprints of one entry.
pub const MAX_KEYS: usize = 32;

/// One trusted key of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinnedKey {
    /// The whole key.
    Full {
        /// Key type, equal to the blob's own.
        key_type: String,
        /// The raw key blob.
        blob: Vec<u8>,
    },
    /// Its fingerprint alone. Such a key is recognised and never written to a known_hosts file.
    Fingerprint(Fingerprint),
}

/// A host with its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinEntry {
    /// The host.
    pub name: HostName,
    /// Its keys. May be empty where only `binds` is said of a host that is pinned elsewhere.
    pub keys: Vec<PinnedKey>,
    /// `Unknown` leaves what other pins say.
    pub binds: Binds,
}

/// Why an entry cannot be used. Carries no input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The host's name.
    #[error("the name of a host entry cannot be used")]
    Name(#[from] NameError),
    /// A key line, counted from 1.
    #[error("key {0} of the host entry cannot be used")]
    Key(usize, #[source] LineError),
    /// A fingerprint, counted from 1.
    #[error("fingerprint {0} of the host entry is not of the form SHA256:…")]
    Fingerprint(usize),
    /// More than [`MAX_KEYS`].
    #[error("the host entry has more than {MAX_KEYS} keys")]
    TooMany,
    /// Neither a key, nor a fingerprint, nor `binds`.
    #[error("the host entry has no key and no fingerprint")]
    Empty,
}

impl Explain for PinError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(error) => error.hint(),
            _ => Some("write keys as ssh does, keys = [\"ssh-ed25519 AAAA…\"], or fingerprint = \"SHA256:…\"".into()),
        }
    }

    fn code(&self) -> Code {
        Code::Usage
    }
}

impl PinEntry {
    /// Reads an entry. `name` may hold a port (`host:2222`); `port`, where given, wins. Each of
    /// `keys` is `type base64`, what follows is ignored.
    ///
    /// # Errors
    /// When a part cannot be read, or nothing is said at all.
    pub fn parse(
        name: &str,
        port: Option<u16>,
        keys: &[String],
        fingerprints: &[String],
        binds: Option<bool>,
    ) -> Result<Self, PinError> {
        let mut name: HostName = name.parse()?;
        if let Some(port) = port {
            name = HostName::new(&name.host, port)?;
        }
        Self::new(name, keys, fingerprints, binds)
    }

    /// The same for a name that was read already.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn new(
        name: HostName,
        keys: &[String],
        fingerprints: &[String],
        binds: Option<bool>,
    ) -> Result<Self, PinError> {
        if keys.len() + fingerprints.len() > MAX_KEYS {
            return Err(PinError::TooMany);
        }
        if keys.is_empty() && fingerprints.is_empty() && binds.is_none() {
            return Err(PinError::Empty);
        }
        let mut pinned = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            pinned.push(full_key(key).map_err(|why| PinError::Key(index + 1, why))?);
        }
        for (index, text) in fingerprints.iter().enumerate() {
            let fingerprint = text.trim().parse().map_err(|_| PinError::Fingerprint(index + 1))?;
            pinned.push(PinnedKey::Fingerprint(fingerprint));
        }
        let binds = match binds {
            Some(true) => Binds::Yes,
            Some(false) => Binds::No,
            None => Binds::Unknown,
        };
        Ok(Self { name, keys: pinned, binds })
    }
}

fn full_key(text: &str) -> Result<PinnedKey, LineError> {
    let mut words = text.split_ascii_whitespace();
    let (Some(key_type), Some(base64)) = (words.next(), words.next()) else {
        return Err(LineError::NoKey);
    };
    Ok(PinnedKey::Full { key_type: key_type.into(), blob: decode_key(key_type, base64)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const FINGERPRINT: &str = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";

    fn parse(
        name: &str,
        port: Option<u16>,
        keys: &[&str],
        prints: &[&str],
        binds: Option<bool>,
    ) -> Result<PinEntry, PinError> {
        let own = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
        PinEntry::parse(name, port, &own(keys), &own(prints), binds)
    }

    #[test]
    fn an_entry_takes_keys_fingerprints_a_port_and_binds() {
        let entry =
            parse("git.example:2200", Some(2222), &[&format!("{KEY} comment")], &[FINGERPRINT], Some(false)).unwrap();
        assert_eq!(entry.name.to_string(), "[git.example]:2222");
        assert_eq!((entry.keys.len(), entry.binds), (2, Binds::No));
        assert_eq!(parse("a", None, &[], &[], Some(true)).unwrap().binds, Binds::Yes);
    }

    #[test]
    fn an_entry_that_cannot_be_used_says_which_part() {
        assert_eq!(parse("a", None, &[], &[], None), Err(PinError::Empty));
        assert_eq!(parse("a*", None, &[KEY], &[], None), Err(PinError::Name(NameError::Pattern)));
        assert_eq!(parse("a", None, &[KEY, "ssh-rsa"], &[], None), Err(PinError::Key(2, LineError::NoKey)));
        assert_eq!(parse("a", None, &[KEY], &["MD5:00"], None), Err(PinError::Fingerprint(1)));
        assert!(parse("a", None, &[KEY; MAX_KEYS], &[], None).is_ok());
        assert_eq!(parse("a", None, &[KEY; MAX_KEYS], &[FINGERPRINT], None), Err(PinError::TooMany));
    }
}
