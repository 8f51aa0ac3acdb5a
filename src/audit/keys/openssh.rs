//! OpenSSH's `openssh-key-v1` container (`PROTOCOL.key`), plain and encrypted, and SSH public
//! key blobs.
//!
//! Refuses several keys in one container, which OpenSSH has never written.

use super::seen::{Public, Seen, is_zero};
use super::{curve, rsa};
use crate::wire::Fields;

pub(super) const MAGIC: &[u8] = b"openssh-key-v1\0";
/// The most bytes of a container: an RSA-16384 key has 10 KiB.
const MAX_CONTAINER: usize = 32 * 1024;
/// The most bytes of the salt of bcrypt: 16 are written.
const MAX_SALT: usize = 64;
/// Bytes of the tag behind an authenticated cipher's text.
const TAG: usize = 16;

/// The container at the front of `bytes`.
pub(super) fn container(bytes: &[u8]) -> Option<Seen> {
    let bytes = &bytes[..bytes.len().min(MAX_CONTAINER)];
    let mut fields = Fields::new(bytes.strip_prefix(MAGIC)?);
    let cipher = fields.string().ok()?;
    let kdf = fields.string().ok()?;
    let options = fields.string().ok()?;
    if fields.uint32().ok()? != 1 {
        return None;
    }
    let public = public_blob(fields.string().ok()?)?;
    let section = fields.string().ok()?;
    let (block, tag) = match cipher {
        b"none" => (8, 0),
        b"3des-cbc" => (8, 0),
        b"aes128-cbc" | b"aes192-cbc" | b"aes256-cbc" | b"rijndael-cbc@lysator.liu.se" => (16, 0),
        b"aes128-ctr" | b"aes192-ctr" | b"aes256-ctr" => (16, 0),
        b"aes128-gcm@openssh.com" | b"aes256-gcm@openssh.com" => (16, TAG),
        b"chacha20-poly1305@openssh.com" => (8, TAG),
        _ => return None,
    };
    if tag > fields.rest().len() {
        return None;
    }
    let length = bytes.len() - fields.rest().len() + tag;
    let encrypted = cipher != b"none";
    if encrypted {
        // The shortest private section is that of an Ed25519 key without a comment.
        let whole = kdf == b"bcrypt" && bcrypt(options) && section.len() % block == 0 && section.len() >= 128;
        return whole.then(|| public.seen("openssh-private-key", "OpenSSH format", true, length));
    }
    let same = kdf == b"none" && options.is_empty() && private_section(section)? == public.fingerprint;
    same.then(|| public.seen("openssh-private-key", "OpenSSH format", false, length))
}

fn bcrypt(options: &[u8]) -> bool {
    let mut options = Fields::new(options);
    let salt = options.string().is_ok_and(|salt| (1..=MAX_SALT).contains(&salt.len()));
    salt && options.uint32().is_ok_and(|rounds| rounds > 0) && options.is_empty()
}

/// The fingerprint of the key in an open private section: check numbers, key, comment, padding
/// of 1, 2, 3 …
fn private_section(section: &[u8]) -> Option<Option<String>> {
    let mut fields = Fields::new(section);
    if fields.uint32().ok()? != fields.uint32().ok()? {
        return None;
    }
    let public = private_fields(&mut fields)?;
    fields.string().ok()?;
    let padding = fields.rest();
    let padded = padding.iter().zip(1_u8..).all(|(byte, count)| *byte == count) && padding.len() <= TAG;
    padded.then_some(public.fingerprint)
}

/// A private key as it is in a section, and in a message that adds it to an agent.
fn private_fields(fields: &mut Fields<'_>) -> Option<Public> {
    let kind = fields.string().ok()?;
    match kind {
        b"ssh-ed25519" => {
            let public = fields.string().ok()?;
            let (seed, again) = fields.string().ok()?.split_at_checked(32)?;
            if again == public { curve::ed25519(seed, Some(public), false) } else { None }
        }
        b"ssh-rsa" => {
            let mut number = || fields.unsigned().ok();
            let (n, e, d, q_inverse, p, q) = (number()?, number()?, number()?, number()?, number()?, number()?);
            if is_zero(q_inverse) { None } else { rsa::public(n, e, d, &[p, q]) }
        }
        b"ssh-dss" => {
            let mut number = || fields.unsigned().ok();
            let (p, q, g, y, x) = (number()?, number()?, number()?, number()?, number()?);
            rsa::is_dsa(p, q, g, x).then(|| Public::dsa(p, q, g, y))
        }
        _ if kind.starts_with(b"sk-") => security_key(kind, fields),
        _ => {
            let named = curve::by_ssh(kind)?;
            fields.string().ok()?;
            let point = fields.string().ok()?;
            named.public(fields.unsigned().ok()?, Some(point), false)
        }
    }
}

/// A key whose secret lies in a device: what the file holds is its handle (`PROTOCOL.u2f`).
fn security_key(kind: &[u8], fields: &mut Fields<'_>) -> Option<Public> {
    let before = fields.rest();
    if kind == b"sk-ecdsa-sha2-nistp256@openssh.com" {
        fields.string().ok()?;
    }
    fields.string().ok()?;
    fields.string().ok()?;
    let taken = &before[..before.len() - fields.rest().len()];
    let mut blob = Vec::new();
    crate::wire::put_string(&mut blob, kind);
    blob.extend_from_slice(taken);
    fields.byte().ok()?;
    fields.string().ok()?;
    fields.string().ok()?;
    public_blob(&blob)
}

/// The public half of a whole SSH public key blob (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4).
pub(super) fn public_blob(blob: &[u8]) -> Option<Public> {
    let mut fields = Fields::new(blob);
    let kind = fields.string().ok()?;
    match kind {
        b"ssh-ed25519" => {
            if fields.string().ok()?.len() != 32 {
                return None;
            }
        }
        b"ssh-rsa" => {
            let (e, n) = (fields.unsigned().ok()?, fields.unsigned().ok()?);
            if is_zero(e) || !(rsa::MIN_BITS..=rsa::MAX_BITS).contains(&super::number::bits(n)) {
                return None;
            }
        }
        b"ssh-dss" => {
            for _ in ["p", "q", "g", "y"] {
                fields.unsigned().ok()?;
            }
        }
        b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => {
            let name = fields.string().ok()?;
            let point = fields.string().ok()?;
            if !kind.ends_with(name) || name.len() != 8 || point.first() != Some(&4) {
                return None;
            }
        }
        b"sk-ssh-ed25519@openssh.com" | b"sk-ecdsa-sha2-nistp256@openssh.com" => {
            while !fields.is_empty() {
                fields.string().ok()?;
            }
        }
        _ => return None,
    }
    fields.is_empty().then(|| Public::of_blob(&String::from_utf8_lossy(kind), blob))
}
