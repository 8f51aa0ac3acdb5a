//! The first steps of SSH as a client, up to the answer to the first encrypted message, over
//! anything that reads and writes: RFC 4253 sections 4 to 8, RFC 5656, RFC 8731, RFC 8308.
//!
//! This is here because russh, as it is built into valetkey, cannot check an RSA host key (its
//! `rsa` feature brings RUSTSEC-2023-0071) and does not show which extensions a server
//! announces. Owns: one key exchange, the check of its signature, and the server's
//! SSH_MSG_EXT_INFO. Refuses to log in: no user name and no key of the user is ever sent.
//!
//! Encrypted packets are read with AES-GCM alone: with it nobody between the two ends can drop
//! EXT_INFO unseen (as with ChaCha20-Poly1305 in CVE-2023-48795) and so make a host that binds
//! look as if it did not.

mod exchange;
mod packet;

use std::io::{self, Read, Write};

use super::Binds;
use super::certificate::certified_key;
use super::signature::verify;
use crate::wire::{Fields, put_string};
use exchange::{Agreed, Kex, KexInit};
use packet::Packets;

/// What we call ourselves.
const CLIENT: &str = concat!("SSH-2.0-valetkey_", env!("CARGO_PKG_VERSION"));
/// Most lines that a server may send before its version (RFC 4253 section 4.2).
const MAX_GREETING_LINES: usize = 50;
/// Longest such line, and longest version, in bytes.
const MAX_GREETING_LINE: usize = 255;
/// Most messages that may come where one is waited for.
const MAX_MESSAGES: usize = 16;

/// The type of an RSA host certificate.
pub const RSA_CERTIFICATE: &str = "ssh-rsa-cert-v01@openssh.com";

const MSG_DISCONNECT: u8 = 1;
const MSG_SERVICE_REQUEST: u8 = 5;
const MSG_SERVICE_ACCEPT: u8 = 6;
const MSG_EXT_INFO: u8 = 7;
const MSG_KEXINIT: u8 = 20;
const MSG_NEWKEYS: u8 = 21;
const MSG_KEX_ECDH_INIT: u8 = 30;
const MSG_KEX_ECDH_REPLY: u8 = 31;

/// Why the exchange failed. Carries nothing that the server sent.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The connection.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// Not SSH 2.
    #[error("the server does not speak SSH 2")]
    NotSsh,
    /// A message that is damaged, too long or out of turn.
    #[error("the server broke the protocol")]
    Protocol,
    /// Nothing that both ends know.
    #[error("the server has no {0} in common with valetkey")]
    NothingInCommon(&'static str),
    /// The server ended it.
    #[error("the server hung up")]
    Disconnected,
    /// The host key did not sign the exchange.
    #[error("the server's signature is not by the host key that it showed")]
    Signature,
}

/// What one exchange showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// The host key's raw blob. Its owner signed this exchange.
    pub host_key: Vec<u8>,
    /// Whether the server announced `publickey-hostbound@openssh.com`; `Unknown` where its
    /// encrypted messages could not be read.
    pub binds: Binds,
}

/// Does one key exchange and asks for the login service, to see the server's extensions. With
/// `key_type` the server is to show a key of that type; without, RSA is asked for first. The
/// stream is to be dropped afterwards.
///
/// # Errors
/// When the connection fails, the server breaks the protocol, nothing is in common, or the
/// host key did not sign.
pub fn exchange<S: Read + Write>(stream: S, key_type: Option<&str>) -> Result<Exchanged, TransportError> {
    let mut packets = Packets::new(stream);
    packets.write_all(format!("{CLIENT}\r\n").as_bytes())?;
    let server = read_version(&mut packets)?;

    let host_keys = exchange::host_keys(key_type);
    let ours = KexInit::ours(&host_keys);
    packets.send(&ours)?;
    let theirs = next(&mut packets, MSG_KEXINIT)?;
    let agreed = Agreed::choose(&theirs, &host_keys)?;
    let kex = Kex::new(agreed.kex)?;
    let mut init = vec![MSG_KEX_ECDH_INIT];
    put_string(&mut init, kex.public());
    packets.send(&init)?;
    if agreed.skip_guess {
        packets.receive()?;
    }
    let reply = next(&mut packets, MSG_KEX_ECDH_REPLY)?;
    let (host_key, their_public, signature) = read_reply(&reply).ok_or(TransportError::Protocol)?;

    let mut transcript = Vec::new();
    for part in [CLIENT.as_bytes(), &server, &ours, &theirs, host_key, kex.public(), their_public] {
        put_string(&mut transcript, part);
    }
    let keys = kex.finish(their_public, transcript)?;
    let algorithm = Fields::new(signature).string().ok();
    // With a certificate it is the key in it that signs, by its own algorithm.
    let (expected, signer) = match agreed.host_key.strip_suffix("-cert-v01@openssh.com") {
        Some(plain) => (plain, certified_key(host_key).ok_or(TransportError::Protocol)?),
        None => (agreed.host_key, host_key.to_vec()),
    };
    if algorithm != Some(expected.as_bytes()) || !verify(&signer, signature, keys.exchange_hash()) {
        return Err(TransportError::Signature);
    }
    let host_key = host_key.to_vec();

    packets.send(&[MSG_NEWKEYS])?;
    next(&mut packets, MSG_NEWKEYS)?;
    let binds = match agreed.gcm {
        Some(algorithm) => {
            packets.encrypt(keys.sealing(algorithm)?, keys.opening(algorithm)?);
            // The host key is proven by now: what fails from here on only leaves `binds` open.
            read_binds(&mut packets).unwrap_or_default()
        }
        None => Binds::Unknown,
    };
    Ok(Exchanged { host_key, binds })
}

fn read_version<S: Read + Write>(packets: &mut Packets<S>) -> Result<Vec<u8>, TransportError> {
    for _ in 0..MAX_GREETING_LINES {
        let line = packets.line(MAX_GREETING_LINE)?.ok_or(TransportError::NotSsh)?;
        if line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-") {
            return Ok(line);
        }
        if line.starts_with(b"SSH-") {
            return Err(TransportError::NotSsh);
        }
    }
    Err(TransportError::NotSsh)
}

/// The next message, which must be this one; ignore, unimplemented and debug messages between
/// are skipped.
fn next<S: Read + Write>(packets: &mut Packets<S>, wanted: u8) -> Result<Vec<u8>, TransportError> {
    for _ in 0..MAX_MESSAGES {
        let message = packets.receive()?;
        match message.first() {
            Some(&kind) if kind == wanted => return Ok(message),
            Some(2..=4) => {}
            Some(&MSG_DISCONNECT) => return Err(TransportError::Disconnected),
            _ => return Err(TransportError::Protocol),
        }
    }
    Err(TransportError::Protocol)
}

fn read_reply(message: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut reader = Fields::new(message.get(1..)?);
    let parts = (reader.string().ok()?, reader.string().ok()?, reader.string().ok()?);
    reader.end().ok().map(|()| parts)
}

/// A server that announces extensions does so before it answers the first request.
fn read_binds<S: Read + Write>(packets: &mut Packets<S>) -> Result<Binds, TransportError> {
    let mut request = vec![MSG_SERVICE_REQUEST];
    put_string(&mut request, b"ssh-userauth");
    packets.send(&request)?;
    let mut binds = Binds::No;
    for _ in 0..MAX_MESSAGES {
        let message = packets.receive()?;
        match message.first() {
            Some(&MSG_EXT_INFO) if announces_binding(&message).ok_or(TransportError::Protocol)? => binds = Binds::Yes,
            Some(&MSG_EXT_INFO | 2..=4) => {}
            Some(&MSG_SERVICE_ACCEPT) => return Ok(binds),
            _ => return Err(TransportError::Protocol),
        }
    }
    Err(TransportError::Protocol)
}

/// Whether SSH_MSG_EXT_INFO names hostbound logins in the version that OpenSSH has (`0`).
fn announces_binding(message: &[u8]) -> Option<bool> {
    let mut reader = Fields::new(message.get(1..)?);
    let mut found = false;
    // The count is the server's; the message's end is what bounds the loop.
    for _ in 0..reader.uint32().ok()? {
        let (name, value) = (reader.string().ok()?, reader.string().ok()?);
        found |= name == b"publickey-hostbound@openssh.com" && value == b"0";
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ext_info(entries: &[(&str, &str)], count: u32) -> Vec<u8> {
        let mut message = vec![MSG_EXT_INFO];
        message.extend_from_slice(&count.to_be_bytes());
        for (name, value) in entries {
            put_string(&mut message, name.as_bytes());
            put_string(&mut message, value.as_bytes());
        }
        message
    }

    #[test]
    fn binding_is_announced_by_name_and_version() {
        let hostbound = ("publickey-hostbound@openssh.com", "0");
        assert_eq!(announces_binding(&ext_info(&[("server-sig-algs", "x"), hostbound], 2)), Some(true));
        assert_eq!(announces_binding(&ext_info(&[("server-sig-algs", "x")], 1)), Some(false));
        assert_eq!(announces_binding(&ext_info(&[(hostbound.0, "1")], 1)), Some(false));
        assert_eq!(announces_binding(&ext_info(&[], u32::MAX)), None);
    }

    /// A server that sends this and then nothing.
    struct Says(io::Cursor<Vec<u8>>);
    impl Read for Says {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Write for Says {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn says(bytes: &[u8]) -> TransportError {
        exchange(Says(io::Cursor::new(bytes.to_vec())), None).unwrap_err()
    }

    #[test]
    fn what_does_not_speak_ssh_is_named_as_such() {
        for text in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-1.5-old\r\n", "", &"x".repeat(MAX_GREETING_LINE + 2)] {
            let error = says(text.as_bytes());
            assert!(matches!(error, TransportError::NotSsh | TransportError::Io(_)), "{error:?}");
        }
        let lines = |count: usize| format!("{}SSH-2.0-x\r\n", "hello\r\n".repeat(count));
        assert!(matches!(says(lines(MAX_GREETING_LINES).as_bytes()), TransportError::NotSsh));
        // One less, and the version is found; then the connection ends.
        assert!(matches!(says(lines(MAX_GREETING_LINES - 1).as_bytes()), TransportError::Io(_)));
    }

    #[test]
    fn messages_that_mean_nothing_are_skipped_up_to_the_limit() {
        let packet = |message: u8| [0, 0, 0, 12, 10, message, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let chatter = |count: usize| {
            let mut bytes = b"SSH-2.0-x\r\n".to_vec();
            (0..count).for_each(|_| bytes.extend(packet(2)));
            bytes.extend(packet(MSG_DISCONNECT));
            says(&bytes)
        };
        assert!(matches!(chatter(MAX_MESSAGES - 1), TransportError::Disconnected));
        assert!(matches!(chatter(MAX_MESSAGES), TransportError::Protocol));
    }

    #[test]
    fn a_packet_past_the_limit_is_refused_before_it_is_read() {
        let mut bytes = b"SSH-2.0-x\r\n".to_vec();
        bytes.extend_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(says(&bytes), TransportError::Protocol));
    }
}
