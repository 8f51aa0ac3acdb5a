//! From the text of a source to the parts of its keys.
//!
//! Owns the order of decisions: what is pasted is unwrapped, blocks are found, each block goes
//! to the parser of its label, and a text without a private key is named for what it is.
//! Pure: no file, no prompt, no clock.

use zeroize::Zeroizing;

use super::legacy_pem::Dek;
use super::rejected::{Cut, Rejected};
use super::{lookalike, openssh, pasted, pkcs1, pkcs8, sec1};
use crate::signer::Parts;

/// The most keys in one source.
pub const MAX_KEYS: usize = 16;
/// How often a text may be base64 of a text. Secret stores wrap once, and people once more.
const MAX_WRAPS: usize = 2;

/// One private key of a source.
#[derive(Debug)]
pub struct Found {
    /// The comment inside the key, if its format has one and it is not empty.
    pub comment: Option<String>,
    /// The public key blob that the file claims, if its format has one.
    pub public: Option<Vec<u8>>,
    /// The secret half.
    pub secret: Secrets,
}

/// The secret half of a key, open or still encrypted.
#[derive(Debug)]
pub enum Secrets {
    /// Ready to use.
    Open(Parts),
    /// Needs a passphrase.
    Locked(Locked),
}

/// An encrypted key.
pub struct Locked(Kind);

enum Kind {
    OpenSsh(openssh::Container),
    Pkcs8(Zeroizing<Vec<u8>>),
    Legacy { dek: Dek, label: String, body: Zeroizing<Vec<u8>> },
}

impl std::fmt::Debug for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Locked")
    }
}

impl Locked {
    /// Opens the key: its parts, and the comment that was encrypted with them.
    ///
    /// # Errors
    /// [`Rejected::WrongPassphrase`], or what is wrong with the key behind it.
    pub fn unlock(&self, passphrase: &[u8]) -> Result<(Parts, Option<String>), Rejected> {
        match &self.0 {
            Kind::OpenSsh(container) => container.unlock(passphrase).map(|key| (key.parts, some(key.comment))),
            Kind::Pkcs8(der) => pkcs8::unlock(der, passphrase).map(|parts| (parts, None)),
            Kind::Legacy { dek, label, body } => {
                let der = dek.unlock(body, passphrase)?;
                // A wrong passphrase in 256 gives good padding, and no DER.
                pkcs1::whole(&der).map_err(|_| Rejected::WrongPassphrase)?;
                traditional(label, &der).map(|parts| (parts, None))
            }
        }
    }
}

/// All private keys of a text, in order.
///
/// # Errors
/// What the text, or the first key in it that cannot be used, is instead.
pub fn parse(text: &[u8]) -> Result<Vec<Found>, Rejected> {
    parse_wrapped(text, MAX_WRAPS)
}

fn parse_wrapped(text: &[u8], wraps: usize) -> Result<Vec<Found>, Rejected> {
    if text.len() > super::SOURCE_LIMIT {
        return Err(Rejected::TooLong);
    }
    if let Some(utf8) = pasted::from_utf16(text) {
        return parse_text(&utf8, wraps);
    }
    parse_text(text, wraps)
}

fn parse_text(text: &[u8], wraps: usize) -> Result<Vec<Found>, Rejected> {
    let mut keys = Vec::new();
    let mut other = None;
    for block in pasted::blocks(text) {
        match block.label.as_str() {
            label if label.ends_with("PRIVATEKEY") => {
                if keys.len() == MAX_KEYS {
                    return Err(Rejected::TooMany);
                }
                keys.push(key(label, block.inside.map_err(Rejected::Truncated)?)?);
            }
            // `openssl ecparam -genkey` writes it in front of the key.
            "ECPARAMETERS" => {}
            label => other = other.or_else(|| lookalike::label(label)),
        }
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    if let Some(rejected) = other {
        return Err(rejected);
    }
    if let Some(rejected) = lookalike::text(text) {
        return Err(rejected);
    }
    match pasted::unwrapped(text) {
        Some(inner) if wraps > 0 && lookalike::is_text(&inner) => parse_wrapped(&inner, wraps - 1),
        Some(inner) => Err(lookalike::binary(&inner, Rejected::Truncated(Cut::Begin))),
        None => Err(lookalike::binary(text, Rejected::Der)),
    }
}

fn key(label: &str, inside: &[u8]) -> Result<Found, Rejected> {
    let named = |secret| Found { comment: None, public: None, secret };
    let refused = match label {
        "DSAPRIVATEKEY" => Some(Rejected::Dsa),
        "SSH2ENCRYPTEDPRIVATEKEY" => Some(Rejected::SshCom),
        "OPENSSHPRIVATEKEY" | "PRIVATEKEY" | "ENCRYPTEDPRIVATEKEY" | "RSAPRIVATEKEY" | "ECPRIVATEKEY" => None,
        _ => Some(Rejected::Kind("an unknown BEGIN line")),
    };
    if let Some(refused) = refused {
        return Err(refused);
    }
    let body = pasted::body(inside)?;
    if body.encrypted {
        let dek = Dek::read(body.dek_info.as_deref().ok_or(Rejected::Damaged)?)?;
        let kind = Kind::Legacy { dek, label: label.to_owned(), body: body.bytes };
        return Ok(named(Secrets::Locked(Locked(kind))));
    }
    match label {
        "OPENSSHPRIVATEKEY" => {
            let container = openssh::Container::read(&body.bytes)?;
            let public = Some(container.public.clone());
            if container.is_encrypted() {
                let secret = Secrets::Locked(Locked(Kind::OpenSsh(container)));
                return Ok(Found { comment: None, public, secret });
            }
            let key = container.open()?;
            Ok(Found { comment: some(key.comment), public, secret: Secrets::Open(key.parts) })
        }
        "ENCRYPTEDPRIVATEKEY" => {
            pkcs8::check(&body.bytes)?;
            Ok(named(Secrets::Locked(Locked(Kind::Pkcs8(body.bytes)))))
        }
        label => traditional(label, &body.bytes).map(|parts| named(Secrets::Open(parts))),
    }
}

/// A DER text by the label that stood around it.
fn traditional(label: &str, der: &[u8]) -> Result<Parts, Rejected> {
    match label {
        "RSAPRIVATEKEY" => pkcs1::read(der),
        "ECPRIVATEKEY" => sec1::read(der, None),
        _ => pkcs8::read(der),
    }
}

fn some(comment: String) -> Option<String> {
    (!comment.is_empty()).then_some(comment)
}
