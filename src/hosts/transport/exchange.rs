//! Negotiation, key agreement and key derivation (RFC 4253 sections 7.1, 7.2 and 8; RFC 5656
//! section 4; RFC 8731). SHA-256 throughout: the two agreements that are offered use it.

use aws_lc_rs::aead::{self, LessSafeKey, UnboundKey};
use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use aws_lc_rs::{digest, rand};

use super::packet::Cipher;
use super::{MSG_KEXINIT, TransportError};
use crate::wire::{Fields, put_string};

/// The signature algorithms of every type of host key, RSA first: it is what this exchange is
/// for.
const HOST_KEYS: [&str; 6] = [
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
];
/// RSA in a certificate, asked for alone.
const RSA_CERTIFICATES: [&str; 2] = ["rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com"];
const KEXES: [&str; 3] = ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"];
/// Behind the two that are read come some that let the exchange happen and no more.
const CIPHERS: [&str; 5] =
    ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr", "chacha20-poly1305@openssh.com"];
const MACS: [&str; 3] = ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com"];
/// Asks the server for SSH_MSG_EXT_INFO (RFC 8308 section 2.1).
const EXT_INFO_CLIENT: &str = "ext-info-c";

/// The algorithms to offer for one type of key, or for all.
pub(super) fn host_keys(key_type: Option<&str>) -> Vec<&'static str> {
    if key_type == Some(super::RSA_CERTIFICATE) {
        return RSA_CERTIFICATES.to_vec();
    }
    let of_type = |name: &&str| match key_type {
        None => true,
        Some("ssh-rsa") => name.starts_with("rsa-"),
        Some(key_type) => *name == key_type,
    };
    HOST_KEYS.into_iter().filter(of_type).collect()
}

pub(super) struct KexInit;

impl KexInit {
    /// Our SSH_MSG_KEXINIT, with these host key algorithms.
    pub(super) fn ours(host_keys: &[&str]) -> Vec<u8> {
        let mut message = vec![MSG_KEXINIT];
        let mut cookie = [0; 16];
        // The cookie only has to differ; a zero one weakens nothing, the agreement's key does.
        let _ = rand::fill(&mut cookie);
        message.extend_from_slice(&cookie);
        let (ciphers, macs) = (CIPHERS.join(","), MACS.join(","));
        let kexes = format!("{},{EXT_INFO_CLIENT}", KEXES.join(","));
        for list in [&kexes, &host_keys.join(","), &ciphers, &ciphers, &macs, &macs, "none", "none", "", ""] {
            put_string(&mut message, list.as_bytes());
        }
        // No guessed packet follows; a reserved uint32.
        message.extend_from_slice(&[0; 5]);
        message
    }
}

/// What both ends know.
pub(super) struct Agreed {
    pub(super) kex: &'static str,
    pub(super) host_key: &'static str,
    /// The cipher, where it is one whose packets can be read here.
    pub(super) gcm: Option<&'static aead::Algorithm>,
    /// The server sent a packet on a guess that is wrong (RFC 4253 section 7).
    pub(super) skip_guess: bool,
}

impl Agreed {
    /// Chooses from the server's SSH_MSG_KEXINIT.
    pub(super) fn choose(theirs: &[u8], host_keys: &[&'static str]) -> Result<Self, TransportError> {
        let (lists, guesses) = read(theirs).ok_or(TransportError::Protocol)?;
        let pick = |ours: &[&'static str], at: usize, what| {
            let theirs = || lists[at].split(',');
            ours.iter()
                .copied()
                .find(|our| theirs().any(|their| their == *our))
                .ok_or(TransportError::NothingInCommon(what))
        };
        let kex = pick(&KEXES, 0, "key exchange")?;
        let host_key = pick(host_keys, 1, "type of host key")?;
        let (out, back) = (pick(&CIPHERS, 2, "cipher")?, pick(&CIPHERS, 3, "cipher")?);
        let gcm = match (out, back) {
            ("aes256-gcm@openssh.com", "aes256-gcm@openssh.com") => Some(&aead::AES_256_GCM),
            ("aes128-gcm@openssh.com", "aes128-gcm@openssh.com") => Some(&aead::AES_128_GCM),
            _ => None,
        };
        let first = |at: usize| lists[at].split(',').next();
        let skip_guess = guesses && (first(0) != Some(kex) || first(1) != Some(host_key));
        Ok(Self { kex, host_key, gcm, skip_guess })
    }
}

/// The ten name lists, and whether a guessed packet follows.
fn read(message: &[u8]) -> Option<(Vec<&str>, bool)> {
    let mut reader = Fields::new(message.get(1 + 16..)?);
    let mut lists = Vec::with_capacity(10);
    for _ in 0..10 {
        lists.push(std::str::from_utf8(reader.string().ok()?).ok()?);
    }
    let guesses = reader.byte().ok()? != 0;
    reader.uint32().ok()?;
    Some((lists, guesses))
}

/// One half of a key agreement.
pub(super) struct Kex {
    algorithm: &'static agreement::Algorithm,
    private: EphemeralPrivateKey,
    public: Vec<u8>,
}

impl Kex {
    pub(super) fn new(name: &str) -> Result<Self, TransportError> {
        let algorithm = if name == "ecdh-sha2-nistp256" { &agreement::ECDH_P256 } else { &agreement::X25519 };
        let private = EphemeralPrivateKey::generate(algorithm, &rand::SystemRandom::new());
        let private = private.map_err(|_| TransportError::Protocol)?;
        let public = private.compute_public_key().map_err(|_| TransportError::Protocol)?.as_ref().to_vec();
        Ok(Self { algorithm, private, public })
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// Agrees with the server's public key. `transcript` is the exchange hash's input without
    /// the shared secret.
    pub(super) fn finish(self, theirs: &[u8], mut transcript: Vec<u8>) -> Result<Keys, TransportError> {
        let peer = UnparsedPublicKey::new(self.algorithm, theirs);
        agreement::agree_ephemeral(self.private, peer, TransportError::Protocol, |secret| {
            let secret = mpint(secret);
            transcript.extend_from_slice(&secret);
            let hash = digest::digest(&digest::SHA256, &transcript).as_ref().to_vec();
            Ok(Keys { secret, hash })
        })
    }
}

/// An unsigned number as an `mpint`, length included (RFC 4251 section 5).
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|&&b| b == 0).count();
    let mut number = bytes[zeros..].to_vec();
    if number.first().is_some_and(|first| first & 0x80 != 0) {
        number.insert(0, 0);
    }
    let mut out = Vec::new();
    put_string(&mut out, &number);
    out
}

/// What the agreement gave. The keys protect no secret: nothing is ever sent under them but
/// the name of a service.
pub(super) struct Keys {
    secret: Vec<u8>,
    hash: Vec<u8>,
}

impl Keys {
    /// What the host key signs; also the session's id, this being its first exchange.
    pub(super) fn exchange_hash(&self) -> &[u8] {
        &self.hash
    }

    pub(super) fn sealing(&self, algorithm: &'static aead::Algorithm) -> Result<Cipher, TransportError> {
        self.cipher(algorithm, b'A', b'C')
    }

    pub(super) fn opening(&self, algorithm: &'static aead::Algorithm) -> Result<Cipher, TransportError> {
        self.cipher(algorithm, b'B', b'D')
    }

    fn cipher(&self, algorithm: &'static aead::Algorithm, iv: u8, key: u8) -> Result<Cipher, TransportError> {
        let (iv, key) = (self.derive(iv), self.derive(key));
        let key = key.get(..algorithm.key_len()).ok_or(TransportError::Protocol)?;
        let key = UnboundKey::new(algorithm, key).map_err(|_| TransportError::Protocol)?;
        let nonce = iv.first_chunk().copied().ok_or(TransportError::Protocol)?;
        Ok(Cipher { key: LessSafeKey::new(key), nonce })
    }

    fn derive(&self, letter: u8) -> Vec<u8> {
        let input = [&self.secret[..], &self.hash, &[letter], &self.hash].concat();
        digest::digest(&digest::SHA256, &input).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kexinit(lists: [&str; 10], guesses: u8) -> Vec<u8> {
        let mut message = vec![MSG_KEXINIT; 17];
        for list in lists {
            put_string(&mut message, list.as_bytes());
        }
        message.extend_from_slice(&[guesses, 0, 0, 0, 0]);
        message
    }

    const GO: [&str; 10] = [
        "ecdh-sha2-nistp256",
        "ssh-ed25519,rsa-sha2-256",
        "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];

    fn choose(theirs: &[u8]) -> Result<Agreed, TransportError> {
        Agreed::choose(theirs, &host_keys(None))
    }

    #[test]
    fn one_type_of_host_key_can_be_asked_for() {
        let agreed = Agreed::choose(&kexinit(GO, 0), &host_keys(Some("ssh-ed25519"))).unwrap();
        assert_eq!(agreed.host_key, "ssh-ed25519");
        assert_eq!(host_keys(Some("ssh-rsa")), ["rsa-sha2-512", "rsa-sha2-256"]);
        assert!(host_keys(Some("ssh-dss")).is_empty());
    }

    #[test]
    fn our_order_decides() {
        let agreed = choose(&kexinit(GO, 0)).unwrap();
        assert_eq!((agreed.kex, agreed.host_key), ("ecdh-sha2-nistp256", "rsa-sha2-256"));
        assert!(agreed.gcm.is_some() && !agreed.skip_guess);
        assert!(choose(&kexinit(GO, 1)).unwrap().skip_guess, "the guess was ed25519");
    }

    #[test]
    fn without_aes_gcm_nothing_encrypted_is_read() {
        let mut lists = GO;
        lists[2] = "chacha20-poly1305@openssh.com";
        assert!(choose(&kexinit(lists, 0)).unwrap().gcm.is_none());
    }

    #[test]
    fn nothing_in_common_says_what() {
        for (at, what) in [(0, "key exchange"), (1, "type of host key"), (2, "cipher")] {
            let mut lists = GO;
            lists[at] = "other";
            let error = choose(&kexinit(lists, 0)).err().unwrap();
            assert!(matches!(error, TransportError::NothingInCommon(w) if w == what), "{error:?}");
        }
    }

    #[test]
    fn every_truncation_of_the_servers_offer_is_refused() {
        let whole = kexinit(GO, 0);
        for at in 0..whole.len() {
            assert!(choose(&whole[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_shared_secret_is_an_unsigned_number() {
        assert_eq!(mpint(&[0, 0, 1]), [0, 0, 0, 1, 1]);
        assert_eq!(mpint(&[0x80]), [0, 0, 0, 2, 0, 0x80]);
        assert_eq!(mpint(&[0]), [0; 4]);
    }
}
