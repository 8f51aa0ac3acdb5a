//! Traditional encrypted PEM: `Proc-Type: 4,ENCRYPTED` (RFC 1421) as OpenSSL wrote it.
//!
//! Owns the key derivation of that time (`EVP_BytesToKey` with MD5, one round), which is only
//! ever used to open what somebody already has. Refuses single DES and the rarer ciphers.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, KeyInit, KeyIvInit as _};
use zeroize::{Zeroize as _, Zeroizing};

use super::rejected::Rejected;

/// Bytes of salt: the front of the initialisation vector.
const SALT: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

/// A cipher and its initialisation vector, out of `DEK-Info`.
#[derive(Clone, Debug)]
pub(super) struct Dek {
    cipher: Cipher,
    iv: Vec<u8>,
}

impl Dek {
    pub(super) fn read(dek_info: &str) -> Result<Self, Rejected> {
        let (name, iv) = dek_info.split_once(',').ok_or(Rejected::Damaged)?;
        let (cipher, length) = match name {
            "AES-128-CBC" => (Cipher::Aes128, 16),
            "AES-192-CBC" => (Cipher::Aes192, 16),
            "AES-256-CBC" => (Cipher::Aes256, 16),
            "DES-EDE3-CBC" => (Cipher::TripleDes, 8),
            _ => return Err(Rejected::Cipher),
        };
        let iv = hex(iv.trim()).filter(|iv| iv.len() == length).ok_or(Rejected::Damaged)?;
        Ok(Self { cipher, iv })
    }

    /// The DER text inside. What comes out of a wrong passphrase is refused by its padding,
    /// or else by the caller, because it is no DER.
    pub(super) fn unlock(&self, body: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let length = match self.cipher {
            Cipher::Aes128 => 16,
            Cipher::Aes192 | Cipher::TripleDes => 24,
            Cipher::Aes256 => 32,
        };
        let key = derived(passphrase, &self.iv, length);
        match self.cipher {
            Cipher::Aes128 => decrypted::<aes::Aes128>(&key, &self.iv, body),
            Cipher::Aes192 => decrypted::<aes::Aes192>(&key, &self.iv, body),
            Cipher::Aes256 => decrypted::<aes::Aes256>(&key, &self.iv, body),
            Cipher::TripleDes => decrypted::<des::TdesEde3>(&key, &self.iv, body),
        }
    }
}

/// `EVP_BytesToKey`: MD5 over the block before, the passphrase and the salt, until it is enough.
fn derived(passphrase: &[u8], iv: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let salt = &iv[..SALT.min(iv.len())];
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut block = Zeroizing::new([0_u8; 16]);
    while key.len() < length {
        let mut hash = md5::Context::new();
        if !key.is_empty() {
            hash.consume(block.as_slice());
        }
        hash.consume(passphrase);
        hash.consume(salt);
        let mut digest = hash.finalize();
        block.copy_from_slice(&digest.0);
        digest.0.zeroize();
        key.extend_from_slice(&*block);
    }
    key.truncate(length);
    key
}

fn decrypted<C>(key: &[u8], iv: &[u8], body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Rejected>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let mut text = Zeroizing::new(body.to_vec());
    let length = cbc::Decryptor::<C>::new_from_slices(key, iv)
        .map_err(|_| Rejected::Damaged)?
        .decrypt_padded::<Pkcs7>(&mut text)
        .map_err(|_| Rejected::WrongPassphrase)?
        .len();
    text.truncate(length);
    Ok(text)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}
