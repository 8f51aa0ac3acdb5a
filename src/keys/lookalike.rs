//! Names what holds no private key: public keys, other tools' keys, masks, paths.
//!
//! Owns the guesses. A guess picks a message and never a key: nothing that is named here is
//! loaded.

use super::openssh;
use super::pasted::find;
use super::rejected::{Cut, Rejected};

/// What a PEM block is whose label names no private key.
pub(super) fn label(label: &str) -> Option<Rejected> {
    Some(match label {
        "PUBLICKEY" | "RSAPUBLICKEY" | "ECPUBLICKEY" | "SSH2PUBLICKEY" => Rejected::PublicKey,
        _ if label.contains("CERTIFICATE") => Rejected::X509,
        "PKCS12" => Rejected::Pkcs12,
        _ if label.starts_with("PGP") => Rejected::Pgp,
        _ if label.starts_with("AGE") => Rejected::Age,
        _ => return None,
    })
}

/// What a text without a usable block is. `None`: nothing that shows in its characters.
pub(super) fn text(text: &[u8]) -> Option<Rejected> {
    let trimmed = trim(text);
    let has = |needle: &str| find(trimmed, needle.as_bytes()).is_some();
    if trimmed.is_empty() {
        return Some(Rejected::Empty);
    }
    if trimmed.iter().all(|byte| b"*xX.".contains(byte)) || has("***") || has("[MASKED]") {
        return Some(Rejected::Masked);
    }
    if is_unexpanded(trimmed) {
        return Some(Rejected::Unexpanded);
    }
    if has("PuTTY-User-Key-File-") {
        return Some(Rejected::Putty);
    }
    if has("---- BEGIN SSH2 PUBLIC KEY") {
        return Some(Rejected::PublicKey);
    }
    if has("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY") {
        return Some(Rejected::SshCom);
    }
    if has("AGE-SECRET-KEY-") || has("age-encryption.org/") {
        return Some(Rejected::Age);
    }
    if let Some(public) = public_lines(trimmed) {
        return Some(public);
    }
    if has("PRIVATE KEY") {
        // A marker that lost its dashes, or the end of a key alone.
        let end = if has("-----END") || !has("BEGIN") { Cut::Begin } else { Cut::End };
        return Some(Rejected::Truncated(end));
    }
    if has("-----BEGIN") {
        return Some(Rejected::Truncated(Cut::End));
    }
    is_path(trimmed).then_some(Rejected::Path)
}

/// What bytes are that are no text; `bare` is what to say of a key without its markers.
pub(super) fn binary(bytes: &[u8], bare: Rejected) -> Rejected {
    if bytes.starts_with(openssh::MAGIC) {
        return Rejected::Truncated(Cut::Begin);
    }
    // Inside the SEQUENCE: a PFX starts with version 3, a private key with version 0 or 1,
    // and everything that is public with another SEQUENCE.
    match sequence(bytes) {
        Some([2, 1, 3, ..]) => Rejected::Pkcs12,
        Some([2, 1, 0 | 1, ..]) => bare,
        Some([0x30, ..]) => Rejected::X509,
        _ => match bytes {
            // Old and new packet headers of OpenPGP's secret, public and encrypted packets.
            [0x94 | 0x95 | 0x98 | 0x99 | 0xc5 | 0xc6 | 0x84 | 0x85, ..] if !is_text(bytes) => Rejected::Pgp,
            _ => Rejected::Unknown,
        },
    }
}

/// Whether bytes can be a text at all: no control characters but those of lines.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || (std::str::from_utf8(bytes).is_ok()
            && bytes.iter().all(|byte| *byte >= 0x20 || b"\t\r\n\x0c".contains(byte)))
}

fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    match head {
        [0x30, 0..=0x7f] => Some(rest),
        [0x30, long @ 0x81..=0x84] => rest.get(usize::from(long & 0x7f)..),
        _ => None,
    }
}

fn trim(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let blank = |byte: &u8| byte.is_ascii_whitespace() || b"'\"\0".contains(byte);
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

fn is_unexpanded(text: &[u8]) -> bool {
    let name = |name: &[u8]| {
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-: ".contains(byte))
    };
    match text {
        [b'$', b'{', inner @ .., b'}']
        | [b'$', b'(', inner @ .., b')']
        | [b'{', b'{', inner @ .., b'}', b'}']
        | [b'%', inner @ .., b'%'] => inner.len() <= 255 && !inner.contains(&b'\n'),
        [b'$', inner @ ..] => inner.len() <= 255 && name(inner),
        _ => false,
    }
}

fn is_path(text: &[u8]) -> bool {
    let starts =
        [&b"/"[..], b"~/", b"./", b"../"].iter().any(|start| text.starts_with(start)) || text.get(1..3) == Some(b":\\");
    // Base64 may start with a slash as well; a path is short and has dots, dashes or more.
    starts && text.len() <= 255 && !text.contains(&b'\n')
}

const PUBLIC: [&str; 6] = ["ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];

/// Lines with a public key in them: a `.pub` file, authorized_keys, known_hosts.
fn public_lines(text: &[u8]) -> Option<Rejected> {
    let is_type = |word: &str| PUBLIC.iter().any(|name| word.starts_with(name));
    let text = std::str::from_utf8(text).ok()?;
    let (mut alone, mut options, mut hosts, mut certificates) = (0, 0, 0, 0);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        if is_type(first) {
            // A type's name alone is no key yet.
            words.next()?;
            let certificate = first.contains("-cert-v");
            *(if certificate { &mut certificates } else { &mut alone }) += 1;
        } else if first.starts_with('@') || first.starts_with("|1|") {
            hosts += 1;
        } else if words.clone().any(is_type) {
            let marked = first.contains('=')
                || ["restrict", "no-", "cert-authority", "pty", "permit"]
                    .iter()
                    .any(|option| first.starts_with(option));
            *(if marked { &mut options } else { &mut hosts }) += 1;
        }
    }
    match (alone, options, hosts, certificates) {
        (0, 0, 0, 0) => None,
        (_, _, 1.., _) => Some(Rejected::KnownHosts),
        (0, 0, 0, _) => Some(Rejected::Certificate),
        (1, 0, 0, _) => Some(Rejected::PublicKey),
        _ => Some(Rejected::AuthorizedKeys),
    }
}
