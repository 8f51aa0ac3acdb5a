//! The signed data of an SSH login: RFC 4252 section 7 (`publickey`) and OpenSSH's
//! `publickey-hostbound-v00@openssh.com` (OpenSSH PROTOCOL section 2.1).
//!
//! Parsed completely: what has a byte too few, a byte too many or an unknown method is not a
//! login, and what is not a login is not signed.

use super::{Fields, Malformed};

/// `SSH_MSG_USERAUTH_REQUEST` (RFC 4252 section 6).
const USERAUTH_REQUEST: u8 = 50;
/// The longest session identifier: the output of SHA-512, the largest exchange hash.
const MAX_SESSION_ID: usize = 64;
/// The first bytes of an SSHSIG (OpenSSH PROTOCOL.sshsig).
const SSHSIG: &[u8] = b"SSHSIG";

/// A login that somebody wants signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'a> {
    /// The account on the server.
    pub user: &'a [u8],
    /// The service behind the login.
    pub service: &'a [u8],
    /// The signature algorithm.
    pub algorithm: &'a [u8],
    /// The key blob or certificate blob that logs in.
    pub key: &'a [u8],
    /// The server's host key, where the login is bound to it.
    pub host_key: Option<&'a [u8]>,
}

/// Why signed data is not a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALogin {
    /// A file or Git signature (`ssh-keygen -Y sign`).
    #[error("it is a signature of a file or commit (SSHSIG), not a login")]
    Sshsig,
    /// A login by another method than the two that prove a key.
    #[error("it is a login by an unknown method")]
    Method,
    /// Anything else.
    #[error("it is not an SSH login: {0}")]
    Malformed(#[from] Malformed),
}

impl<'a> Login<'a> {
    /// Parses signed data from its first to its last byte.
    ///
    /// # Errors
    /// [`NotALogin`] for all that is not exactly one of the two forms.
    pub fn parse(data: &'a [u8]) -> Result<Self, NotALogin> {
        if data.starts_with(SSHSIG) {
            return Err(NotALogin::Sshsig);
        }
        let mut fields = Fields::new(data);
        let session_id = fields.string()?;
        if session_id.is_empty() || session_id.len() > MAX_SESSION_ID {
            return Err(Malformed::Field("session identifier").into());
        }
        if fields.byte()? != USERAUTH_REQUEST {
            return Err(Malformed::Field("message number").into());
        }
        let user = fields.string()?;
        let service = fields.string()?;
        let bound = match fields.string()? {
            b"publickey" => false,
            b"publickey-hostbound-v00@openssh.com" => true,
            _ => return Err(NotALogin::Method),
        };
        if fields.byte()? != 1 {
            return Err(Malformed::Field("signature flag").into());
        }
        let algorithm = fields.string()?;
        let key = fields.string()?;
        let host_key = if bound { Some(fields.string()?) } else { None };
        fields.end()?;
        Ok(Self { user, service, algorithm, key, host_key })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::wire::put_string;

    /// Signed data as a client makes it.
    pub(crate) fn signed_data(
        user: &[u8],
        service: &[u8],
        algorithm: &[u8],
        key: &[u8],
        host_key: Option<&[u8]>,
    ) -> Vec<u8> {
        let mut data = Vec::new();
        put_string(&mut data, &[9; 32]);
        data.push(USERAUTH_REQUEST);
        put_string(&mut data, user);
        put_string(&mut data, service);
        put_string(&mut data, if host_key.is_some() { b"publickey-hostbound-v00@openssh.com" } else { b"publickey" });
        data.push(1);
        put_string(&mut data, algorithm);
        put_string(&mut data, key);
        if let Some(host_key) = host_key {
            put_string(&mut data, host_key);
        }
        data
    }

    fn bound() -> Vec<u8> {
        signed_data(b"git", b"ssh-connection", b"ssh-ed25519", b"key", Some(b"host"))
    }

    #[test]
    fn both_forms_are_read_completely() {
        let data = bound();
        let login = Login::parse(&data).unwrap();
        assert_eq!(
            (login.user, login.service, login.key, login.host_key),
            (&b"git"[..], &b"ssh-connection"[..], &b"key"[..], Some(&b"host"[..]))
        );
        let data = signed_data(b"git", b"ssh-connection", b"ssh-ed25519", b"key", None);
        assert_eq!(Login::parse(&data).unwrap().host_key, None);
    }

    #[test]
    fn signed_data_cut_anywhere_is_not_a_login() {
        let data = bound();
        for length in 0..data.len() {
            assert!(Login::parse(&data[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn one_byte_behind_either_form_is_not_a_login() {
        for host_key in [None, Some(&b"host"[..])] {
            let mut data = signed_data(b"git", b"ssh-connection", b"a", b"k", host_key);
            assert!(Login::parse(&data).is_ok());
            data.push(0);
            assert_eq!(Login::parse(&data), Err(NotALogin::Malformed(Malformed::Trailing)));
        }
    }

    #[test]
    fn an_unbound_login_with_a_host_key_glued_on_is_not_a_login() {
        let mut data = signed_data(b"git", b"ssh-connection", b"a", b"k", None);
        put_string(&mut data, b"host");
        assert_eq!(Login::parse(&data), Err(NotALogin::Malformed(Malformed::Trailing)));
    }

    #[test]
    fn a_file_signature_is_named_as_such() {
        assert_eq!(Login::parse(b"SSHSIG\0\0\0\x04file"), Err(NotALogin::Sshsig));
    }

    #[test]
    fn a_session_identifier_at_the_limit_is_read_and_a_longer_or_empty_one_is_not() {
        for (length, is_login) in [(0, false), (1, true), (MAX_SESSION_ID, true), (MAX_SESSION_ID + 1, false)] {
            let mut data = Vec::new();
            put_string(&mut data, &vec![1; length]);
            data.extend_from_slice(&bound()[4 + 32..]);
            assert_eq!(Login::parse(&data).is_ok(), is_login, "{length} bytes");
        }
    }

    #[test]
    fn every_single_byte_that_is_changed_changes_the_verdict_or_a_field() {
        let data = bound();
        let login = Login::parse(&data).unwrap();
        for at in 36..data.len() {
            let mut other = data.clone();
            other[at] ^= 0x20;
            if let Ok(parsed) = Login::parse(&other) {
                assert_ne!(parsed, login, "byte {at} is not looked at");
            }
        }
    }
}
