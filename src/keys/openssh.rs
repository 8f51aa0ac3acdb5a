//! OpenSSH's own private key format (`PROTOCOL.key`), plain and encrypted.
//!
//! Owns the container and the three kinds of key that can sign here. Refuses several keys in
//! one container (OpenSSH never writes that), DSA and security keys, and costs beyond
//! [`MAX_ROUNDS`].

use ssh_key::{Cipher, Kdf};
use zeroize::Zeroizing;

use super::reader::Reader;
use super::rejected::{Cut, Rejected};
use crate::signer::{Curve, Parts, RsaParts};

pub(super) const MAGIC: &[u8] = b"openssh-key-v1\0";
/// The most rounds of bcrypt. `ssh-keygen` uses 16 or 24; 4,096 take about half a minute.
pub const MAX_ROUNDS: u32 = 4096;
/// Bytes of the tag behind an authenticated cipher's text.
const TAG: usize = 16;

/// A key as the container has it.
pub(super) struct Opened {
    pub(super) parts: Parts,
    pub(super) comment: String,
}

/// The container, before anything in it is decrypted.
pub(super) struct Container {
    /// The public key blob that the container claims to hold the secret half of.
    pub(super) public: Vec<u8>,
    cipher: Cipher,
    kdf: Kdf,
    tag: Option<[u8; TAG]>,
    section: Zeroizing<Vec<u8>>,
}

impl Container {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Rejected> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            let cut = MAGIC.starts_with(bytes);
            return Err(if cut { Rejected::Truncated(Cut::Inside) } else { Rejected::Damaged });
        };
        let mut reader = Reader::new(rest);
        let cipher = reader.string()?;
        let kdf = reader.string()?;
        let options = reader.string()?;
        let count = reader.u32()?;
        let public = reader.string()?;
        if count != 1 {
            return Err(Rejected::Damaged);
        }
        refuse_kind(Reader::new(public).string()?)?;
        let section = Zeroizing::new(reader.string()?.to_vec());
        let cipher = std::str::from_utf8(cipher).map_err(|_| Rejected::Damaged)?;
        let cipher = Cipher::new(cipher).map_err(|_| Rejected::Cipher)?;
        let kdf = match kdf {
            b"none" => Kdf::None,
            b"bcrypt" => bcrypt(options)?,
            _ => return Err(Rejected::Cipher),
        };
        if cipher.is_none() != kdf.is_none() {
            return Err(Rejected::Damaged);
        }
        let tag =
            if cipher.has_tag() { Some(reader.take(TAG)?.try_into().map_err(|_| Rejected::Damaged)?) } else { None };
        if !reader.rest().is_empty() {
            return Err(Rejected::Damaged);
        }
        let supported = matches!(
            cipher,
            Cipher::None
                | Cipher::Aes128Cbc
                | Cipher::Aes192Cbc
                | Cipher::Aes256Cbc
                | Cipher::Aes128Ctr
                | Cipher::Aes192Ctr
                | Cipher::Aes256Ctr
                | Cipher::Aes128Gcm
                | Cipher::Aes256Gcm
                | Cipher::ChaCha20Poly1305
        );
        if !supported {
            return Err(Rejected::Cipher);
        }
        Ok(Self { public: public.to_vec(), cipher, kdf, tag, section })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.cipher.is_some()
    }

    /// The key of a container that is not encrypted.
    pub(super) fn open(&self) -> Result<Opened, Rejected> {
        section(&self.section, Rejected::Damaged)
    }

    pub(super) fn unlock(&self, passphrase: &[u8]) -> Result<Opened, Rejected> {
        let wrong = Rejected::WrongPassphrase;
        let (key, iv) = self.kdf.derive_key_and_iv(self.cipher, passphrase).map_err(|_| Rejected::Cipher)?;
        let iv = Zeroizing::new(iv);
        let mut text = self.section.clone();
        self.cipher.decrypt(&key, &iv, &mut text, self.tag.map(Into::into)).map_err(|_| wrong)?;
        section(&text, wrong)
    }
}

fn bcrypt(options: &[u8]) -> Result<Kdf, Rejected> {
    let mut options = Reader::new(options);
    let salt = options.string()?;
    let rounds = options.u32()?;
    if !options.rest().is_empty() || salt.is_empty() || rounds == 0 {
        return Err(Rejected::Damaged);
    }
    if rounds > MAX_ROUNDS {
        return Err(Rejected::Cost);
    }
    Ok(Kdf::Bcrypt { salt: salt.to_vec(), rounds })
}

/// Kinds of key that can be named from the public half, before a passphrase is asked for.
fn refuse_kind(name: &[u8]) -> Result<(), Rejected> {
    match name {
        b"ssh-dss" => Err(Rejected::Dsa),
        _ if name.starts_with(b"sk-") => Err(Rejected::SecurityKey),
        _ => Ok(()),
    }
}

/// The private section: check numbers, key, comment, padding of 1, 2, 3 …
fn section(bytes: &[u8], unlike: Rejected) -> Result<Opened, Rejected> {
    let mut reader = Reader::new(bytes);
    if reader.u32()? != reader.u32()? {
        return Err(unlike);
    }
    let name = reader.string()?;
    refuse_kind(name)?;
    let parts = match name {
        b"ssh-ed25519" => ed25519(&mut reader)?,
        b"ecdsa-sha2-nistp256" => ecdsa(&mut reader, Curve::P256)?,
        b"ecdsa-sha2-nistp384" => ecdsa(&mut reader, Curve::P384)?,
        b"ecdsa-sha2-nistp521" => ecdsa(&mut reader, Curve::P521)?,
        b"ssh-rsa" => rsa(&mut reader)?,
        _ => return Err(Rejected::Kind("an unknown type in an OpenSSH key")),
    };
    let comment = String::from_utf8_lossy(reader.string()?).into_owned();
    let padding = reader.rest();
    let padded = padding.iter().zip(1_u8..).all(|(byte, count)| *byte == count);
    if !padded || padding.len() > usize::from(u8::MAX) {
        return Err(Rejected::Damaged);
    }
    Ok(Opened { parts, comment })
}

fn ed25519(reader: &mut Reader<'_>) -> Result<Parts, Rejected> {
    let public: [u8; 32] = reader.string()?.try_into().map_err(|_| Rejected::Damaged)?;
    // The seed, and the public key once more.
    let (seed, again) = reader.string()?.split_at_checked(32).ok_or(Rejected::Damaged)?;
    if again != public {
        return Err(Rejected::Inconsistent);
    }
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(seed);
    Ok(Parts::Ed25519 { seed: secret, public: Some(public) })
}

fn ecdsa(reader: &mut Reader<'_>, curve: Curve) -> Result<Parts, Rejected> {
    if reader.string()? != curve.name().as_bytes() {
        return Err(Rejected::Damaged);
    }
    let point = Some(reader.string()?.to_vec());
    let scalar = Zeroizing::new(reader.string()?.to_vec());
    Ok(Parts::Ecdsa { curve, scalar, point })
}

fn rsa(reader: &mut Reader<'_>) -> Result<Parts, Rejected> {
    let (n, e) = (reader.string()?.to_vec(), reader.string()?.to_vec());
    let mut secret = || reader.string().map(|part| Zeroizing::new(part.to_vec()));
    let (d, q_inverse, p, q) = (secret()?, secret()?, secret()?, secret()?);
    Ok(Parts::Rsa(RsaParts { n, e, d, p, q, q_inverse }))
}
